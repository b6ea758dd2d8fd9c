//! Records: their shapes are known as long as an entry has them, whichever way entries come and go.

use std::collections::HashMap;

use super::super::eviction::PolicyKind;
use super::super::shard::Damage;
use super::*;
use crate::store::entry::shapes::MOST_PLACES;
use crate::store::platform::fallible::failures::refuse_nth;

fn publish(map: &Local, definition: &str) -> u32 {
    map.publish_shape(definition).unwrap().unwrap()
}

/// Known shapes, and values that are records.
fn counts(store: &Store) -> (u64, u64) {
    let shapes = store.stats().shapes;
    assert_eq!(store.validate().unwrap(), []);
    (shapes.count, shapes.values)
}

/// Places of the tables here, the first of which has no shape.
const PLACES: usize = 60;

/// A map with few places for shapes.
fn new(config: &Config) -> Arc<Store> {
    MOST_PLACES.set(PLACES);
    Store::new(config).unwrap()
}

/// Whether a shape has a user: the table is filled with others until each without one has gone.
fn is_used(map: &Local, number: u32) -> bool {
    for n in 0..2 * PLACES {
        _ = map.publish_shape(&format!("filler {n}")).unwrap();
    }
    map.shape(number).unwrap().is_some()
}

#[test]
fn a_shape_is_known_from_its_first_entry_to_its_last() {
    type Way = (&'static str, fn(&Local, Handle));
    let ways: [Way; 7] = [
        ("delete", |map, handle| assert_eq!(map.delete(handle), Ok(true))),
        ("a value of another kind", |map, handle| _ = map.replace(handle, Value::json("1"), Ttl::Default).unwrap()),
        ("a record of another shape", |map, handle| {
            let other = record(publish(map, "other"), b"");
            map.replace(handle, shaped(&other), Ttl::Default).unwrap();
        }),
        ("clear", |map, _| map.clear().unwrap()),
        ("evict", |map, _| assert_eq!(map.evict(9), Ok(1))),
        ("evict one", |map, handle| assert_eq!(map.evict_entry(handle), Ok(true))),
        ("expire", |map, handle| {
            map.touch(handle, Ttl::Of(5)).unwrap();
            map.store().clock().advance(6);
            assert_eq!(map.purge_expired(), Ok(1));
        }),
    ];
    for (way, leave) in ways {
        for is_keyless in [false, true] {
            let config = Config { shards: Some(2), manual_clock: true, max_entries: Some(100), ..Config::default() };
            let store = new(&config);
            let map = store.join();
            let number = publish(&map, "the shape");
            let value = record(number, b"fields");
            let written = if is_keyless {
                map.insert(shaped(&value), 0, Ttl::Default).unwrap()
            } else {
                map.set(Key::string("k"), Value::json("0"), Ttl::Default).unwrap();
                map.set(Key::string("k"), shaped(&value), Ttl::Default).unwrap()
            };
            assert_eq!(map.replace(written.place.handle, shaped(&value), Ttl::Default).map(|w| w.replaced), Ok(true));
            assert_eq!(counts(&store), (1, 1), "{way}");
            assert!(is_used(&map, number), "{way}: the shape of an entry is gone");
            leave(&map, written.place.handle);
            assert_eq!(store.validate().unwrap(), [], "{way}");
            assert!(!is_used(&map, number), "{way}: the place is not free again");
            let mut out = Vec::new();
            assert!(
                map.get(Key::string("k"), &mut out)
                    .unwrap()
                    .is_none_or(|found| out != value || found.kind != ValueKind::Shaped)
            );
            assert_eq!(map.set(Key::string("k"), shaped(&value), Ttl::Default), Err(Error::ShapeGone), "{way}");
            assert_eq!(map.insert(shaped(&value), 0, Ttl::Default), Err(Error::ShapeGone), "{way}");
            assert_eq!(store.validate().unwrap(), [], "{way}");
        }
    }
}

#[test]
fn a_bare_array_of_numbers_needs_no_shape() {
    let store = new(&Config::default());
    let map = store.join();
    map.set(Key::string("k"), shaped(&record(0, &[1; 800])), Ttl::Default).unwrap();
    map.insert(shaped(&record(0, &[])), 0, Ttl::Default).unwrap();
    assert_eq!((counts(&store), map.shape(0), map.hold_shape(0).unwrap().is_none()), ((0, 2), Ok(None), true));
    map.set(Key::string("k"), Value::json("1"), Ttl::Default).unwrap();
    assert_eq!(counts(&store), (0, 1));
    map.clear().unwrap();
    assert_eq!(counts(&store), (0, 0));
}

#[test]
fn what_is_no_record_is_refused_and_a_forged_shape_is_gone() {
    let store = new(&Config { shards: Some(1), ..Config::default() });
    let map = store.join();
    let known = publish(&map, "known");
    let handle = map.insert(Value::json("1"), 0, Ttl::Default).unwrap().place.handle;
    for bytes in [&[][..], &[0x80], &[0xff; 5], &[0x80; 9]] {
        for refused in [
            map.set(Key::string("k"), shaped(bytes), Ttl::Default).map(drop),
            map.insert(shaped(bytes), 0, Ttl::Default).map(drop),
            map.replace(handle, shaped(bytes), Ttl::Default).map(drop),
        ] {
            assert!(matches!(refused, Err(Error::InvalidOption { option: "value", .. })), "{bytes:?}: {refused:?}");
        }
    }
    for number in [known + 1, known + 4_096, 4_095, 4_096, 1 << 20, u32::MAX] {
        let bytes = record(number, b"");
        assert_eq!(map.set(Key::string("k"), shaped(&bytes), Ttl::Default), Err(Error::ShapeGone), "{number}");
        assert_eq!(map.replace(handle, shaped(&bytes), Ttl::Default), Err(Error::ShapeGone), "{number}");
        assert!(map.shape(number).unwrap().is_none() && map.hold_shape(number).unwrap().is_none());
    }
    assert_eq!((counts(&store), map.len()), ((1, 0), 1));
    let before = store.stats().memory.shapes;
    store.destroy();
    assert!(store.stats().memory.shapes < before && store.context.shapes.publish("late") == Ok(None));
    assert_eq!((map.publish_shape("more"), map.shape(known)), (Err(Error::Closed), Err(Error::Closed)));
    assert_eq!(map.hold_shape(known).map(drop), Err(Error::Closed));
}

#[test]
fn a_held_shape_is_known_and_so_is_that_of_the_record_removed_last() {
    let store = new(&Config { shards: Some(1), ..Config::default() });
    let map = store.join();
    let (held, removed) = (publish(&map, "held"), publish(&map, "removed"));
    let hold = map.hold_shape(held).unwrap().unwrap();
    map.set(Key::string("k"), shaped(&record(removed, b"")), Ttl::Default).unwrap();
    let mut out = Vec::new();
    assert!(map.remove(Key::string("k"), &mut out).unwrap().is_some());
    assert!(is_used(&map, held) && is_used(&map, removed));
    assert_eq!(store.validate().unwrap(), []);
    map.set(Key::string("k"), shaped(&record(held, b"")), Ttl::Default).unwrap();
    drop(hold);
    assert!(is_used(&map, held));
    map.remove(Key::string("k"), &mut out).unwrap().unwrap();
    assert!(!is_used(&map, removed) && is_used(&map, held));
}

#[test]
fn the_shape_of_a_removal_is_known_until_its_listener_drops_it() {
    struct Deaf;
    impl Wake for Deaf {
        fn wake(&self) {}
    }
    let store = new(&Config { shards: Some(1), ..Config::default() });
    let map = store.join();
    let causes = Cause::ALL.into_iter().fold(0, |causes, cause| causes | cause.bit());
    let audience = store.watch_removals(causes, Arc::new(Deaf));
    let numbers: Vec<u32> = ["replaced", "deleted", "cleared"].map(|text| publish(&map, text)).into();
    map.set(Key::string("a"), shaped(&record(numbers[0], b"")), Ttl::Default).unwrap();
    map.set(Key::string("a"), shaped(&record(numbers[1], b"")), Ttl::Default).unwrap();
    map.delete(Key::string("a")).unwrap();
    map.set(Key::string("a"), shaped(&record(numbers[2], b"")), Ttl::Default).unwrap();
    map.clear().unwrap();
    let mut told = Vec::new();
    for &number in &numbers {
        assert!(is_used(&map, number));
    }
    audience.take(9, 1 << 20, &mut told);
    assert!(is_used(&map, numbers[1]) && told.len() == 3);
    assert_eq!(store.validate().unwrap(), []);
    drop(told);
    assert!(!is_used(&map, numbers[1]));
}

#[test]
fn a_full_map_evicts_entries_for_a_shape() {
    for seed in 1..=4 {
        let limit = 600_000;
        let config = Config {
            memory_limit_bytes: Some(limit),
            eviction: Some(PolicyKind::Sieve),
            shards: Some(2),
            seed: Some(seed),
            ..Config::default()
        };
        let store = Store::new(&config).unwrap();
        let map = store.join();
        let fill = |from: u32, to: u32| {
            for n in from..to {
                map.set(Key::string(&n.to_string()), bytes_value(&[7; 200]), Ttl::Default).unwrap();
            }
        };
        fill(0, 6_000);
        let mut holds = Vec::new();
        for n in 0..100_u32 {
            let definition = format!("{n:0200}");
            if let Some(number) = map.publish_shape(&definition).unwrap() {
                assert_eq!(map.shape(number).unwrap().as_deref(), Some(&*definition));
                holds.push(map.hold_shape(number).unwrap());
            }
            fill(n * 60, n * 60 + 100);
            assert!(store.memory_bytes() <= limit);
        }
        assert!(holds.len() >= 95, "seed {seed}: {} of 100 shapes found room", holds.len());
        assert_eq!(counts(&store).0, holds.len() as u64);
    }
}

#[test]
fn a_full_map_that_evicts_nothing_goes_without_a_shape() {
    let config = Config { memory_limit_bytes: Some(600_000), when_full: Some(WhenFull::Reject), ..Config::default() };
    let store = Store::new(&config).unwrap();
    let map = store.join();
    for n in 0..1_000_u32 {
        map.set(Key::string(&n.to_string()), bytes_value(&[7; 200]), Ttl::Default).unwrap();
    }
    let full = Limits { memory_limit_bytes: Some(Some(store.memory_bytes())), ..Limits::default() };
    store.set_limits(&full).unwrap();
    assert_eq!((map.publish_shape("one more"), counts(&store)), (Ok(None), (0, 0)));
    assert_eq!(map.len(), 1_000);
}

#[test]
fn every_count_of_a_shard_is_checked() {
    let store = new(&Config { shards: Some(1), ..Config::default() });
    let map = store.join();
    let numbers = ["a", "b"].map(|definition| publish(&map, definition));
    for n in 0..100_u32 {
        let value = record(numbers[n as usize % 2], b"");
        map.set(Key::string(&n.to_string()), shaped(&value), Ttl::Default).unwrap();
    }
    assert_eq!(counts(&store), (2, 100));
    store.all_shards()[0].damage(&store.context, 40, Damage::Shape);
    let problems = store.validate().unwrap();
    for what in ["the number of records is not what there are", "the shapes are not those of the entries"] {
        assert!(problems.contains(&Problem { shard: Some(0), slot: None, what: what.to_owned() }), "{problems:?}");
    }
}

/// Each allocation that a write of a new shape needs fails in turn.
#[test]
fn whatever_allocation_fails_the_counts_are_right() {
    let store = new(&Config { shards: Some(1), seed: Some(1), ..Config::default() });
    let map = store.join();
    let mut refusals = 0;
    for n in 0..60_u32 {
        let text = format!("key-{}", n % 40);
        for step in 0..4 {
            for nth in 1.. {
                let definition = format!("shape {n}");
                let ((), was_refused) = refuse_nth(nth, || {
                    let Ok(Some(number)) = map.publish_shape(&definition) else { return };
                    let value = record(number, &vec![0; if n % 10 == 0 { 4_000 } else { 20 }]);
                    let written = match step {
                        0 => map.set(Key::string(&text), shaped(&value), Ttl::Default).map(drop),
                        // Its first deadline, and another shape.
                        1 => map.set(Key::string(&text), shaped(&record(0, b"")), Ttl::Of(1_000_000)).map(drop),
                        2 => map.insert(shaped(&value), 0, Ttl::Default).map(drop),
                        _ => map.remove(Key::string(&text), &mut Vec::new()).map(drop),
                    };
                    assert!(matches!(written, Ok(()) | Err(Error::OutOfMemory { .. })), "{written:?}");
                });
                assert_eq!(store.validate().unwrap(), [], "shape {n}, step {step}, allocation {nth}");
                if !was_refused {
                    break;
                }
                refusals += 1;
            }
        }
    }
    assert!(refusals > 100, "{refusals}");
    map.clear().unwrap();
    assert_eq!(counts(&store).1, 0);
    assert_eq!(settled_bytes(&store), 0, "{:?}", store.stats().memory);
}

/// Threads publish, write and remove, with more shapes than there are places, while the map is cleared.
#[test]
fn threads_that_write_records_find_the_shape_of_each() {
    const SHAPES: u64 = 3 * PLACES as u64;
    let seed = 7;
    let store = new(&Config { shards: Some(4), max_entries: Some(2_000), ..Config::default() });
    let rounds = if cfg!(any(tsan, miri)) { 1_000 } else { 20_000 };
    std::thread::scope(|scope| {
        for thread in 0..3 {
            let map = store.join();
            scope.spawn(move || {
                let (mut random, mut out) = (Random(seed + thread), Vec::new());
                let mut known: HashMap<u64, u32> = HashMap::new();
                for round in 0..rounds {
                    let at = format!("seed {seed}, thread {thread}, round {round}");
                    let shape = random.below(SHAPES);
                    let key_text = random.below(500).to_string();
                    let key = Key::string(&key_text);
                    match random.below(20) {
                        0..10 => {
                            let definition = format!("shape {shape}");
                            // What a thread remembers may be gone.
                            let number = known.get(&shape).copied().or_else(|| map.publish_shape(&definition).unwrap());
                            let Some(number) = number else { continue };
                            let value = record(number, &shape.to_le_bytes());
                            let written = map.set(key, shaped(&value), Ttl::Default);
                            match written {
                                Ok(_) => _ = known.insert(shape, number),
                                Err(Error::ShapeGone) => _ = known.remove(&shape),
                                Err(other) => panic!("{at}: {other}"),
                            }
                        }
                        10..12 => _ = map.insert(Value::json("1"), 0, Ttl::Default).unwrap(),
                        12..14 => _ = map.delete(key).unwrap(),
                        14 => {
                            let Some(hold) = known.get(&shape).and_then(|&number| map.hold_shape(number).unwrap())
                            else {
                                continue;
                            };
                            for n in 0..4 {
                                let value = record(hold.number(), &shape.to_le_bytes());
                                let key = format!("{n}{key_text}");
                                map.set(Key::string(&key), shaped(&value), Ttl::Default).expect(&at);
                            }
                        }
                        15 if random.below(300) == 0 => map.clear().unwrap(),
                        16 => {
                            if map.remove(key, &mut out).unwrap().is_some_and(|found| found.kind == ValueKind::Shaped) {
                                assert_eq!(*definition(&map, &out).expect(&at), *defined_by(&out), "{at}");
                            }
                        }
                        _ => loop {
                            let found = map.get(key, &mut out).unwrap();
                            if found.is_none_or(|found| found.kind != ValueKind::Shaped) {
                                break;
                            }
                            let Some(definition) = definition(&map, &out) else { continue };
                            assert_eq!(*definition, *defined_by(&out), "{at}");
                            break;
                        },
                    }
                }
            });
        }
    });
    assert_eq!(store.validate().unwrap(), [], "seed {seed}");
    let map = store.join();
    map.clear().unwrap();
    assert_eq!(counts(&store).1, 0);
    assert_eq!(settled_bytes(&store), 0);
}

fn definition(map: &Local, record: &[u8]) -> Option<Arc<str>> {
    map.shape(parts(record).0).unwrap()
}

/// The definition that a record was written with, by its fields.
fn defined_by(record: &[u8]) -> String {
    format!("shape {}", u64::from_le_bytes(parts(record).1.try_into().unwrap()))
}
