//! How many buckets a table gets that is to fit the machine's memory: the arithmetic of Linux's `alloc_large_system_hash`.

/// Bits of an address inside a page.
const PAGE_SHIFT: u32 = 12;
/// Pages of a MiB.
const MIB_PAGES: u64 = 1 << (20 - PAGE_SHIFT);
/// From here on a machine with four times the memory gets tables of twice the size only: 64 GiB, in pages (Linux's `ADAPT_SCALE_NPAGES`).
const ADAPT_SCALE_NPAGES: u64 = 64 << (30 - PAGE_SHIFT);
/// No table has more buckets.
const MAX_BUCKETS: u64 = 0x8000_0000;

/// What a table is to be like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableRequest {
    /// What it is a table of, for the log.
    pub name: &'static str,
    /// Bytes of a bucket.
    pub bucket_size: usize,
    /// How many buckets the command line wants, 0 if it says nothing.
    pub entries: u64,
    /// One bucket for 2^`scale` bytes of memory.
    pub scale: u32,
    /// May be smaller than a page: 2^`smallest` buckets at the least (`HASH_SMALL`).
    pub smallest: Option<u32>,
    /// At least so many buckets.
    pub low_limit: u64,
    /// At most so many buckets; with 0 as many as a sixteenth of memory holds.
    pub high_limit: u64,
}

impl TableRequest {
    /// How many buckets, as a power of two, with `kernel_pages` pages of memory for the kernel and `all_pages` in all.
    #[must_use]
    pub fn shift(&self, kernel_pages: u64, all_pages: u64) -> u32 {
        let bucket = (self.bucket_size as u64).max(1);
        let wanted = if self.entries == 0 {
            self.fitting(kernel_pages)
        } else {
            self.entries
        };
        let limit = match self.high_limit {
            0 => (all_pages << PAGE_SHIFT) / 16 / bucket,
            limit => limit,
        };
        // No power of two of 64 bits is larger than half of what they hold.
        let wanted = wanted.min(1 << 63).next_power_of_two();
        wanted.max(self.low_limit).min(limit.min(MAX_BUCKETS)).max(1).ilog2()
    }

    /// How many buckets fit the machine.
    fn fitting(&self, kernel_pages: u64) -> u64 {
        let pages = kernel_pages.next_multiple_of(MIB_PAGES);
        let mut scale = self.scale;
        if self.high_limit == 0 {
            let mut adapt = ADAPT_SCALE_NPAGES;
            while adapt < pages {
                scale += 1;
                adapt <<= 2;
            }
        }
        let entries = if scale > PAGE_SHIFT {
            pages.checked_shr(scale - PAGE_SHIFT).unwrap_or(0)
        } else {
            pages << (PAGE_SHIFT - scale)
        };
        let least = match self.smallest {
            Some(shift) => 1 << shift,
            None => (1 << PAGE_SHIFT) / (self.bucket_size as u64).max(1),
        };
        entries.max(least)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Linux 2.6.32's table of pids on 32 bits.
    const PID: TableRequest = TableRequest {
        name: "PID",
        bucket_size: 4,
        entries: 0,
        scale: 18,
        smallest: Some(4),
        low_limit: 0,
        high_limit: 4096,
    };

    #[test]
    fn the_traced_machine_gets_512_buckets_of_4_bytes() {
        // 32185 pages are 32256 in whole MiB; one bucket for 256 KiB makes 504, and the next power of two 512.
        assert_eq!(PID.fitting(32185), 504);
        assert_eq!(PID.shift(32185, 32185), 9);
        assert_eq!(PID.bucket_size << 9, 2048);
    }

    #[test]
    fn a_small_table_has_its_least_size_and_another_a_page() {
        assert_eq!(PID.shift(256, 256), 4);
        let whole = TableRequest {
            smallest: None,
            high_limit: 0,
            ..PID
        };
        assert_eq!(1 << whole.shift(1 << 20, 1 << 20), 1 << (20 - 6));
        assert_eq!((1 << whole.shift(256, 1 << 20)) * whole.bucket_size, 4096);
    }

    #[test]
    fn limits_and_the_command_line_count() {
        assert_eq!(PID.shift(1 << 30, 1 << 30), 12);
        assert_eq!(TableRequest { entries: 100, ..PID }.shift(32185, 32185), 7);
        assert_eq!(TableRequest { entries: u64::MAX, ..PID }.shift(32185, 32185), 12);
        let open = TableRequest {
            entries: u64::MAX,
            high_limit: 0,
            ..PID
        };
        // A sixteenth of 1 GiB in buckets of 4 bytes.
        assert_eq!(open.shift(1 << 18, 1 << 18), 24);
        assert_eq!(TableRequest { low_limit: 64, ..PID }.shift(256, 256), 6);
    }

    #[test]
    fn beyond_64_gib_tables_grow_slower() {
        let dentries = TableRequest {
            name: "Dentry cache",
            bucket_size: 8,
            entries: 0,
            scale: 13,
            smallest: None,
            low_limit: 0,
            high_limit: 0,
        };
        let gib = |gib: u64| dentries.shift(gib << 18, gib << 18);
        assert_eq!((gib(64), gib(256), gib(1024)), (23, 24, 25));
    }

    proptest! {
        #[test]
        fn a_table_keeps_within_its_limits(
            pages in 0..1_u64 << 34,
            bucket in 1..64_usize,
            entries in prop_oneof![Just(0_u64), any::<u64>()],
            scale in 0..40_u32,
            smallest in proptest::option::of(0..12_u32),
            high in prop_oneof![Just(0_u64), 1..1_u64 << 20],
        ) {
            let request = TableRequest { name: "any", bucket_size: bucket, entries, scale, smallest, low_limit: 0, high_limit: high };
            let buckets = 1_u64 << request.shift(pages, pages);
            let limit = if high == 0 { (pages << 12) / 16 / bucket as u64 } else { high };
            prop_assert!(buckets <= limit.clamp(1, MAX_BUCKETS));
            // More memory never makes a smaller table.
            prop_assert!(request.shift(pages + 256, pages + 256) >= request.shift(pages, pages));
        }
    }
}
