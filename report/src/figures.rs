//! Numbers as people read them.

/// `number` in groups of three digits: `66,034`.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.char_indices() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `count` bytes in the largest unit that leaves a number of at least 1, with a decimal where it says something: `1.5 KiB`, `12 B`, `4 KiB`.
#[must_use]
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if count < 1024 {
        return format!("{count} B");
    }
    let power = (count.ilog2() / 10) as usize;
    let number = count as f64 / (1u64 << (10 * power)) as f64;
    let text = if number < 100.0 {
        format!("{number:.1}")
    } else {
        format!("{number:.0}")
    };
    format!("{} {}", text.trim_end_matches(".0"), UNITS[power - 1])
}

/// `nanoseconds` in the unit that leaves a number of at least 1: `66.0 µs`.
#[must_use]
pub fn duration(nanoseconds: u64) -> String {
    let number = nanoseconds as f64;
    match nanoseconds {
        0..1_000 => format!("{nanoseconds} ns"),
        1_000..1_000_000 => format!("{:.1} µs", number / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} ms", number / 1e6),
        _ => format!("{:.2} s", number / 1e9),
    }
}

/// `1 stage`, `2 stages`.
#[must_use]
pub fn counted(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_stand_in_groups_of_three() {
        let texts = [0, 999, 1000, 66034, 1_000_000, u64::MAX].map(grouped);
        assert_eq!(texts, ["0", "999", "1,000", "66,034", "1,000,000", "18,446,744,073,709,551,615"]);
    }

    #[test]
    fn sizes_have_the_unit_that_fits() {
        let texts = [0, 1023, 1024, 1536, 811_396, 127 << 20, 12 << 30, 1 << 60, u64::MAX].map(bytes);
        assert_eq!(
            texts,
            [
                "0 B", "1023 B", "1 KiB", "1.5 KiB", "792 KiB", "127 MiB", "12 GiB", "1 EiB", "16 EiB"
            ]
        );
    }

    #[test]
    fn durations_have_the_unit_that_fits() {
        let texts = [0, 999, 66_034, 1_500_000, 2_000_000_000].map(duration);
        assert_eq!(texts, ["0 ns", "999 ns", "66.0 µs", "1.5 ms", "2.00 s"]);
    }

    #[test]
    fn one_is_singular() {
        assert_eq!(
            [0, 1, 1234].map(|count| counted(count, "stage")),
            ["0 stages", "1 stage", "1,234 stages"]
        );
    }
}
