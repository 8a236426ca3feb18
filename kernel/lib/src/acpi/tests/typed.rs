//! The tables that are taken apart.

use super::*;

fn madt(entries: &[u8]) -> Vec<Result<MadtEntry, RecordError>> {
    let table = build::table(b"APIC", &build::madt(entries));
    Madt::parse(&table).expect("long enough").entries().collect()
}

#[test]
fn every_kind_of_madt_entry_has_linux_s_line() {
    let cases: [(&[u8], &str); 10] = [
        (&[0, 8, 1, 2, 1, 0, 0, 0], "LAPIC (acpi_id[0x01] lapic_id[0x02] enabled)"),
        (
            &[1, 12, 0, 0, 0, 0, 0xc0, 0xfe, 24, 0, 0, 0],
            "IOAPIC (id[0x00] address[0xfec00000] gsi_base[24])",
        ),
        (
            &[2, 10, 0, 9, 9, 0, 0, 0, 0xd, 0],
            "INT_SRC_OVR (bus 0 bus_irq 9 global_irq 9 high level)",
        ),
        (&[3, 8, 7, 0, 2, 0, 0, 0], "NMI_SRC (low edge global_irq 2)"),
        (&[4, 6, 0xff, 0, 0, 1], "LAPIC_NMI (acpi_id[0xff] dfl dfl lint[0x1])"),
        (
            &[5, 12, 0, 0, 0, 0, 0xe0, 0xfe, 1, 0, 0, 0],
            "LAPIC_ADDR_OVR (address[0x00000001fee00000])",
        ),
        (
            &[9, 16, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0],
            "X2APIC (apic_id[0x100] uid[0x05] disabled)",
        ),
        (
            &[10, 12, 5, 0, 0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0],
            "X2APIC_NMI (uid[0xffffffff] high edge lint[0x1])",
        ),
        (
            &[16, 16, 0, 0, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0],
            "MP Wakeup (mailbox version[0] address[0x0000000000001000])",
        ),
        (&[0x80, 4, 1, 2], "Found unsupported MADT entry (type = 0x80)"),
    ];
    for (bytes, line) in cases {
        let entries = madt(bytes);
        assert_eq!(entries.len(), 1, "{line}");
        assert_eq!(entries[0].expect("a sound entry").to_string(), line);
    }
}

#[test]
fn an_entry_of_length_0_or_1_ends_the_list() {
    for length in [0, 1] {
        let entries = madt(&[0, 8, 0, 0, 1, 0, 0, 0, 1, length, 0, 0]);
        assert!(entries[0].is_ok());
        assert_eq!(
            entries[1..],
            [Err(RecordError::Length {
                offset: 52,
                kind: 1,
                length
            })]
        );
    }
}

#[test]
fn an_entry_that_reaches_past_the_end_is_named() {
    let offset = 44;
    assert_eq!(
        madt(&[0, 200, 0, 0]),
        [Err(RecordError::Length {
            offset,
            kind: 0,
            length: 200
        })]
    );
    assert_eq!(
        madt(&[9]),
        [Err(RecordError::Length {
            offset,
            kind: 9,
            length: 0
        })]
    );
}

#[test]
fn a_short_entry_is_left_out_and_the_next_one_read() {
    let entries = madt(&[1, 4, 0, 0, 0, 8, 0, 3, 1, 0, 0, 0]);
    let error = RecordError::TooShort {
        offset: 44,
        kind: 1,
        length: 4,
        needed: 12,
    };
    assert_eq!(entries[0], Err(error));
    assert_eq!(
        entries[1],
        Ok(MadtEntry::LocalApic {
            acpi_id: 0,
            apic_id: 3,
            flags: 1
        })
    );
    assert_eq!(Madt::parse(&build::table(b"APIC", &[0; 7])), None);
}

#[test]
fn nodes_that_overlap_contradict_each_other() {
    let entries = [
        build::memory_affinity(0, 0, 0x1000),
        build::memory_affinity(1, 0xfff, 0x1000),
        build::memory_affinity(1, u64::MAX, 2),
        build::memory_affinity(2, 0, 0),
    ]
    .concat();
    let table = build::table(b"SRAT", &build::srat(&entries));
    let memory: Vec<_> = Srat::parse(&table).expect("long enough").memory().collect();
    assert_eq!(memory[0].range(), Some(0..0x1000));
    assert!(memory[0].contradicts(&memory[1]) && memory[1].contradicts(&memory[0]));
    assert!(!memory[0].contradicts(&memory[0]));
    assert_eq!((memory[2].range(), memory[3].range()), (None, None));
    assert!(!memory[0].contradicts(&memory[2]) && !memory[0].contradicts(&memory[3]));
}

#[test]
fn processors_of_an_srat_have_domains_of_either_width() {
    let narrow = [0, 16, 3, 4, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    let wide = [2, 24, 0, 0, 9, 0, 0, 0, 0, 2, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let off = [0, 16, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let mut table = build::table(b"SRAT", &build::srat(&[&narrow[..], &wide, &off].concat()));
    let entries = |table: &[u8]| -> Vec<_> { Srat::parse(table).expect("long enough").entries().collect() };
    assert_eq!(
        entries(&table),
        [
            Ok(SratEntry::Processor { domain: 0x103, apic_id: 4 }),
            Ok(SratEntry::Processor { domain: 9, apic_id: 0x200 })
        ]
    );
    table[8] = 1;
    assert_eq!(entries(&table)[0], Ok(SratEntry::Processor { domain: 3, apic_id: 4 }));
    assert_eq!(Srat::parse(&table[..47]), None);
}

#[test]
fn a_slit_must_be_a_square_of_possible_distances() {
    let parse = |count, distances: &[u8]| {
        let table = build::table(b"SLIT", &build::slit(count, distances));
        Slit::parse(&table).map(|slit| (slit.count(), slit.distance(0, 1), slit.distance(2, 0)))
    };
    assert_eq!(parse(2, &[10, 20, 21, 10]), Ok((2, Some(20), None)));
    for count in [0, 3, u64::from(u32::MAX), 1 << 32, u64::MAX] {
        assert_eq!(parse(count, &[10, 20, 21, 10]), Err(SlitError::Size { count }));
    }
    let wrong = SlitError::Distance {
        from: 1,
        to: 0,
        distance: 9,
    };
    assert_eq!(parse(2, &[10, 20, 9, 10]), Err(wrong));
    let wrong = SlitError::Distance {
        from: 0,
        to: 0,
        distance: 0,
    };
    assert_eq!(parse(1, &[0]), Err(wrong));
    assert_eq!(Slit::parse(&[0; 36]), Err(SlitError::Size { count: 0 }));
}

#[test]
fn an_old_fadt_lacks_what_came_later() {
    let mut body = [0; 80];
    body[40..44].copy_from_slice(&0x608_u32.to_le_bytes());
    body[55] = 4;
    let old = Fadt::parse(&build::table(b"FACP", &body));
    assert_eq!(
        (old.pm_timer_port(), old.x_dsdt, old.reset_register),
        (Some(0x608), 0, GenericAddress::default())
    );
    let mut body = [0; 208];
    body[172] = GenericAddress::PORTS;
    body[176..178].copy_from_slice(&0xb008_u16.to_le_bytes());
    assert_eq!(Fadt::parse(&build::table(b"FACP", &body)).pm_timer_port(), Some(0xb008));
    assert_eq!(Fadt::parse(&[]).pm_timer_port(), None);
}

#[test]
fn hpet_mcfg_and_bgrt_have_their_fields() {
    let mut body = [0; 20];
    body[0..4].copy_from_slice(&0x8086_a201_u32.to_le_bytes());
    body[8..16].copy_from_slice(&0xfed0_0000_u64.to_le_bytes());
    let hpet = Hpet::parse(&build::table(b"HPET", &body)).expect("long enough");
    assert_eq!((hpet.id, hpet.address.address), (0x8086_a201, 0xfed0_0000));
    assert_eq!(Hpet::parse(&build::table(b"HPET", &body[..19])), None);
    assert_eq!(Bgrt::parse(&build::table(b"BGRT", &body)).map(|bgrt| bgrt.version), Some(0xa201));

    let mut body = [0; 8 + 32 + 5];
    body[8..16].copy_from_slice(&0xb000_0000_u64.to_le_bytes());
    body[19] = 0xff;
    body[34] = 1;
    let table = build::table(b"MCFG", &body);
    let entries: Vec<_> = Mcfg::parse(&table).expect("long enough").entries().collect();
    let expected = McfgEntry {
        address: 0xb000_0000,
        segment: 0,
        start_bus: 0,
        end_bus: 0xff,
    };
    assert_eq!(
        entries,
        [expected],
        "the second one's buses are not in order, the third is cut short"
    );
    assert_eq!(Mcfg::parse(&table[..43]), None);
}
