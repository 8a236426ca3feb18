//! The log's ring against a queue of all that was said.

#![no_main]

use incipit_lib::ring::{Meta, Reader, Ring};
use libfuzzer_sys::fuzz_target;
use std::collections::VecDeque;

fn compare(ring: &Ring, said: &mut VecDeque<(u64, Vec<u8>)>) {
    while said.len() as u64 > ring.len() {
        said.pop_front();
    }
    assert_eq!(said.len() as u64, ring.len());
    for (record, (seq, text)) in ring.records().zip(said.iter()) {
        assert_eq!((record.seq, record.text), (*seq, &text[..]));
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((size, steps)) = data.split_first() else {
        return;
    };
    let mut buffers = [0_usize, 40, 90, 200].map(|more| vec![0xff; usize::from(*size) + more]);
    let mut buffers = buffers.iter_mut();
    let mut ring = Ring::empty();
    let mut said: VecDeque<(u64, Vec<u8>)> = VecDeque::new();
    let mut reader = Reader::new(0);
    for step in steps.chunks(2) {
        let text = vec![step[0]; usize::from(step.last().copied().unwrap_or(0) % 48)];
        match step[0] % 8 {
            0 => {
                if let Some(buffer) = buffers.next() {
                    let _ = ring.resize(buffer);
                }
            }
            1 | 2 => {
                let seq = ring.next_seq().wrapping_sub(1);
                let appended = ring.append(seq, &text);
                if let (true, Some((_, last))) = (appended, said.back_mut()) {
                    last.extend(&text);
                }
            }
            3 => {
                let expected = said.iter().find(|(seq, _)| *seq >= reader.seq());
                let read = ring.read(&mut reader).map(|read| (read.record.seq, read.record.text));
                assert_eq!(read, expected.map(|(seq, text)| (*seq, &text[..])));
            }
            _ => {
                let seq = ring.push(Meta::default(), &text);
                let kept = ring.get(seq).map_or(0, |record| record.text.len());
                assert!(kept == text.len().min(ring.max_text()) || text[0] & 0xc0 == 0x80);
                said.push_back((seq, text[..kept].to_vec()));
            }
        }
        compare(&ring, &mut said);
    }
});
