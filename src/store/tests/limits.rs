//! Byte and entry limits: they hold, and what they refuse changes nothing.

use super::*;

fn rejecting() -> Config {
    Config { when_full: Some(WhenFull::Reject), ..Config::default() }
}

#[test]
fn the_parts_add_up_to_the_total() {
    let store = Store::new(&Config::default()).unwrap();
    let map = store.join();
    for n in 0..5_000_u32 {
        map.set(Key::string(&n.to_string()), bytes_value(&vec![0; n as usize % 4_000]), Ttl::Default).unwrap();
    }
    let memory = store.stats().memory;
    let parts = memory.entries
        + memory.index
        + memory.slab
        + memory.words
        + memory.order
        + memory.fixed
        + memory.policy
        + memory.expiry;
    assert_eq!(memory.total, parts);
    assert!(memory.live <= memory.entries && memory.live > 5_000 * 1_600);
}

#[test]
fn a_refused_write_changes_nothing() {
    let limit = 2 << 20;
    let store = Store::new(&Config { memory_limit_bytes: Some(limit), ..rejecting() }).unwrap();
    let map = store.join();
    let mut random = Random(3);
    let mut refused = 0;
    let mut out = Vec::new();
    for n in 0..30_000_u32 {
        let content = vec![n as u8; random.below(if n % 50 == 0 { 100_000 } else { 300 }) as usize];
        let key = n.to_string();
        let before = (map.len(), contents(&map, 500).len());
        match map.set(Key::string(&key), bytes_value(&content), Ttl::Default) {
            Ok(_) => assert_eq!(map.len(), before.0 + 1),
            Err(Error::MemoryLimit { limit_bytes, .. }) => {
                refused += 1;
                assert_eq!(limit_bytes, limit);
                assert_eq!(map.len(), before.0);
                assert_eq!(map.get(Key::string(&key), &mut out), Ok(None));
            }
            Err(other) => panic!("{other}"),
        }
        assert!(store.stats().memory.total <= limit);
        if refused > 300 {
            break;
        }
    }
    assert!(refused > 300);
    // An update that does not fit leaves the old value.
    let key = contents(&map, 10)[0].1.clone();
    let key = Key::new(KeyKind::String, &key);
    map.get(key, &mut out).unwrap();
    let old = out.clone();
    assert!(map.set(key, bytes_value(&vec![1; limit as usize]), Ttl::Default).is_err());
    map.get(key, &mut out).unwrap();
    assert_eq!(out, old);
    // What was cleared is there again at once.
    for _ in 0..20 {
        map.clear().unwrap();
        for n in 0..200 {
            map.set(Key::string(&n.to_string()), bytes_value(&[7; 4_000]), Ttl::Default).unwrap();
        }
    }
}

#[test]
fn the_limit_on_entries_counts_all_threads() {
    let store = Store::new(&Config { max_entries: Some(1_000), ..rejecting() }).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let map = store.join();
            scope.spawn(move || {
                for n in 0..1_000 {
                    match map.set(Key::string(&format!("{thread}-{n}")), bytes_value(b"v"), Ttl::Default) {
                        Ok(_) => {}
                        Err(error) => assert_eq!(error, Error::EntryLimit { limit: 1_000 }),
                    }
                }
            });
        }
    });
    assert_eq!(store.len(), 1_000);
    let map = store.join();
    let key = contents(&map, 10)[0].1.clone();
    assert!(map.delete(Key::new(KeyKind::String, &key)).unwrap());
    map.set(Key::string("new"), bytes_value(b"v"), Ttl::Default).unwrap();
    assert!(map.insert(bytes_value(b"v"), 0, Ttl::Default).is_err());
}

#[test]
fn overhead_per_entry_stays_within_its_budget() {
    let store = Store::new(&Config::default()).unwrap();
    let map = store.join();
    let entries = 240_000_u64;
    let mut data = 0;
    for n in 0..entries {
        let (key, value) = (format!("user:{n}"), r#"{"host":"localhost","port":8080}"#);
        data += key.len() + value.len();
        map.set(Key::string(&key), Value::json(value), Ttl::Default).unwrap();
    }
    let overhead = (store.stats().memory.total - data as u64) / entries;
    assert!(overhead <= 64, "{overhead} bytes an entry: {:?}", store.stats().memory);
}

#[test]
fn room_that_was_reserved_is_there_and_goes_when_asked() {
    let store = Store::new(&Config { initial_capacity: Some(10_000), ..Config::default() }).unwrap();
    let map = store.join();
    let capacity = store.stats().all.index.capacity;
    assert!(capacity as f64 * store.config().max_load_factor.unwrap() >= 10_000.0);
    for n in 0..10_000_u32 {
        map.set(Key::string(&n.to_string()), bytes_value(b"v"), Ttl::Default).unwrap();
    }
    assert_eq!(store.stats().all.index.capacity, capacity, "it grew all the same");
    for n in 100..10_000_u32 {
        map.delete(Key::string(&n.to_string())).unwrap();
    }
    assert_eq!(store.stats().all.index.capacity, capacity, "it shrank below what was reserved");
    store.shrink_to_fit().unwrap();
    let index = store.stats().memory.index;
    for _ in 0..10 {
        for n in 0..100_u32 {
            map.set(Key::string(&n.to_string()), bytes_value(b"w"), Ttl::Default).unwrap();
        }
    }
    assert!(store.stats().all.index.capacity < 1_000 && store.stats().memory.index <= index);
    assert_eq!(contents(&map, 64).len(), 100);
    // Room that does not fit under the limit is refused.
    let small = Store::new(&Config { memory_limit_bytes: Some(1 << 20), ..Config::default() }).unwrap();
    assert!(matches!(small.reserve(10_000_000), Err(Error::MemoryLimit { .. })));
}

#[test]
fn memory_that_was_freed_here_and_there_is_given_back() {
    let store = Store::new(&Config { shards: Some(1), ..Config::default() }).unwrap();
    let map = store.join();
    let mut handles = Vec::new();
    for n in 0..40_000_u32 {
        map.set(Key::string(&format!("key-{n}")), bytes_value(&n.to_le_bytes()), Ttl::Default).unwrap();
        handles.push(map.insert(bytes_value(&n.to_le_bytes()), 3, Ttl::Default).unwrap().place.handle);
    }
    let full = store.stats().memory.entries;
    for n in (0..40_000_u32).filter(|n| n % 5 != 0) {
        assert!(map.delete(Key::string(&format!("key-{n}"))).unwrap());
        assert!(map.delete(handles[n as usize]).unwrap());
    }
    let memory = store.stats().memory;
    assert!(memory.entries * 2 < full, "{} of {full} bytes for a fifth of the entries", memory.entries);
    store.shrink_to_fit().unwrap();
    for _ in 0..1_000 {
        map.set(Key::string("key-0"), bytes_value(&0_u32.to_le_bytes()), Ttl::Default).unwrap();
    }
    let memory = store.stats().memory;
    assert!(memory.entries < memory.live + memory.live / 4 + (128 << 10), "{memory:?}");
    let mut out = Vec::new();
    for n in (0..40_000_u32).step_by(5) {
        assert!(map.get(Key::string(&format!("key-{n}")), &mut out).unwrap().is_some(), "key {n}");
        assert_eq!(out, n.to_le_bytes());
        let found = map.get(handles[n as usize], &mut out).unwrap();
        assert_eq!((found.map(|found| found.type_id), out.as_slice()), (Some(3), &n.to_le_bytes()[..]));
    }
}
