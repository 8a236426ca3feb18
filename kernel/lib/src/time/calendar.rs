//! Seconds since 1970 and dates of the Gregorian calendar, in UTC without leap seconds (Linux's `mktime64` and `time64_to_tm`).

use core::fmt;

const SECS_PER_DAY: i64 = 86_400;
/// Days from the first of March of the year 0 to the first of January of 1970.
const DAYS_TO_1970: i64 = 719_468;
const DAYS_PER_ERA: i64 = 146_097;

/// A moment as a calendar and a clock on the wall show it. Always one that exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    pub(super) year: i64,
    pub(super) month: u8,
    pub(super) day: u8,
    pub(super) hour: u8,
    pub(super) minute: u8,
    pub(super) second: u8,
}

/// No calendar has this date, no clock this time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidDate;

impl fmt::Display for InvalidDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no such date or time")
    }
}

/// The furthest years: their seconds fit 64 bits with ease.
const YEARS: core::ops::RangeInclusive<i64> = -100_000_000_000..=100_000_000_000;

impl Date {
    /// Year, month (1 to 12), day (from 1), hour (0 to 23), minute and second (0 to 59).
    ///
    /// # Errors
    ///
    /// [`InvalidDate`] if one of them is out of its range; the 29th of February only in leap years.
    pub fn new(year: i64, month: u8, day: u8, hour: u8, minute: u8, second: u8) -> Result<Self, InvalidDate> {
        let is_date = YEARS.contains(&year) && (1..=12).contains(&month) && (1..=days_in(year, month)).contains(&day);
        if !is_date || hour > 23 || minute > 59 || second > 59 {
            return Err(InvalidDate);
        }
        Ok(Date {
            year,
            month,
            day,
            hour,
            minute,
            second,
        })
    }

    /// The moment `seconds` after the beginning of 1970.
    #[must_use]
    pub fn from_unix(seconds: i64) -> Self {
        // Years begin with March here, so the leap day is the last of its year; an era of 400 years is like the next.
        let days = seconds.div_euclid(SECS_PER_DAY) + DAYS_TO_1970;
        let (era, day) = (days.div_euclid(DAYS_PER_ERA), days.rem_euclid(DAYS_PER_ERA));
        let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
        let day_of_year = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day_of_year + 2) / 153;
        let of_day = seconds.rem_euclid(SECS_PER_DAY);
        let from_january = if month < 10 { month + 3 } else { month - 9 };
        Date {
            year: era * 400 + year + i64::from(month >= 10),
            month: from_january as u8,
            day: (day_of_year - (153 * month + 2) / 5 + 1) as u8,
            hour: (of_day / 3600) as u8,
            minute: (of_day / 60 % 60) as u8,
            second: (of_day % 60) as u8,
        }
    }

    /// Seconds since the beginning of 1970; below 0 before.
    #[must_use]
    pub fn to_unix(self) -> i64 {
        let (month, year) = if self.month > 2 {
            (i64::from(self.month) - 3, self.year)
        } else {
            (i64::from(self.month) + 9, self.year - 1)
        };
        let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
        let day_of_year = (153 * month + 2) / 5 + i64::from(self.day) - 1;
        let days = era * DAYS_PER_ERA + of_era * 365 + of_era / 4 - of_era / 100 + day_of_year - DAYS_TO_1970;
        days * SECS_PER_DAY + i64::from(self.hour) * 3600 + i64::from(self.minute) * 60 + i64::from(self.second)
    }

    /// The year of our Lord; 0 is the one before 1.
    #[must_use]
    pub const fn year(self) -> i64 {
        self.year
    }
}

impl fmt::Display for Date {
    /// As in the log of Linux's clocks: `2023-11-14T22:13:20 UTC`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Date {
            year,
            month,
            day,
            hour,
            minute,
            second,
        } = self;
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02} UTC")
    }
}

fn days_in(year: i64, month: u8) -> u8 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}
