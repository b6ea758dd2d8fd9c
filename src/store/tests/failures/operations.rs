//! The same for operations of several steps: those that compare, add and load, transactions, queries and types.

use std::cell::Cell;

use super::*;
use crate::store::entry::fields::Layout;
use crate::store::query::job::answer_here;
use crate::store::shard::load::Begun;
use crate::store::shard::seat::Outcome;

struct Silent;

impl Wake for Silent {
    fn wake(&self) {}
}

/// Maps whose tables differ, each with a name.
fn maps() -> Vec<(&'static str, Arc<Store>)> {
    let config = || Config { shards: Some(1), seed: Some(1), manual_clock: true, ..Config::default() };
    let limited = |policy| Config { eviction: Some(policy), memory_limit_bytes: Some(8 << 20), ..config() };
    [
        ("plain", config()),
        ("several shards", Config { shards: Some(4), ..config() }),
        ("lru", limited(PolicyKind::Lru)),
        ("s3fifo", limited(PolicyKind::S3Fifo)),
    ]
    .into_iter()
    .map(|(name, config)| (name, Store::new(&config).unwrap()))
    .collect()
}

/// Ends a map, in which nothing may be left.
fn end(name: &str, store: &Arc<Store>, map: Local) {
    map.clear().unwrap();
    drop(map);
    let left = settled_bytes(store) - store.stats().memory.types;
    // The word of commits stays.
    assert!(left <= 4, "{name}: {:?}", store.stats().memory);
    store.destroy();
}

fn json(text: &str) -> Value<'_> {
    Value { kind: ValueKind::Json, bytes: text.as_bytes() }
}

/// A value that differs from the one before in content and length.
fn content(round: u32, long: bool) -> Vec<u8> {
    vec![round as u8; if long { 5_000 } else { 20 } + round as usize % 50]
}

#[test]
fn a_value_that_is_compared_is_as_it_was() {
    let mut refusals = 0;
    for (name, store) in maps() {
        let map = store.join();
        let mut round = 0;
        for n in 0..40_u32 {
            let (text, long) = (format!("key-{n}"), n % 10 == 0);
            let key = Key::string(&text);
            let mut before = content(0, long);
            map.set(key, bytes_value(&before), Ttl::Default).unwrap();
            refusals += fail_each(&map, false, &format!("{name}, entry {n}: compareAndSet"), |map| {
                round += 1;
                let next = content(round, long);
                let (mut asked, layout) = (Expected::new(bytes_value(&before)), Layout::default());
                let mut out = Vec::new();
                let done =
                    map.compare_and_set(key, &mut asked, bytes_value(&next), Ttl::Of(5_000), &mut out, |_| {
                        Ok(Some(&layout))
                    })?;
                assert!(matches!(done, Compared::Swapped(_)), "{done:?}");
                before = next;
                Ok(())
            });
            refusals += fail_each(&map, false, &format!("{name}, entry {n}: compareAndSet of another"), |map| {
                let (mut asked, layout) = (Expected::new(bytes_value(b"other")), Layout::default());
                let mut out = Vec::new();
                let done =
                    map.compare_and_set(key, &mut asked, bytes_value(b"next"), Ttl::Default, &mut out, |_| {
                        Ok(Some(&layout))
                    })?;
                assert!(matches!(done, Compared::Different(_)), "{done:?}");
                assert_eq!(out, before);
                Ok(())
            });
        }
        end(name, &store, map);
    }
    assert!(refusals > 300, "{refusals} allocations refused");
}

#[test]
fn a_number_is_as_it_was() {
    let mut refusals = 0;
    for (name, store) in maps() {
        let map = store.join();
        let number = NumberStep { by: 1e9, initial: 0.0, min: f64::NEG_INFINITY, max: f64::INFINITY };
        for n in 0..40_u32 {
            let at = format!("{name}, entry {n}");
            let (counter, object) = (format!("counter-{n}"), format!("object-{n}"));
            let step = Increment { step: CounterStep::Number(number), ttl: Ttl::Of(9_000), with_ttl: true };
            refusals += fail_each(&map, false, &format!("{at}: increment"), |map| {
                map.increment(Key::string(&counter), &step, &mut Vec::new(), &mut Incremented::default())
            });
            let text = format!(r#"{{"text":"{}","n":1}}"#, "x".repeat(if n % 10 == 0 { 5_000 } else { 10 }));
            map.set(Key::string(&object), json(&text), Ttl::Default).unwrap();
            let at_n = Pointer::of(b"/n").unwrap();
            refusals += fail_each(&map, false, &format!("{at}: increment at"), |map| {
                let step = FieldStep { at: at_n, step: number, with_ttl: true, longest_record: 1 << 16 };
                let layout = Layout::default();
                let (mut out, mut next) = (Vec::new(), Vec::new());
                let done =
                    map.increment_field(Key::string(&object), &step, &mut out, &mut next, |_| Ok(Some(&layout)))?;
                assert!(matches!(done.outcome, FieldOutcome::Written(..)), "{done:?}");
                Ok(())
            });
            let delete = |map: &Local| _ = map.delete(Key::string("other")).unwrap();
            refusals += fail_each_after(&map, false, &format!("{at}: getOrInsert"), delete, |map| {
                map.get_or_insert(Key::string("other"), bytes_value(&[1; 900]), Ttl::Default, &mut Vec::new()).map(drop)
            });
        }
        end(name, &store, map);
    }
    assert!(refusals > 300, "{refusals} allocations refused");
}

#[test]
fn a_transaction_makes_all_writes_or_none() {
    let mut refusals = 0;
    for (name, store) in maps() {
        let map = store.join();
        let mut round = 0;
        // Of few entries and of more than are looked through one by one.
        for (n, writes) in [2_u32, 4, 30, 3, 60, 2, 120].into_iter().enumerate() {
            refusals += fail_each(&map, false, &format!("{name}, transaction {n}"), |map| {
                round += 1;
                let mut transaction = Transaction::default();
                let mut out = Vec::new();
                let step = Increment {
                    step: CounterStep::Number(NumberStep { by: 1.0, initial: 0.0, min: -1e9, max: 1e9 }),
                    ttl: Ttl::Default,
                    with_ttl: false,
                };
                let typed = map.hold_type("Type")?;
                for write in 0..writes {
                    let text = format!("key-{n}-{write}");
                    let key = Target::Key(Key::string(&text));
                    let there = transaction.get(map, key, &mut out)?.is_some();
                    match write % 5 {
                        0 if there => assert!(transaction.delete(map, key)?),
                        1 => _ = transaction.increment(map, key, &step, &mut out)?,
                        _ => transaction.set(map, key, bytes_value(&content(round, write % 7 == 0)), Ttl::Of(9_000))?,
                    }
                }
                // Kept in the end: what was tried before is not.
                transaction.insert(map, bytes_value(b"untyped"), None, Ttl::Default)?;
                transaction.insert(map, bytes_value(&content(round, true)), Some(typed), Ttl::Of(8_000))?;
                transaction.commit(map)
            });
        }
        end(name, &store, map);
    }
    assert!(refusals > 1_000, "{refusals} allocations refused");
}

#[test]
fn a_load_goes_on_or_can_be_begun_again() {
    let mut refusals = 0;
    for (name, store) in maps() {
        let map = store.join();
        let seat = map.loads_seat(Arc::new(Silent));
        let (ticket, token) = (Cell::new(0), Cell::new(0));
        let next_ticket = || {
            ticket.set(ticket.get() + 1);
            ticket.get()
        };
        for n in 0..30_u32 {
            let at = format!("{name}, load {n}");
            let text = format!("key-{n}");
            let key = Key::string(&text);
            let value = content(n, n % 10 == 0);
            let begin = |map: &Local, stale: &mut Option<Outcome>| -> Result<(), Error> {
                let (Begun::Owned(owned) | Begun::Stale(Some(owned))) =
                    map.begin_load(key, &seat, next_ticket(), stale)?
                else {
                    panic!("{at}: a load that was refused is under way")
                };
                token.set(owned);
                Ok(())
            };
            let fail = |map: &Local| _ = map.fail_load(key, token.take(), Vec::new()).unwrap();
            // A load that is missing, and one whose value is stale.
            for what in ["missing", "stale"] {
                refusals += fail_each_after(&map, false, &format!("{at}: begin, {what}"), fail, |map| {
                    let mut stale = None;
                    begin(map, &mut stale)?;
                    match stale {
                        Some(Outcome::Loaded { bytes, .. }) => assert_eq!((what, &bytes[..]), ("stale", &value[..])),
                        _ => assert_eq!(what, "missing", "{at}"),
                    }
                    Ok(())
                });
                let begin_again = |map: &Local| {
                    if token.get() == 0 {
                        map.delete(key).unwrap();
                        begin(map, &mut None).unwrap();
                    }
                };
                refusals += fail_each_after(&map, false, &format!("{at}: complete, {what}"), begin_again, |map| {
                    let completion = Completion {
                        key,
                        token: token.get(),
                        value: bytes_value(&value),
                        is_stored: true,
                        ttl: Ttl::Of(1_000),
                        refresh_ms: Some(500),
                        stale_ms: Some(50_000),
                    };
                    let was_owned = map.complete_load(&completion, &mut None)?;
                    assert!(was_owned, "{at}: a load that was refused is under way still");
                    token.set(0);
                    Ok(())
                });
                store.advance_clock(600);
                refusals += fail_each_after(&map, false, &format!("{at}: refresh, {what}"), fail, |map| {
                    let Freshness::Owned(owned) = map.begin_refresh(key, 500, &seat, next_ticket())? else {
                        panic!("{at}: a refresh that was refused is under way")
                    };
                    token.set(owned);
                    Ok(())
                });
                fail(&map);
                store.advance_clock(401);
            }
        }
        map.leave_loads(&seat);
        end(name, &store, map);
    }
    assert!(refusals > 300, "{refusals} allocations refused");
}

#[test]
fn a_query_answers_or_says_why_not() {
    let mut refusals = 0;
    for (name, store) in maps() {
        let map = store.join();
        for n in 0..60_u32 {
            let text = format!("user:{n}");
            let length = if n % 20 == 0 { 40_000 } else { 10 };
            let value = format!(r#"{{"n":{},"text":"{}"}}"#, n % 3, "x".repeat(length));
            map.set(Key::string(&text), json(&value), Ttl::Default).unwrap();
        }
        let text = br#"{"key":"user:*","where":{"/n":{"in":[1,2]},"/text":{"contains":"x"}}}"#;
        let query = || {
            Query::parse_for(&store, text).map_err(|why| match why {
                NoQuery::Refused(error) => error,
                NoQuery::Fault(fault) => panic!("{fault:?}"),
            })
        };
        for (what, task, found) in [("count", Task::Count, 40), ("find", Task::Find { most: 7 }, 7)] {
            refusals += fail_each(&map, false, &format!("{name}: {what}"), |_| {
                let answer = answer_here(&store, query()?, None, task)?;
                assert_eq!(answer.found, found);
                Ok(())
            });
        }
        refusals += fail_each(&map, false, &format!("{name}: prefix"), |_| {
            let query = Query::of_prefix(&store, Key::string("user:1"))?;
            answer_here(&store, query, None, Task::Count).map(|answer| assert_eq!(answer.found, 11))
        });
        refusals += fail_each(&map, false, &format!("{name}: scan"), |map| {
            let glob = Glob::new(Key::string("user:[0-9]*"))?;
            let mut scan = map.scan(Place { shard: 0, slot: 0 }, Filter { glob: Some(glob), type_name: None })?;
            let (mut key, mut value, mut count) = (Vec::new(), Vec::new(), 0);
            while scan.place().is_some() {
                count += u32::from(scan.next(&mut key, &mut value)?.is_some());
            }
            assert_eq!(count, 60);
            Ok(())
        });
        // Each attempt may have deleted some.
        let rest = || answer_here(&store, query().unwrap(), None, Task::Count).unwrap().found;
        refusals += fail_each(&map, true, &format!("{name}: deleteWhere"), |_| {
            answer_here(&store, query()?, None, Task::Delete).map(drop)
        });
        assert_eq!((rest(), map.len()), (0, 20), "{name}");
        end(name, &store, map);
    }
    assert!(refusals > 20, "{refusals} allocations refused");
}

#[test]
fn an_entry_keeps_its_type() {
    let mut refusals = 0;
    for (name, store) in maps() {
        let map = store.join();
        for n in 0..60_u32 {
            let at = format!("{name}, type {n}");
            let (text, type_name) = (format!("key-{n}"), format!("Type{}", n % 20));
            let key = Key::string(&text);
            let mut held = None;
            refusals += fail_each(&map, false, &format!("{at}: hold"), |map| {
                held = Some(map.hold_type(&type_name)?);
                Ok(())
            });
            let held = held.unwrap();
            refusals += fail_each(&map, false, &format!("{at}: set"), |map| {
                map.set_of_type(key, held.id(), bytes_value(&content(n, n % 10 == 0)), Ttl::Default).map(drop)
            });
            refusals += fail_each(&map, false, &format!("{at}: insert"), |map| {
                map.insert(bytes_value(&content(n, n % 10 == 5)), held.id(), Ttl::Default).map(drop)
            });
            refusals += fail_each(&map, false, &format!("{at}: read"), |map| {
                let mut steps = Vec::new();
                map.walk_of_type(held.id(), 0, 10, &mut steps)?;
                assert!(map.get_of_type(key, held.id(), &mut Vec::new())?.is_some());
                Ok(())
            });
            if n % 3 == 0 {
                // Written by key, it has none.
                refusals += fail_each(&map, false, &format!("{at}: untyped"), |map| {
                    map.set(key, bytes_value(&content(n, false)), Ttl::Default).map(drop)
                });
            }
        }
        end(name, &store, map);
    }
    assert!(refusals > 300, "{refusals} allocations refused");
}
