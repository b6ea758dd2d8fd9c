//! What is said of the length of a probe, against words counted one by one, with tags that share a home, before, during
//! and after a migration.

use super::*;

/// Words that a look for a slot reads, the old table's first.
fn counted(index: &Index, tag: u32, slot: u32) -> usize {
    let tables = index.tables().unwrap();
    let mut looks = 0;
    for table in tables.old.iter().chain([&tables.current]) {
        let words = table.words();
        let mut position = table.home(tag);
        loop {
            looks += 1;
            let word = words[position].load(Ordering::Relaxed);
            if word == u64::from(tag) << 32 | u64::from(slot + 1) {
                return looks;
            }
            if word == EMPTY {
                break;
            }
            position = (position + 1) % words.len();
        }
    }
    panic!("slot {slot} is in no table")
}

#[test]
fn the_length_of_a_probe_is_what_a_reader_looks_at() {
    let memory = Arc::new(Memory::new(None));
    let (index, mut writer) = (Index::new(Simd::None), IndexWriter::new(0.8));
    // A few homes for many slots, at both ends of the table.
    let tag_of = |slot: u32| (slot % 61).wrapping_mul(0x0432_1234).wrapping_sub(slot % 7);
    let (mut replaced, mut longest, mut migrating) = (Vec::new(), 0, 0);
    for slot in 0..2_000 {
        writer.make_room(&index, &memory, &mut replaced).unwrap();
        writer.insert(&index, tag_of(slot), slot);
        replaced.extend(writer.step(&index));
        migrating += u32::from(index.is_migrating());
        for other in (0..=slot).step_by(97) {
            let tag = tag_of(other);
            let spot = index.spot(tag, |found| found == other).unwrap();
            let length = index.probe_length(tag, spot);
            assert_eq!(length, counted(&index, tag, other), "slot {other} of {slot}");
            longest = longest.max(length);
        }
    }
    assert!(longest > 20 && migrating > 50, "{longest}, {migrating}");
}
