use super::*;
use std::collections::BTreeMap;

struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// Walks through all of a type, and what is checked of its log on the way.
fn check(logs: &TypeLogs, expected: &BTreeMap<(u32, u64), u32>, type_id: u32, random: &mut Random, at: &str) {
    let of_type: Vec<(u64, u32)> =
        expected.range((type_id, 0)..=(type_id, u64::MAX)).map(|(&(_, sequence), &slot)| (sequence, slot)).collect();
    assert_eq!(logs.len(type_id), of_type.len(), "{at}");
    let mut found = Vec::new();
    assert_eq!(logs.walk(type_id, 0, u64::MAX, &mut found), None, "{at}");
    assert_eq!(found, of_type, "{at}");
    for _ in 0..10 {
        let from = of_type.get(random.below(of_type.len() as u64 + 1) as usize).map_or(3, |&(sequence, _)| sequence);
        let (after, last) = (from.saturating_sub(random.below(3)), from + random.below(5_000));
        let within: Vec<_> = of_type.iter().copied().filter(|&(s, _)| s > after && s <= last).collect();
        let next = of_type.iter().map(|&(s, _)| s).find(|&s| s > after && s > last);
        found.clear();
        assert_eq!(logs.walk(type_id, after, last, &mut found), next, "{at}");
        assert_eq!(found, within, "{at}");
        let first = of_type.iter().map(|&(s, _)| s).find(|&s| s > after);
        assert_eq!(logs.first_after(type_id, after), first, "{at}");
    }
    if let Some(&(sequence, slot)) = of_type.get(random.below(of_type.len() as u64 + 1) as usize) {
        assert_eq!(logs.slot_of(type_id, sequence), Some(slot), "{at}");
        assert_eq!(logs.slot_of(type_id + 1_000, sequence), None, "{at}");
    }
}

fn segments(logs: &TypeLogs, expected: &BTreeMap<(u32, u64), u32>, at: &str) {
    let (mut place, mut total) = ((0, 0), 0);
    let is_there = |type_id, sequence, slot| expected.get(&(type_id, sequence)) == Some(&slot);
    while let Some(checked) = logs.check(&mut place, is_there) {
        total += checked.unwrap_or_else(|what| panic!("{at}: {what}"));
    }
    assert_eq!((total, logs.total()), (expected.len(), expected.len()), "{at}");
}

/// Compares with a sorted map: entries come at the end and in the middle, and go from anywhere.
#[test]
fn agrees_with_a_sorted_map() {
    // What comes at the end, of a hundred; how many go, of a hundred; how far sequences are apart.
    for (seed, at_end, go, apart) in
        [(1, 100, 30, 3), (2, 50, 45, 3), (3, 0, 30, 40), (4, 90, 49, 1 << 22), (5, 20, 20, 1 << 24), (6, 95, 48, 1)]
    {
        let memory = Arc::new(Memory::new(None));
        let mut logs = TypeLogs::new(&memory);
        let mut expected: BTreeMap<(u32, u64), u32> = BTreeMap::new();
        let (mut random, mut end) = (Random(seed), 3);
        for round in 0..20_000_u32 {
            let at = format!("seed {seed}, round {round}");
            // One type has most entries.
            let type_id = if random.below(4) == 0 { 1 + random.below(9) as u32 } else { 5 };
            if random.below(100) < go && !expected.is_empty() {
                let from = (1 + random.below(9) as u32, random.below(end));
                let key = *expected.range(from..).next().unwrap_or_else(|| expected.iter().next().unwrap()).0;
                expected.remove(&key);
                logs.remove(key.0, key.1);
            } else {
                let sequence = if random.below(100) < at_end {
                    end += 1 + random.below(apart);
                    end
                } else {
                    1 + random.below(end)
                };
                if expected.contains_key(&(type_id, sequence)) {
                    continue;
                }
                logs.make_room(type_id, sequence).unwrap();
                if random.below(20) == 0 {
                    logs.tidy(type_id, sequence);
                } else {
                    logs.add(type_id, sequence, round);
                    expected.insert((type_id, sequence), round);
                }
            }
            if round % 1_000 == 0 {
                assert_eq!((logs.held.bytes(), memory.total()), (logs.bytes(), logs.bytes() as u64), "{at}");
                check(&logs, &expected, type_id, &mut random, &at);
                segments(&logs, &expected, &at);
            }
        }
        for (type_id, sequence) in expected.into_keys() {
            logs.remove(type_id, sequence);
        }
        assert_eq!((logs.total(), logs.logs.len()), (0, 0), "seed {seed}");
        assert!(logs.bytes() <= boxes::FIRST_PLACES * size_of::<(u32, Log)>() * 2, "seed {seed}");
        drop(logs);
        assert_eq!(memory.total(), 0, "seed {seed}");
    }
}

#[test]
fn an_entry_takes_eight_bytes_and_what_stays_is_three_eighths_full() {
    let memory = Arc::new(Memory::new(None));
    let mut logs = TypeLogs::new(&memory);
    for sequence in 1..=100_000 {
        logs.make_room(1, sequence).unwrap();
        logs.add(1, sequence, sequence as u32);
    }
    assert!(logs.bytes() < 9 * 100_000, "{} bytes", logs.bytes());
    let mut random = Random(7);
    for sequence in 1..=100_000 {
        if random.below(10) > 0 {
            logs.remove(1, sequence);
        }
    }
    let (left, cells) = (logs.len(1), logs.bytes());
    assert!(cells < left * 8 * 8 / 3 + 50_000, "{cells} bytes for {left} entries");
}

#[test]
fn a_refusal_changes_nothing() {
    let memory = Arc::new(Memory::new(Some(4_000)));
    let mut logs = TypeLogs::new(&memory);
    let mut sequence = 0;
    let refused = loop {
        sequence += 1;
        let type_id = (sequence % 7) as u32 + 1;
        let before = logs.total();
        match logs.make_room(type_id, sequence) {
            Ok(()) => logs.add(type_id, sequence, 0),
            Err(refused) => break (refused, before == logs.total()),
        }
    };
    assert!(matches!(refused, (Error::MemoryLimit { .. }, true)), "{refused:?}");
    assert_eq!((logs.held.bytes(), memory.total()), (logs.bytes(), logs.bytes() as u64));
    // One more type does not fit either.
    let (types, bytes) = (logs.logs.len(), logs.bytes());
    memory.set_limit(Some(bytes as u64));
    assert!(logs.make_room(99, 1_000_000).is_err());
    assert_eq!((logs.logs.len(), logs.bytes(), logs.len(99)), (types, bytes, 0));
}
