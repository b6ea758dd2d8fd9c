//! Entries by their type: counts, walks and writes of one type, compared with a naive map.

use super::*;
use crate::store::config::WhenFull;
use crate::store::eviction::PolicyKind;
use crate::store::map::walk::ASKED;

/// Handles of the entries of a type, in windows of this size.
fn of_type(map: &Local, type_id: u32, window: usize) -> Vec<Handle> {
    let (mut steps, mut all, mut after) = (Vec::new(), Vec::new(), 0);
    loop {
        map.walk_of_type(type_id, after, window, &mut steps).unwrap();
        let Some(last) = steps.last() else { return all };
        after = last.sequence;
        all.extend(steps.iter().map(|step| step.handle));
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a list of operations, a few lines each")]
fn agrees_with_a_naive_map() {
    for (seed, shards) in [(1, 1), (2, 4), (3, 16)] {
        let store = Store::new(&Config { shards: Some(shards), seed: Some(seed), ..Config::default() }).unwrap();
        let map = store.join();
        let held: Vec<TypeHold> = ["A", "B", "C"].iter().map(|name| map.hold_type(name).unwrap()).collect();
        // Of each entry: its key, handle, type and value.
        let mut naive: Vec<(Option<u64>, Handle, u32, Vec<u8>)> = Vec::new();
        let (mut random, mut out) = (Random(seed), Vec::new());
        for round in 0..15_000_u64 {
            let at = format!("seed {seed}, round {round}");
            let number = random.below(300);
            let text = format!("key-{number}");
            let key = Key::string(&text);
            let length = if random.below(30) == 0 { 2_000 + random.below(200) } else { random.below(60) };
            let content = vec![(round % 251) as u8; length as usize];
            let value = bytes_value(&content);
            let type_id = held[random.below(3) as usize].id();
            let position = naive.iter().position(|(other, ..)| *other == Some(number));
            let has = position.map_or(0, |position| naive[position].2);
            match random.below(100) {
                0..30 => match map.set_of_type(key, type_id, value, Ttl::Default) {
                    Ok(written) => {
                        assert!(has == 0 || has == type_id, "{at}");
                        match position {
                            Some(position) => (naive[position].2, naive[position].3) = (type_id, content),
                            None => naive.push((Some(number), written.place.handle, type_id, content)),
                        }
                    }
                    Err(refused) => {
                        assert_eq!(refused, Error::WrongType { expected: type_id, found: has }, "{at}");
                        assert!(has != 0 && has != type_id, "{at}");
                    }
                },
                30..45 => {
                    let written = map.set(key, value, Ttl::Default).unwrap();
                    match position {
                        Some(position) => (naive[position].2, naive[position].3) = (0, content),
                        None => naive.push((Some(number), written.place.handle, 0, content)),
                    }
                }
                45..50 => {
                    let handle = map.insert(value, type_id, Ttl::Default).unwrap().place.handle;
                    naive.push((None, handle, type_id, content));
                }
                50..60 => {
                    let found = map.get_of_type(key, type_id, &mut out).unwrap();
                    assert_eq!(found.is_some(), position.is_some() && has == type_id, "{at}");
                    assert_eq!(map.has_of_type(key, type_id), Ok(found.is_some()), "{at}");
                    assert!(found.is_none_or(|_| position.is_some_and(|position| naive[position].3 == out)), "{at}");
                }
                60..75 => {
                    let is_own = position.is_some() && has == type_id;
                    assert_eq!(map.delete_of_type(key, type_id), Ok(is_own), "{at}");
                    if is_own {
                        naive.remove(position.unwrap());
                    }
                }
                75..80 => {
                    assert_eq!(map.update(key, value, Ttl::Default).unwrap().is_some(), position.is_some(), "{at}");
                    if let Some(position) = position {
                        naive[position].3 = content;
                    }
                }
                80..95 if !naive.is_empty() => {
                    let position = random.below(naive.len() as u64) as usize;
                    let (_, handle, has, old) = &mut naive[position];
                    match random.below(3) {
                        0 => {
                            map.replace(*handle, value, Ttl::Default).unwrap();
                            *old = content;
                        }
                        1 => {
                            let is_own = *has == type_id;
                            assert_eq!(map.delete_of_type(*handle, type_id), Ok(is_own), "{at}");
                            if is_own {
                                naive.remove(position);
                            }
                        }
                        _ => {
                            let written = map.set_of_type(*handle, type_id, value, Ttl::Default);
                            assert_eq!(written.is_ok(), *has == 0 || *has == type_id, "{at}");
                            if written.is_ok() {
                                (*has, *old) = (type_id, content);
                            }
                        }
                    }
                }
                95 if round % 20 == 0 => {
                    map.clear().unwrap();
                    naive.clear();
                }
                _ => {}
            }
            if round % 300 == 0 {
                for held in &held {
                    let own = naive.iter().filter(|&&(_, _, has, _)| has == held.id());
                    let expected: Vec<Handle> = own.map(|&(_, handle, ..)| handle).collect();
                    assert_eq!(map.len_of_type(held.id()), Ok(expected.len() as u64), "{at}");
                    let window = 1 + random.below(200) as usize;
                    assert_eq!(of_type(&map, held.id(), window), expected, "{at}");
                }
                assert_eq!(contents(&map, 100).len(), naive.len(), "{at}");
                assert_eq!(store.validate().unwrap(), [], "{at}");
            }
        }
        drop((held, map));
        store.destroy();
        // The last few names stay.
        assert_eq!(settled_bytes(&store), store.context.types.bytes() as u64, "seed {seed}");
    }
}

/// What is refused on the way, entries of other types evicted for it included, leaves every count right.
#[test]
fn churn_at_a_byte_limit_leaves_every_count_right() {
    for (seed, policy) in [(1, PolicyKind::Sieve), (2, PolicyKind::Fifo), (3, PolicyKind::Lru)] {
        let limit = 300_000;
        let config = Config {
            memory_limit_bytes: Some(limit),
            eviction: Some(policy),
            seed: Some(seed),
            shards: Some(2),
            manual_clock: true,
            ..Config::default()
        };
        let store = Store::new(&config).unwrap();
        let map = store.join();
        let mut random = Random(seed);
        for n in 0..40_000_u32 {
            let at = format!("seed {seed}, round {n}");
            let held = map.hold_type(&format!("type {}", random.below(40))).unwrap();
            let text = format!("{}", random.below(6_000));
            let length = if random.below(40) == 0 { random.below(4_000) } else { 20 + random.below(60) };
            let value = vec![7; length as usize];
            let ttl = if random.below(4) == 0 { Ttl::Of(1 + random.below(50)) } else { Ttl::Default };
            match random.below(8) {
                0 => drop(map.set(Key::string(&text), bytes_value(&value), ttl).unwrap()),
                1 => drop(map.insert(bytes_value(&value), held.id(), ttl).unwrap()),
                2 => drop(map.delete(Key::string(&text)).unwrap()),
                3 => drop(store.clock().advance(random.below(3))),
                _ => match map.set_of_type(Key::string(&text), held.id(), bytes_value(&value), ttl) {
                    Ok(_) | Err(Error::WrongType { .. }) => {}
                    Err(refused) => panic!("{at}: {refused:?}"),
                },
            }
            if n % 1_000 == 0 {
                let memory = store.stats().memory;
                assert!(memory.total <= limit, "{at}: {memory:?}");
                assert!(memory.types > 0 && memory.types < 60 * store.len() + 30_000, "{at}: {memory:?}");
                assert_eq!(store.validate().unwrap(), [], "{at}");
            }
        }
        map.clear().unwrap();
        assert_eq!(store.validate().unwrap(), [], "seed {seed}");
        drop(map);
        store.destroy();
        let names = store.context.types.bytes() as u64;
        assert_eq!(settled_bytes(&store), names, "seed {seed}: {:?}", store.stats().memory);
    }
}

/// A type of few entries among many is walked over without a look at the others, and an untyped map keeps nothing.
#[test]
fn a_walk_costs_what_the_type_has() {
    let store = Store::new(&Config { shards: Some(8), seed: Some(1), ..Config::default() }).unwrap();
    let map = store.join();
    for n in 0..50_000_u32 {
        map.set(Key::string(&n.to_string()), bytes_value(b"v"), Ttl::Default).unwrap();
    }
    assert_eq!(store.stats().memory.types, 0);
    let held = map.hold_type("few").unwrap();
    let names = store.stats().memory.types;
    let few: Vec<Handle> = (0..10_u32)
        .map(|n| {
            let text = (n * 4_999).to_string();
            map.set_of_type(Key::string(&text), held.id(), bytes_value(b"w"), Ttl::Default).unwrap().place.handle
        })
        .collect();
    ASKED.set(0);
    assert_eq!(of_type(&map, held.id(), 256), few);
    assert_eq!(ASKED.get(), 10, "each is asked for once");
    for handle in few {
        assert!(map.delete_of_type(handle, held.id()).unwrap());
    }
    let rest = store.stats().memory.types - names;
    assert!(rest <= 8 * 500, "{rest} bytes stay in 8 shards");
    assert_eq!(store.validate().unwrap(), []);
}

/// What is of another type is neither used nor counted as a hit.
#[test]
fn what_is_of_another_type_is_not_used() {
    let config = Config {
        max_entries: Some(2),
        eviction: Some(PolicyKind::Lru),
        shards: Some(1),
        ttl_ms: Some(100),
        sliding: Some(true),
        manual_clock: true,
        ..Config::default()
    };
    let store = Store::new(&config).unwrap();
    let map = store.join();
    let (a, b) = (map.hold_type("A").unwrap(), map.hold_type("B").unwrap());
    let (first, second, mut out) = (Key::string("first"), Key::string("second"), Vec::new());
    map.set_of_type(first, a.id(), bytes_value(b"1"), Ttl::Default).unwrap();
    map.set_of_type(second, a.id(), bytes_value(b"2"), Ttl::Default).unwrap();
    store.clock().advance(60);
    assert_eq!(map.get_of_type(first, b.id(), &mut out), Ok(None));
    assert!(map.get_of_type(second, a.id(), &mut out).unwrap().is_some());
    let operations = store.stats().operations;
    assert_eq!((operations.hits, operations.misses), (1, 1));
    store.clock().advance(60);
    // The first has not been prolonged, and goes.
    assert_eq!((map.has(first), map.has(second)), (Ok(false), Ok(true)));
    map.set(first, bytes_value(b"1"), Ttl::Default).unwrap();
    assert!(map.get_of_type(second, a.id(), &mut out).unwrap().is_some());
    map.set(Key::string("third"), bytes_value(b"3"), Ttl::Default).unwrap();
    assert_eq!((map.has(first), map.has(second)), (Ok(false), Ok(true)));
}

/// An entry that is refused for want of memory leaves no log of its type behind.
#[test]
fn what_is_refused_leaves_no_room_in_a_log() {
    let mut refused = 0;
    for filling in 0..40 {
        let config = Config {
            memory_limit_bytes: Some(70_000 + 64 * filling),
            when_full: Some(WhenFull::Reject),
            shards: Some(1),
            ..Config::default()
        };
        let store = Store::new(&config).unwrap();
        let map = store.join();
        let held = map.hold_type("late").unwrap();
        while map.insert(bytes_value(&[1; 1_000]), 0, Ttl::Default).is_ok() {}
        refused += u32::from(map.insert(bytes_value(&[2; 1_900]), held.id(), Ttl::Default).is_err());
        assert_eq!(store.validate().unwrap(), [], "filling {filling}");
    }
    assert!(refused > 0);
}
