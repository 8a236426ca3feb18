//! SMBIOS: entry points and tables of anything.

#![no_main]

use incipit_lib::dmi::{Chassis, EntryPoint, Field, Ids, MemoryDevice, Processor, search, structures};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((&[count, anchor], table)) = data.split_first_chunk() else {
        return;
    };
    let mut ids = Ids::new();
    let mut processed = 0;
    for structure in structures(table, count.into()) {
        processed += 1;
        let Ok(structure) = structure else { continue };
        assert!((4..=255).contains(&structure.length()));
        for offset in 0..=structure.length() {
            if let Some(string) = structure.string(offset) {
                assert!(!string.is_empty() && !string.contains(&0) && string.len() < table.len());
            }
        }
        let _ = (Chassis::of(&structure), Processor::of(&structure), MemoryDevice::of(&structure));
        ids.take(&structure);
    }
    assert!(processed <= table.len() / 4 + 1);
    assert!(count == 0 || processed <= usize::from(count));
    assert!(ids.to_string().is_ascii());
    for (field, ..) in Field::ALL {
        let name = ids.get(field).and_then(|name| core::str::from_utf8(name).ok());
        assert!(name.is_none_or(|name| ids.contains(field, name)));
    }

    let anchor: &[u8] = [&b"_SM3_"[..], b"_SM_", b"_DMI_"][usize::from(anchor % 3)];
    let mut area = [0; 16].to_vec();
    area.extend(anchor);
    area.extend(table);
    // What does not fill 16 bytes at the end is not searched.
    area.resize(area.len().next_multiple_of(16), 0);
    let mut errors = 0;
    let found = search(&area, |_, error| {
        errors += 1;
        let _ = error.to_string();
    });
    if let Some((offset, entry)) = found {
        assert_eq!(EntryPoint::parse(&area[offset..]), Some(Ok(entry)));
        let _ = entry.to_string();
    } else {
        assert!(errors > 0, "an anchor is an entry point, or damaged");
    }
});
