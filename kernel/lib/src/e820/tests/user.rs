//! `mem=` and `memmap=`.

use super::*;
use crate::param::ParamError;
use proptest::prelude::*;

fn memmap(value: &str) -> Vec<Result<UserRange, ParamError>> {
    UserRange::parse_memmap(value.as_bytes()).collect()
}

#[test]
fn memmap_takes_every_form_and_lists() {
    let add = |start, size, kind| Ok(UserRange::Add { start, size, kind });
    assert_eq!(
        memmap("exactmap,640K@0,0x10M@1M"),
        [Ok(UserRange::Exact), add(0, 640 << 10, RAM), add(1 << 20, 16 << 20, RAM)]
    );
    assert_eq!(
        memmap("64K#0x1000,64K$4096,1G!4G"),
        [
            add(0x1000, 0x1_0000, ACPI),
            add(0x1000, 0x1_0000, RESERVED),
            add(4 << 30, 1 << 30, E820Type::PRAM)
        ]
    );
    assert_eq!(memmap("512M"), [Ok(UserRange::Limit(512 << 20))]);
    let (start, size) = (0x1000, 0x2000);
    assert_eq!(
        memmap("8K%4K-1+0xefffffff"),
        [Ok(UserRange::Update {
            start,
            size,
            old: RAM,
            new: E820Type::SOFT_RESERVED
        })]
    );
    assert_eq!(memmap("8K%4K+2"), [add(start, size, RESERVED)]);
    assert_eq!(
        memmap("8K%4K-2"),
        [Ok(UserRange::Remove {
            start,
            size,
            old: Some(RESERVED)
        })]
    );
    assert_eq!(memmap("8K%4K"), [Ok(UserRange::Remove { start, size, old: None })]);
    assert_eq!(memmap("8K%4K-0+0"), [Ok(UserRange::Remove { start, size, old: None })]);
}

#[test]
fn memmap_stops_at_the_first_error() {
    for value in [
        "",
        "x",
        "@1M",
        "1M@",
        "1M@x",
        "1M@1Mx",
        "1M?1M",
        "1M%",
        "1M%1M*",
        "1M%1M-",
        "1M%1M+",
        "1M%1M-x",
        "1M%1M-1+",
        "1M%1M+1-2",
        "1M%1M++1",
        "1M ",
    ] {
        assert_eq!(memmap(value), [Err(ParamError::Invalid)], "{value:?}");
    }
    assert_eq!(memmap("99999999999999999999@0"), [Err(ParamError::OutOfRange)]);
    assert_eq!(memmap("1M,,2M"), [Ok(UserRange::Limit(1 << 20)), Err(ParamError::Invalid)]);
}

#[test]
fn mem_takes_one_size_that_is_not_0() {
    assert_eq!(UserRange::parse_mem(b"64M"), Ok(UserRange::Limit(64 << 20)));
    for value in ["", "0", "0M", "64Mx", "64M@0", "-1", "nopentium"] {
        let parsed = UserRange::parse_mem(value.as_bytes());
        assert_eq!(parsed, Err(ParamError::Invalid), "{value:?}");
    }
}

#[test]
fn a_limit_removes_ram_only() {
    let mut table = table(&[(0, 0x8000, RAM), (0x8000, 0x1000, ACPI), (0x9000, 0x1000, RAM)]);
    assert_eq!(table.apply(UserRange::Limit(0x4000)), Ok(()));
    table.sanitize().expect("no range wraps");
    assert_eq!(ranges(&table), [(0, 0x4000, RAM), (0x8000, 0x1000, ACPI)]);
}

#[test]
fn exactmap_forgets_the_firmware_s_map() {
    let mut table = table(&[(0, 0x8000, RAM)]);
    for range in UserRange::parse_memmap(b"exactmap,4K@4K") {
        assert_eq!(table.apply(range.expect("sound")), Ok(()));
    }
    assert_eq!(ranges(&table), [(0x1000, 0x1000, RAM)]);
}

proptest! {
    #[test]
    fn any_memmap_value_parses_or_is_refused(value in "[0-9a-fx@#$!%+,KMG-]{0,24}") {
        let mut table = table(&[(0, 1 << 30, RAM), (1 << 32, 1 << 30, RAM)]);
        let parsed = memmap(&value);
        for range in parsed.iter().flatten() {
            // Overlaps may fill the table, which is no failure here.
            let _ = table.apply(*range);
        }
        let errors = parsed.iter().filter(|range| range.is_err()).count();
        prop_assert!(errors == 0 || (errors == 1 && parsed.last().is_some_and(Result::is_err)));
    }
}
