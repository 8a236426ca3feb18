//! Shows the figures in columns.

use std::fmt::Write;

use crate::figures::{Beside, Figure, Section};
use crate::record::Recorded;

/// What is pointed out: a change by more than this part of the recorded figure.
const NOTABLE: f64 = 0.05;

const HEADINGS: [&str; 5] = ["", "ours", "Linux or aim", "ratio", "last recorded"];

/// The figures as text, a line each, beside those that are recorded.
pub fn show(sections: &[Section], recorded: &Recorded) -> String {
    let rows: Vec<_> = sections.iter().map(|section| (section.title, rows(section, recorded))).collect();
    let mut widths = HEADINGS.map(str::len);
    for row in rows.iter().flat_map(|(_, rows)| rows) {
        widths = std::array::from_fn(|column| widths[column].max(row[column].chars().count()));
    }
    let mut text = String::from("Instructions of the guest; fewer are better.\n");
    if let Some(commit) = &recorded.commit {
        text.push_str(&format!("Recorded at {commit}.\n"));
    }
    for (title, rows) in rows {
        text.push_str(&format!("\n{title}\n"));
        push_line(&mut text, &HEADINGS.map(str::to_owned), &widths);
        rows.iter().for_each(|row| push_line(&mut text, row, &widths));
    }
    text
}

/// Appends a line: the first column to the left, the others to the right.
fn push_line(text: &mut String, row: &[String; 5], widths: &[usize; 5]) {
    let mut line = format!("  {:<width$}", row[0], width = widths[0]);
    for (cell, width) in row.iter().zip(widths).skip(1) {
        // A string takes everything.
        let _ = write!(line, "   {cell:>width$}");
    }
    text.push_str(line.trim_end());
    text.push('\n');
}

fn rows(section: &Section, recorded: &Recorded) -> Vec<[String; 5]> {
    let row = |figure: &Figure| {
        let [name, ours, beside, ratio] = cells(figure);
        [
            name,
            ours,
            beside,
            ratio,
            change(figure.ours, recorded.figure(section.title, &figure.name)),
        ]
    };
    section.figures.iter().map(row).collect()
}

/// What is said of a figure itself: its name, ours, what it stands beside, and how many times that it is.
pub fn cells(figure: &Figure) -> [String; 4] {
    let (beside, ratio) = match figure.beside {
        None => (String::new(), String::new()),
        Some(beside) => {
            let whose = if matches!(beside, Beside::Linux(_)) { "Linux" } else { "aim" };
            (format!("{} {whose}", number(beside.number())), ratio(figure.ours / beside.number()))
        }
    };
    [figure.name.clone(), number(figure.ours), beside, ratio]
}

/// How many times one is the other: two decimals, or as many as show that it is not nothing.
fn ratio(ratio: f64) -> String {
    if ratio < 0.1 {
        format!("{ratio:.4}")
    } else {
        format!("{ratio:.2}")
    }
}

/// The recorded figure, with the change if that is notable.
fn change(ours: f64, recorded: Option<f64>) -> String {
    match recorded {
        None => "new".to_owned(),
        Some(recorded) if (ours - recorded).abs() > recorded.abs() * NOTABLE => {
            format!("{} {:+.1} %", number(recorded), (ours / recorded - 1.0) * 100.0)
        }
        Some(recorded) => number(recorded),
    }
}

/// A count of instructions: whole above 1000, else with one decimal if it has any; commas between thousands.
pub fn number(value: f64) -> String {
    let rounded = if value.abs() < 1000.0 {
        (value * 10.0).round() / 10.0
    } else {
        value.round()
    };
    let text = rounded.to_string();
    let (whole, decimals) = text.split_at(text.find('.').unwrap_or(text.len()));
    let (sign, digits) = whole.split_at(usize::from(whole.starts_with('-')));
    let mut grouped = String::from(sign);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped + decimals
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_rounded() {
        let shown = [
            (0.0, "0"),
            (77.0, "77"),
            (77.25, "77.3"),
            (999.96, "1000"),
            (1000.4, "1,000"),
            (1_234_567.0, "1,234,567"),
            (-1234.5, "-1,235"),
            (-0.3, "-0.3"),
        ];
        for (value, text) in shown {
            assert_eq!(number(value), text.replace("1000", "1,000"), "{value}");
        }
    }

    fn sections(ours: f64, beside: Option<Beside>) -> [Section; 1] {
        [Section {
            title: "S",
            figures: vec![Figure {
                name: "f".into(),
                ours,
                beside,
            }],
        }]
    }

    fn last_line(ours: f64, beside: Option<Beside>, recorded: &Recorded) -> String {
        show(&sections(ours, beside), recorded)
            .lines()
            .last()
            .unwrap()
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn a_figure_stands_beside_linux_or_the_aim() {
        let nothing = Recorded::default();
        assert_eq!(last_line(130.0, Some(Beside::Linux(260.0)), &nothing), "f 130 260 Linux 0.50 new");
        assert_eq!(
            last_line(3e6, Some(Beside::Aim(2e6)), &nothing),
            "f 3,000,000 2,000,000 aim 1.50 new"
        );
        assert_eq!(
            last_line(65_588.0, Some(Beside::Linux(15.1e6)), &nothing),
            "f 65,588 15,100,000 Linux 0.0043 new"
        );
        assert_eq!(last_line(5.0, None, &nothing), "f 5 new");
    }

    #[test]
    fn only_a_notable_change_is_pointed_out() {
        let recorded = Recorded {
            commit: Some("abc".into()),
            figures: [(("S".into(), "f".into()), 100.0)].into(),
        };
        assert_eq!(last_line(105.0, None, &recorded), "f 105 100");
        assert_eq!(last_line(106.0, None, &recorded), "f 106 100 +6.0 %");
        assert_eq!(last_line(90.0, None, &recorded), "f 90 100 -10.0 %");
        assert!(show(&sections(1.0, None), &recorded).contains("Recorded at abc."));
    }

    #[test]
    fn columns_stand_below_their_headings() {
        let text = show(&sections(1_234_567.0, Some(Beside::Aim(2e6))), &Recorded::default());
        let lines: Vec<_> = text.lines().rev().take(2).collect();
        for (heading, cell) in [
            ("ours", "1,234,567"),
            ("Linux or aim", "2,000,000 aim"),
            ("ratio", "0.62"),
            ("last recorded", "new"),
        ] {
            let end = |line: &str, part: &str| line.find(part).unwrap() + part.len();
            assert_eq!(end(lines[1], heading), end(lines[0], cell), "{text}");
        }
    }
}
