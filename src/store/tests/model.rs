//! Random operations, compared with a naive map after each.

use super::*;
use std::collections::HashMap;

/// The naive map: a vector in insertion order.
#[derive(Default)]
struct Naive {
    entries: Vec<(Option<u64>, Handle, Vec<u8>)>,
    dead: Vec<Handle>,
    /// Each key as it was spelled when its entry was made.
    spelled: HashMap<u64, String>,
}

impl Naive {
    fn position(&self, key: u64) -> Option<usize> {
        self.entries.iter().position(|(other, ..)| *other == Some(key))
    }

    fn remove(&mut self, position: usize) -> Vec<u8> {
        let (_, handle, value) = self.entries.remove(position);
        self.dead.push(handle);
        value
    }
}

#[test]
fn agrees_with_a_naive_map() {
    for (seed, shards) in [(1, 1), (2, 4), (3, 16), (4, 1), (5, 2), (6, 8)] {
        let config = Config { shards: Some(shards), simd: Some(seed % 2 == 1), ..Config::default() };
        run(seed, &config);
    }
}

#[test]
fn agrees_with_a_naive_map_whatever_hashes_its_keys_and_however_they_are_spelled() {
    for (seed, (_, algorithm)) in (1..).zip(Algorithm::NAMES) {
        for ignores_case in [false, true] {
            let config = Config { hash: Some(algorithm), ignores_case: Some(ignores_case), ..Config::default() };
            run(seed, &Config { shards: Some(2), ..config });
        }
    }
}

/// A spelling of a key: some have another length in bytes than others.
fn spell(number: u64, random: &mut Random) -> String {
    let first = ["k", "K", "\u{212a}"][random.below(3) as usize];
    let last = ["ey", "EY", "eY"][random.below(3) as usize];
    format!("{first}{last}-{number}")
}

fn run(seed: u64, config: &Config) {
    let store = Store::new(&Config { seed: Some(seed), ..config.clone() }).unwrap();
    let ignores_case = config.ignores_case == Some(true);
    let map = store.join();
    let mut random = Random(seed);
    let mut naive = Naive::default();
    let mut out = Vec::new();
    for round in 0..20_000 {
        let at = format!("seed {seed}, round {round}");
        let number = random.below(150 + round / 20);
        let text = if ignores_case { spell(number, &mut random) } else { format!("key-{number}") };
        let key = Key::string(&text);
        let mut length = if random.below(50) == 0 { random.below(9_000) } else { random.below(60) };
        if ignores_case && random.below(8) == 0 {
            // Small by one spelling of its key, and large by another.
            length = 2_025 + random.below(20);
        }
        let mut content = vec![(round % 251) as u8; length as usize];
        // One in three is a record; its shape may be that of many, or of none yet.
        let is_record = random.below(3) == 0;
        if is_record {
            let shape = map.publish_shape(&format!("shape {}", random.below(300))).unwrap().unwrap();
            content = record(shape, &content);
        }
        let value = if is_record { shaped(&content) } else { bytes_value(&content) };
        match random.below(100) {
            0..35 => {
                let written = map.set(key, value, Ttl::Default).unwrap();
                let handle = written.place.handle;
                if let Some(position) = naive.position(number) {
                    assert!(written.replaced && naive.entries[position].1 == handle, "{at}");
                    naive.entries[position].2 = content;
                } else {
                    naive.entries.push((Some(number), handle, content));
                    naive.spelled.insert(number, text.clone());
                }
            }
            35..40 => {
                let written = map.insert(value, 0, Ttl::Default).unwrap();
                naive.entries.push((None, written.place.handle, content));
            }
            40..60 => {
                let found = map.get(key, &mut out).unwrap();
                let expected = naive.position(number).map(|position| &naive.entries[position]);
                assert_eq!(found.map(|found| found.place.handle), expected.map(|entry| entry.1), "{at}");
                assert!(expected.is_none_or(|entry| entry.2 == out), "{at}");
            }
            60..75 => {
                let position = naive.position(number);
                let removed = map.remove(key, &mut out).unwrap();
                assert_eq!(removed.is_some(), position.is_some(), "{at}");
                if let Some(position) = position {
                    assert_eq!(naive.remove(position), out, "{at}");
                }
            }
            75..85 if !naive.entries.is_empty() => {
                let position = random.below(naive.entries.len() as u64) as usize;
                let handle = naive.entries[position].1;
                assert!(map.get(handle, &mut out).unwrap().is_some(), "{at}");
                assert_eq!(out, naive.entries[position].2, "{at}");
                if random.below(2) == 0 {
                    assert!(map.replace(handle, value, Ttl::Default).unwrap().replaced, "{at}");
                    naive.entries[position].2 = content;
                } else {
                    assert!(map.delete(handle).unwrap(), "{at}");
                    naive.remove(position);
                }
            }
            85..95 if !naive.dead.is_empty() => {
                let handle = naive.dead[random.below(naive.dead.len() as u64) as usize];
                assert_eq!(map.get(handle, &mut out), Ok(None), "{at}");
                assert!(
                    matches!(map.replace(handle, value, Ttl::Default).unwrap_err().code(), 1001 | 1003 | 1004),
                    "{at}"
                );
                assert!(!map.delete(handle).unwrap(), "{at}");
            }
            95 if round % 3 == 0 => {
                map.clear().unwrap();
                let cleared = naive.entries.drain(..).map(|(_, handle, _)| handle);
                naive.dead.extend(cleared);
            }
            _ => {}
        }
        assert_eq!(map.len(), naive.entries.len() as u64, "{at}");
        if round % 500 == 0 {
            let expected: Vec<_> = naive.entries.iter().map(|(_, _, value)| value.clone()).collect();
            let window = 1 + random.below(200) as usize;
            let (mut keys, mut found) = (Vec::new(), Vec::new());
            for (kind, key, value) in contents(&map, window) {
                keys.push((kind != KeyKind::Keyless).then(|| String::from_utf8(key).unwrap()));
                found.push(value);
            }
            assert_eq!(found, expected, "{at}");
            let spelled = |number: &Option<u64>| number.map(|number| naive.spelled[&number].clone());
            assert_eq!(keys, naive.entries.iter().map(|(number, ..)| spelled(number)).collect::<Vec<_>>(), "{at}");
        }
    }
    assert_eq!(store.validate().unwrap(), [], "seed {seed}");
    drop(map);
    store.destroy();
    assert_eq!(settled_bytes(&store), 0, "seed {seed}");
}

#[test]
fn a_version_changes_with_every_write_and_never_otherwise() {
    let store = Store::new(&Config::default()).unwrap();
    let map = store.join();
    let mut out = Vec::new();
    let set = || map.set(Key::string("k"), bytes_value(b"1"), Ttl::Default).unwrap().place;
    let place = set();
    let first = place.stamp.unwrap();
    let words = map.words(first.chunk()).unwrap();
    // SAFETY: the words live as long as the `Arc`, and no thread writes meanwhile.
    let current = || unsafe { words.ptr().add(first.word() as usize).read_volatile() };
    assert_eq!(current(), first.version());
    assert_eq!(map.get(Key::string("k"), &mut out).unwrap().unwrap().place, place);
    assert_eq!(current(), first.version());
    let second = set().stamp.unwrap();
    assert_ne!(second.version(), first.version());
    assert_eq!((second.chunk(), second.word()), (first.chunk(), first.word()));
    map.delete(Key::string("k")).unwrap();
    assert_ne!(current(), second.version());
    let third = set();
    map.clear().unwrap();
    assert_eq!(current(), 0);
    assert_eq!(map.check(third.handle), Err(Error::HandleInvalidated));
}

#[test]
fn forged_handles_find_nothing() {
    let store = Store::new(&Config { shards: Some(2), ..Config::default() }).unwrap();
    let map = store.join();
    let real = map.insert(bytes_value(b"v"), 0, Ttl::Default).unwrap().place.handle;
    let mut out = Vec::new();
    for shard in [real.shard, 1 - real.shard, 2, u32::MAX] {
        for slot in [real.slot, 31, 32, 4_095, 4_096, u32::MAX] {
            for generation in [real.generation, 0, real.generation + 1, u32::MAX] {
                let handle = Handle { shard, slot, generation };
                if handle != real {
                    assert_eq!(map.get(handle, &mut out), Ok(None), "{handle:?}");
                    assert!(map.check(handle).is_err(), "{handle:?}");
                    assert!(map.replace(handle, bytes_value(b"w"), Ttl::Default).is_err(), "{handle:?}");
                    assert_eq!(map.delete(handle), Ok(false), "{handle:?}");
                }
            }
        }
    }
    assert!(map.get(real, &mut out).unwrap().is_some());
    assert_eq!(out, b"v");
}

#[test]
fn a_panic_under_a_lock_breaks_the_map_and_nothing_else() {
    let store = Store::new(&Config::default()).unwrap();
    let map = store.join();
    map.set(Key::string("k"), bytes_value(b"v"), Ttl::Default).unwrap();
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| map.panic_for_test()));
    assert!(panicked.is_err());
    let mut out = Vec::new();
    assert_eq!(map.get(Key::string("k"), &mut out), Err(Error::Broken));
    assert_eq!(map.set(Key::string("k"), bytes_value(b"w"), Ttl::Default).err(), Some(Error::Broken));
    assert_eq!(map.clear(), Err(Error::Broken));
}
