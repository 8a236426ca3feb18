//! Where a moment of the boot is on a line: to scale, or so that short steps can be seen beside long ones.

/// How many marks the straight axis has at most.
const MOST_MARKS: u64 = 7;
/// The least distance between two marks of the bent axis, as a part of the whole.
const LEAST_DISTANCE: f64 = 0.12;

/// A line from 0 to the end of the boot.
#[derive(Debug, Clone, PartialEq)]
pub struct Scale {
    end: u64,
    /// For each moment at which something began or ended: where it is on the bent line.
    bent: Vec<(u64, f64)>,
}

impl Scale {
    /// The line on which the `moments` can be told apart: between two of them lies the logarithm of the time between them.
    #[must_use]
    pub fn of(moments: impl IntoIterator<Item = u64>) -> Self {
        let mut moments: Vec<u64> = moments.into_iter().chain([0]).collect();
        moments.sort_unstable();
        moments.dedup();
        let mut at = 0.0;
        let mut bent = vec![(0, 0.0)];
        for pair in moments.windows(2) {
            at += ((pair[1] - pair[0]) as f64).ln_1p();
            bent.push((pair[1], at));
        }
        let end = moments.last().copied().unwrap_or(0);
        bent.iter_mut().for_each(|(_, place)| *place /= at.max(f64::MIN_POSITIVE));
        Self { end, bent }
    }

    /// Where `moment` is on the straight line, from 0 to 1.
    #[must_use]
    pub fn straight(&self, moment: u64) -> f64 {
        moment.min(self.end) as f64 / self.end.max(1) as f64
    }

    /// Where `moment` is on the bent line, from 0 to 1.
    #[must_use]
    pub fn bent(&self, moment: u64) -> f64 {
        let above = self.bent.partition_point(|(other, _)| *other < moment);
        match (above.checked_sub(1).map(|below| self.bent[below]), self.bent.get(above)) {
            (None, _) => 0.0,
            (Some(_), None) => 1.0,
            (Some((low, from)), Some(&(high, to))) => {
                let part = (moment - low) as f64 / (high - low) as f64;
                (to - from).mul_add(part, from)
            }
        }
    }

    /// Round moments to mark on the straight line.
    #[must_use]
    pub fn straight_marks(&self) -> Vec<u64> {
        let step = round_numbers().find(|step| self.end / step < MOST_MARKS).unwrap_or(u64::MAX);
        (0..=self.end / step).map(|count| count * step).collect()
    }

    /// Round moments to mark on the bent line: the roundest first, and finer ones where there is room.
    #[must_use]
    pub fn bent_marks(&self) -> Vec<u64> {
        let mut marks: Vec<u64> = vec![0];
        let mut step = round_numbers().take_while(|step| *step <= self.end).last().unwrap_or(1);
        // So fine that a mark would be looked for in vain, or for longer than is sensible.
        while step >= 10 && self.end / step <= 10_000 {
            for moment in (1..=self.end / step).map(|count| count * step) {
                if marks
                    .iter()
                    .all(|mark| (self.bent(*mark) - self.bent(moment)).abs() >= LEAST_DISTANCE)
                {
                    marks.push(moment);
                }
            }
            step /= 10;
        }
        marks.sort_unstable();
        marks
    }
}

/// 1, 2, 5, 10, 20, 50, …
fn round_numbers() -> impl Iterator<Item = u64> {
    (0..19).flat_map(|power| [1, 2, 5].map(|digit| digit * 10_u64.pow(power)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_straight_line_is_to_scale() {
        let scale = Scale::of([10, 100, 400]);
        assert_eq!([0, 100, 400, 500].map(|moment| scale.straight(moment)), [0.0, 0.25, 1.0, 1.0]);
        assert_eq!(scale.straight_marks(), [0, 100, 200, 300, 400]);
    }

    #[test]
    fn the_bent_line_keeps_the_order_and_gives_short_steps_room() {
        let scale = Scale::of([10, 20, 1_000_000]);
        let places = [0, 5, 10, 20, 1000, 1_000_000, 2_000_000].map(|moment| scale.bent(moment));
        assert!(places[..6].is_sorted_by(|one, other| one < other), "{places:?}");
        assert_eq!((places[0], places[5], places[6]), (0.0, 1.0, 1.0));
        assert!(places[2] > 0.1, "ten of a million are seen: {places:?}");
    }

    #[test]
    fn marks_are_round_and_apart() {
        let scale = Scale::of([1, 7, 66_000, 66_010, 158_000]);
        let marks = scale.bent_marks();
        assert!(marks.len() >= 3 && marks.iter().all(|mark| mark % 10 == 0), "{marks:?}");
        for pair in marks.windows(2) {
            assert!(scale.bent(pair[1]) - scale.bent(pair[0]) >= LEAST_DISTANCE, "{marks:?}");
        }
    }

    #[test]
    fn a_boot_without_any_time_is_a_line_all_the_same() {
        let scale = Scale::of([]);
        assert_eq!((scale.straight(0), scale.bent(0)), (0.0, 0.0));
        assert_eq!((scale.straight_marks(), scale.bent_marks()), (vec![0], vec![0]));
        let long = Scale::of([u64::MAX]);
        assert_eq!(long.straight_marks().len(), 4);
        assert!((long.bent(u64::MAX) - 1.0).abs() < f64::EPSILON);
    }
}
