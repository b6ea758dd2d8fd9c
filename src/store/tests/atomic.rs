//! Writes that the present value decides: steps of counters, and writes that nothing may come before.

use std::thread;

use super::*;
use crate::store::entry::fields::Layout;

const KEY: Key<'static> = Key::string("counter");
const THREADS: u64 = 4;
const STEPS: u64 = if cfg!(any(tsan, miri)) { 500 } else { 20_000 };

/// Something that comes before a write.
type Change = fn(&Local);

fn by(by: f64) -> Increment<'static> {
    let step = NumberStep { by, initial: 0.0, min: f64::NEG_INFINITY, max: f64::INFINITY };
    Increment { step: CounterStep::Number(step), ttl: Ttl::Default, with_ttl: false }
}

fn int(bytes: &[u8]) -> Value<'_> {
    Value { kind: ValueKind::Int, bytes }
}

fn counted(map: &Local) -> i32 {
    let mut out = Vec::new();
    map.get(KEY, &mut out).unwrap().unwrap();
    i32::from_le_bytes(out.try_into().unwrap())
}

#[test]
fn no_step_of_several_threads_is_lost_by_key_nor_by_handle() {
    let store = Store::new(&Config::default()).unwrap();
    thread::scope(|scope| {
        for _ in 0..THREADS {
            let map = store.join();
            scope.spawn(move || {
                let (mut out, mut done) = (Vec::new(), Incremented::default());
                for n in 0..STEPS {
                    if n % 2 == 0 {
                        map.increment(KEY, &by(1.0), &mut out, &mut done).unwrap();
                    } else {
                        let handle = map.place_of(KEY).unwrap().unwrap().handle;
                        map.increment(handle, &by(1.0), &mut out, &mut done).unwrap();
                    }
                }
            });
        }
    });
    assert_eq!(counted(&store.join()) as u64, THREADS * STEPS);
    assert_eq!(store.validate().unwrap(), []);
}

#[test]
fn a_write_that_others_came_before_is_not_made_and_no_update_is_lost() {
    let store = Store::new(&Config::default()).unwrap();
    store.join().set(KEY, int(&[0; 4]), Ttl::Default).unwrap();
    thread::scope(|scope| {
        for _ in 0..THREADS {
            let map = store.join();
            scope.spawn(move || {
                let mut out = Vec::new();
                for _ in 0..STEPS / 10 {
                    loop {
                        let (found, version) = map.get_version(KEY, &mut out).unwrap().unwrap();
                        let next = i32::from_le_bytes(out[..].try_into().unwrap()) + 1;
                        let next = next.to_le_bytes();
                        if map.replace_if(found.place.handle, version, int(&next), Ttl::Default).unwrap().is_some() {
                            break;
                        }
                    }
                }
            });
        }
    });
    assert_eq!(counted(&store.join()) as u64, THREADS * (STEPS / 10));
    assert_eq!(store.validate().unwrap(), []);
}

#[test]
fn what_changed_is_neither_replaced_nor_removed() {
    let store = Store::new(&Config { shards: Some(1), ..Config::default() }).unwrap();
    let map = store.join();
    let mut out = Vec::new();
    let changes: [(&str, Change); 4] = [
        ("the same value", |map| _ = map.set(KEY, bytes_value(b"1"), Ttl::Default).unwrap()),
        ("deleted", |map| assert!(map.delete(KEY).unwrap())),
        ("another tenant", |map| {
            map.delete(KEY).unwrap();
            map.set(KEY, bytes_value(b"1"), Ttl::Default).unwrap();
        }),
        ("cleared", |map| map.clear().unwrap()),
    ];
    for (what, change) in changes {
        map.set(KEY, bytes_value(b"1"), Ttl::Default).unwrap();
        let (found, version) = map.get_version(KEY, &mut out).unwrap().unwrap();
        change(&map);
        let handle = found.place.handle;
        assert_eq!(map.replace_if(handle, version, bytes_value(b"2"), Ttl::Default), Ok(None), "{what}");
        assert_eq!(map.remove_if(handle, version), Ok(false), "{what}");
    }
    map.set(KEY, bytes_value(b"1"), Ttl::Default).unwrap();
    let (found, version) = map.get_version(KEY, &mut out).unwrap().unwrap();
    assert!(map.replace_if(found.place.handle, version, bytes_value(b"2"), Ttl::Default).unwrap().is_some());
    let (found, version) = map.get_version(found.place.handle, &mut out).unwrap().unwrap();
    assert_eq!(out, b"2");
    assert_eq!(map.remove_if(found.place.handle, version), Ok(true));
    assert!(map.is_empty());
    assert_eq!(map.get_version(KEY, &mut out), Ok(None));
}

const DEFINITION: &str = r#"["n"]"#;

/// The record of `{ n }`.
fn record_of(shape: u32, n: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    Record { shape, tail: b"", fields: &[16 + n] }.write(&mut bytes).unwrap();
    bytes
}

/// What the definition means.
fn layout() -> Arc<Layout> {
    Arc::new(definition::parse(DEFINITION).unwrap())
}

#[test]
fn no_value_that_came_in_between_is_written_over_by_threads_that_compare() {
    let store = Store::new(&Config::default()).unwrap();
    store.join().set(KEY, Value::json(r#"{"n":0}"#), Ttl::Default).unwrap();
    let rounds = if cfg!(any(tsan, miri)) { 20 } else { 1_000 };
    thread::scope(|scope| {
        for _ in 0..THREADS {
            let map = store.join();
            scope.spawn(move || {
                let (mut out, mut n) = (Vec::new(), 0);
                let mut swapped = 0;
                while swapped < rounds {
                    let (text, next) = (format!(r#"{{"n":{n}}}"#), format!(r#"{{"n":{}}}"#, n + 1));
                    let mut expected = Expected::new(Value::json(&text));
                    match map
                        .compare_and_set(KEY, &mut expected, Value::json(&next), Ttl::Default, &mut out, |_| {
                            Ok(Some(layout()))
                        })
                        .unwrap()
                    {
                        Compared::Swapped(_) => swapped += 1,
                        Compared::Different(_) => {
                            let text = String::from_utf8(out.clone()).unwrap();
                            n = text[5..text.len() - 1].parse::<u64>().unwrap();
                        }
                        Compared::Absent => panic!("the entry is there"),
                    }
                }
            });
        }
    });
    let mut out = Vec::new();
    store.join().get(KEY, &mut out).unwrap();
    assert_eq!(out, format!(r#"{{"n":{}}}"#, THREADS * rounds).into_bytes());
}

#[test]
fn a_record_is_compared_by_what_its_shape_means_and_read_again_if_that_is_gone() {
    let store = Store::new(&Config::default()).unwrap();
    let map = store.join();
    let shape = map.publish_shape(DEFINITION).unwrap().unwrap();
    let set = |n| map.set(KEY, Value { kind: ValueKind::Shaped, bytes: &record_of(shape, n) }, Ttl::Default).unwrap();
    let compare = |text: &str, meaning: &mut dyn FnMut() -> Option<Arc<Layout>>| {
        let (mut out, next) = (Vec::new(), Value::json("7"));
        map.compare_and_set(KEY, &mut Expected::new(Value::json(text)), next, Ttl::Default, &mut out, |number| {
            assert_eq!(number, shape);
            Ok(meaning())
        })
    };
    set(3);
    assert!(matches!(compare(r#"{"n":4}"#, &mut || Some(layout())), Ok(Compared::Different(_))));
    assert!(matches!(compare(r#"{"n":3}"#, &mut || Some(layout())), Ok(Compared::Swapped(_))));
    set(3);
    // Another value comes in between.
    let mut is_gone = false;
    let mut once_gone = || {
        if !std::mem::replace(&mut is_gone, true) {
            set(4);
            return None;
        }
        Some(layout())
    };
    assert!(matches!(compare(r#"{"n":4}"#, &mut once_gone), Ok(Compared::Swapped(_))));
    set(3);
    assert!(matches!(compare(r#"{"n":3}"#, &mut || None), Err(Error::Broken)));
    map.delete(KEY).unwrap();
    assert!(matches!(compare(r#"{"n":3}"#, &mut || Some(layout())), Ok(Compared::Absent)));
}
