//! Limits that make room, deadlines, and what is reported of entries that are removed.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use crate::store::observe::report::CARRIED_BYTES;

use super::*;

/// Wakes no thread.
struct Asleep;

impl Wake for Asleep {
    fn wake(&self) {}
}

fn set(map: &Local, n: u64, bytes: usize) -> Result<Written, Error> {
    map.set(Key::string(&n.to_string()), bytes_value(&vec![n as u8; bytes]), Ttl::Default)
}

fn has(map: &Local, n: u64) -> bool {
    map.has(Key::string(&n.to_string())).unwrap()
}

fn get(map: &Local, n: u64) -> bool {
    map.get(Key::string(&n.to_string()), &mut Vec::new()).unwrap().is_some()
}

/// A map whose time stands still.
fn manual(config: &Config) -> (Arc<Store>, Local) {
    let store = Store::new(&Config { manual_clock: true, ..config.clone() }).unwrap();
    let map = store.join();
    (store, map)
}

const EVICTING: [PolicyKind; 7] = [
    PolicyKind::Lru,
    PolicyKind::Lfu,
    PolicyKind::Fifo,
    PolicyKind::Sieve,
    PolicyKind::S3Fifo,
    PolicyKind::WTinyLfu,
    PolicyKind::Ttl,
];

/// In 256 KiB there are no more large pages than sizes of blocks that want one of their own, so nearly each write
/// moves some.
#[test]
fn a_small_limit_refuses_nothing_that_fits_whatever_its_pages_hold() {
    let config = Config { memory_limit_bytes: Some(256 << 10), shards: Some(1), ..Config::default() };
    for seed in 1..=4 {
        let (_store, map) = manual(&Config { seed: Some(seed), ..config.clone() });
        let mut random = Random(seed);
        for n in 0..150_000 {
            let (key, bytes) = (random.below(10_000), 10 + random.below(1_990) as usize);
            set(&map, key, bytes).unwrap_or_else(|error| panic!("seed {seed}, write {n}: {error}"));
        }
    }
}

#[test]
fn pages_that_wait_for_blocks_of_their_size_are_room_for_others() {
    let config = Config { memory_limit_bytes: Some(400_000), shards: Some(1), ..Config::default() };
    let (store, map) = manual(&config);
    // An entry of each size is added and removed, and leaves an empty page of its own.
    for bytes in (8..2_000).step_by(8) {
        set(&map, 1, bytes).unwrap();
        assert!(map.delete(Key::string("1")).unwrap());
    }
    assert_eq!(store.stats().memory.live, 0);
    assert!(store.memory_bytes() > 150_000, "{}", store.memory_bytes());
    set(&map, 2, 330_000).unwrap();
    assert_eq!(store.validate().unwrap(), []);
}

#[test]
fn a_byte_limit_holds_at_every_moment_and_refuses_nothing_that_fits() {
    for eviction in EVICTING {
        let limit = 3 << 20;
        let config = Config { memory_limit_bytes: Some(limit), eviction: Some(eviction), ..Config::default() };
        let store = Store::new(&config).unwrap();
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            let writers: Vec<_> = (0..3_u64)
                .map(|thread| {
                    let map = store.join();
                    scope.spawn(move || {
                        let mut random = Random(thread);
                        for n in 0..6_000 {
                            let bytes = random.below(if n % 100 == 0 { 60_000 } else { 900 }) as usize;
                            let written = if n % 7 == 0 {
                                map.insert(bytes_value(&vec![1; bytes]), 0, Ttl::Default)
                            } else {
                                set(&map, random.below(20_000), bytes)
                            };
                            written.unwrap_or_else(|error| panic!("{eviction:?}, write {n} of {thread}: {error}"));
                            get(&map, random.below(20_000));
                        }
                    })
                })
                .collect();
            let watcher = scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    let total = store.stats().memory.total;
                    assert!(total <= limit, "{total} bytes");
                    thread::yield_now();
                }
            });
            let written: Vec<_> = writers.into_iter().map(thread::ScopedJoinHandle::join).collect();
            is_over.store(true, Ordering::Relaxed);
            watcher.join().unwrap();
            for written in written {
                written.unwrap();
            }
        });
        let stats = store.stats();
        assert!(stats.evictions > 1_000 && stats.memory.total > limit * 3 / 4, "{eviction:?}: {stats:?}");
        let map = store.join();
        assert_eq!(contents(&map, 100).len() as u64, map.len());
        assert_eq!(store.validate().unwrap(), [], "{eviction:?}");
        map.clear().unwrap();
        // Its log of hits goes with it.
        drop(map);
        assert_eq!(settled_bytes(&store), 0, "{eviction:?}");
    }
}

#[test]
fn no_entry_is_evicted_for_a_write_while_what_was_cleared_is_being_freed() {
    let store =
        Store::new(&Config { memory_limit_bytes: Some(12 << 20), shards: Some(1), ..Config::default() }).unwrap();
    let map = store.join();
    for round in 0..3 {
        for n in 0..100_000 {
            set(&map, n, 100).unwrap();
        }
        let evictions = store.stats().evictions;
        map.clear().unwrap();
        for n in 0..20_000 {
            set(&map, n, 100).unwrap();
        }
        assert_eq!((store.stats().evictions, map.len()), (evictions, 20_000), "round {round}");
    }
}

#[test]
fn a_limit_on_entries_is_exact_whatever_the_number_of_shards() {
    for eviction in EVICTING {
        for shards in [1, 16] {
            let config =
                Config { max_entries: Some(100), shards: Some(shards), eviction: Some(eviction), ..Config::default() };
            let store = Store::new(&config).unwrap();
            let map = store.join();
            for n in 0..1_000 {
                set(&map, n, 10).unwrap();
                assert_eq!(map.len(), (n + 1).min(100));
                assert!(has(&map, n), "{eviction:?}: what was just written is there");
            }
        }
    }
}

#[test]
fn lru_with_one_shard_evicts_what_an_exact_lru_does() {
    let config =
        Config { max_entries: Some(64), shards: Some(1), eviction: Some(PolicyKind::Lru), ..Config::default() };
    let store = Store::new(&config).unwrap();
    let map = store.join();
    let mut naive: VecDeque<u64> = VecDeque::new();
    let mut random = Random(5);
    for n in 0..50_000 {
        let key = random.below(40) * random.below(6);
        let known = naive.iter().position(|&other| other == key);
        assert_eq!(get(&map, key), known.is_some(), "request {n}");
        match known {
            Some(at) => _ = naive.remove(at),
            None => _ = set(&map, key, 8).unwrap(),
        }
        naive.push_back(key);
        if naive.len() > 64 {
            naive.pop_front();
        }
        // Looking at an entry without using it changes nothing.
        map.peek(Key::string(&random.below(200).to_string()), &mut Vec::new()).unwrap();
        has(&map, random.below(200));
    }
    assert!(store.stats().evictions > 5_000);
}

#[test]
fn a_value_that_cannot_fit_is_refused_and_evicts_no_entry() {
    let config = Config { memory_limit_bytes: Some(2 << 20), max_value_bytes: Some(1_500_000), ..Config::default() };
    let store = Store::new(&config).unwrap();
    let map = store.join();
    for n in 0..400 {
        set(&map, n, 1_000).unwrap();
    }
    let too_large = set(&map, 1, 1_500_001).unwrap_err();
    assert_eq!(too_large, Error::ValueTooLarge { bytes: 1_500_001, limit_bytes: 1_500_000 });
    store.set_limits(&Limits { max_value_bytes: Some(None), ..Limits::default() }).unwrap();
    assert!(matches!(set(&map, 1, 2 << 20), Err(Error::ValueTooLarge { .. })));
    assert_eq!((map.len(), store.stats().evictions), (400, 0));
    // One that fits if others are evicted is written.
    set(&map, 1, 1_500_000).unwrap();
    assert!(get(&map, 1) && store.stats().memory.total <= 2 << 20);
}

#[test]
fn an_update_for_which_others_leave_keeps_its_own_entry() {
    for eviction in EVICTING {
        let config = Config {
            memory_limit_bytes: Some(1 << 20),
            shards: Some(1),
            eviction: Some(eviction),
            ..Config::default()
        };
        let store = Store::new(&config).unwrap();
        let map = store.join();
        let first = map.insert(bytes_value(&[7; 100]), 3, Ttl::Default).unwrap().place.handle;
        for n in 0..3_000 {
            set(&map, n, 500).unwrap();
            if !map.has(first).unwrap() {
                break;
            }
            map.replace(first, bytes_value(&vec![n as u8; 100 + n as usize % 3_000]), Ttl::Default).unwrap();
        }
        let last = set(&map, 1_000_000, 10).unwrap().place.handle;
        for bytes in [10, 2_000, 40_000, 200_000, 400_000] {
            map.replace(last, bytes_value(&vec![1; bytes]), Ttl::Default).unwrap();
        }
        assert_eq!(map.weight(last).unwrap().map(|bytes| bytes > 400_000), Some(true), "{eviction:?}");
    }
}

#[test]
fn a_lowered_limit_is_reached_step_by_step() {
    let config = Config { memory_limit_bytes: Some(16 << 20), max_entries: Some(20_000), ..Config::default() };
    let store = Store::new(&config).unwrap();
    let map = store.join();
    for n in 0..20_000 {
        set(&map, n, 300).unwrap();
    }
    let before = (map.len(), store.stats().memory.total);
    let limits = Limits { memory_limit_bytes: Some(Some(4 << 20)), ..Limits::default() };
    store.set_limits(&limits).unwrap();
    assert_eq!((map.len(), store.stats().memory.total), before, "no entry is evicted before the next write");
    let mut last = before.1;
    let mut writes = 0;
    while store.stats().memory.total > 4 << 20 {
        set(&map, 100_000 + writes, 300).unwrap();
        let total = store.stats().memory.total;
        assert!(total <= last, "use grew above the limit");
        last = total;
        writes += 1;
        assert!(writes < 30_000, "{total} bytes after {writes} writes");
    }
    assert!(writes > 100, "all at once, after {writes} writes");
    store.set_limits(&Limits { max_entries: Some(Some(1_000)), memory_limit_bytes: Some(None), ..limits }).unwrap();
    while map.len() > 1_000 {
        let before = map.len();
        set(&map, 200_000 + writes, 10).unwrap();
        writes += 1;
        assert_eq!(map.len(), before - 1);
    }
    set(&map, 300_000, 10).unwrap();
    assert_eq!(map.len(), 1_000);
    let roomy = Store::new(&Config::default()).unwrap();
    assert_eq!(roomy.set_limits(&limits), Err(Error::Unbounded));
}

#[test]
fn what_has_expired_leaves_before_anybody_else() {
    for when_full in [WhenFull::Evict, WhenFull::EvictExpired, WhenFull::EvictIdle { idle_ms: 1_000_000 }] {
        let (store, map) = manual(&Config {
            max_entries: Some(100),
            shards: Some(1),
            when_full: Some(when_full),
            ..Config::default()
        });
        for n in 0..100 {
            let ttl = if n % 2 == 0 { Ttl::Of(50) } else { Ttl::Never };
            map.set(Key::string(&n.to_string()), bytes_value(b"v"), ttl).unwrap();
        }
        store.context.clock.advance(49);
        assert_eq!(map.ttl_of(Key::string("0")).unwrap(), Some(RemainingTtl::Ms(1)));
        store.context.clock.advance(1);
        for n in 100..150 {
            set(&map, n, 1).unwrap();
        }
        assert!((0..150).all(|n| has(&map, n) == (n >= 100 || n % 2 == 1)), "{when_full:?}");
        assert_eq!(store.stats().expirations, 50);
        let next = set(&map, 150, 1);
        assert_eq!(next.is_ok(), when_full == WhenFull::Evict, "{when_full:?}");
        assert_eq!(map.len(), 100);
    }
}

#[test]
fn the_soonest_deadline_is_evicted_first_and_among_equals_the_oldest() {
    let (store, map) = manual(&Config {
        max_entries: Some(5),
        shards: Some(1),
        eviction: Some(PolicyKind::Ttl),
        ttl_ms: Some(100),
        ..Config::default()
    });
    for n in 0..8 {
        set(&map, n, 1).unwrap();
    }
    let left = |map: &Local| (0..20).filter(|&n| has(map, n)).collect::<Vec<u64>>();
    assert_eq!(left(&map), [3, 4, 5, 6, 7]);
    store.context.clock.advance(1);
    map.set(Key::string("8"), bytes_value(b"v"), Ttl::Of(10)).unwrap();
    set(&map, 9, 1).unwrap();
    assert_eq!(left(&map), [4, 5, 6, 7, 9]);
}

#[test]
fn only_the_idle_leave_if_that_was_asked_for() {
    let (store, map) = manual(&Config {
        max_entries: Some(10),
        shards: Some(1),
        when_full: Some(WhenFull::EvictIdle { idle_ms: 1_000 }),
        ..Config::default()
    });
    for n in 0..10 {
        set(&map, n, 1).unwrap();
    }
    store.context.clock.advance(900);
    assert!(get(&map, 3) && set(&map, 10, 1).is_err());
    store.context.clock.advance(200);
    for n in 10..19 {
        set(&map, n, 1).unwrap();
    }
    assert!(has(&map, 3));
    assert_eq!(set(&map, 19, 1), Err(Error::EntryLimit { limit: 10 }));
    store.context.clock.advance(1_100);
    set(&map, 19, 1).unwrap();
    assert!(!has(&map, 10) && has(&map, 3), "the one that was idle for longest leaves");
}

#[test]
fn nothing_is_returned_after_its_deadline_by_any_path() {
    let (store, map) = manual(&Config { ttl_ms: Some(100), ..Config::default() });
    let key = Key::string("k");
    let keyed = map.set(key, bytes_value(b"v"), Ttl::Default).unwrap().place.handle;
    let keyless = map.insert(bytes_value(b"w"), 0, Ttl::Of(200)).unwrap().place.handle;
    map.set(Key::string("forever"), bytes_value(b"x"), Ttl::Never).unwrap();
    // No entry expires in the background here: the thread is notified of time, but readers come first.
    store.context.clock.advance(99);
    let mut out = Vec::new();
    assert!(map.get(key, &mut out).unwrap().is_some() && map.has(keyless).unwrap());
    store.context.clock.advance(1);
    assert_eq!(map.get(key, &mut out).unwrap(), None);
    assert_eq!(map.get(keyed, &mut out).unwrap(), None);
    assert_eq!(map.peek(key, &mut out).unwrap(), None);
    assert_eq!(map.with(key, |_| ()).unwrap(), None);
    assert_eq!((map.has(key), map.has(keyed)), (Ok(false), Ok(false)));
    assert_eq!((map.place_of(key), map.weight(key), map.ttl_of(key)), (Ok(None), Ok(None), Ok(None)));
    assert_eq!(contents(&map, 10).len(), 2);
    assert!(matches!(map.check(keyed), Err(Error::HandleNotFound | Error::GenerationMismatch { .. })));
    assert!(map.replace(keyed, bytes_value(b"z"), Ttl::Default).is_err());
    assert_eq!(map.update(key, bytes_value(b"z"), Ttl::Default), Ok(None));
    assert_eq!((map.touch(key, Ttl::Default), map.delete(key)), (Ok(false), Ok(false)));
    assert_eq!(map.remove(key, &mut out), Ok(None));
    assert!(!map.set(key, bytes_value(b"new"), Ttl::Default).unwrap().replaced);
    store.context.clock.advance(100);
    map.purge_expired().unwrap();
    assert_eq!((map.len(), map.ttl_of(Key::string("forever"))), (1, Ok(Some(RemainingTtl::Forever))));
    map.clear().unwrap();
    assert_eq!(settled_bytes(&store), 0);
}

#[test]
fn writes_renew_a_deadline_or_keep_it() {
    for (on_update, left) in [(TtlOnUpdate::Renew, 100), (TtlOnUpdate::Keep, 40)] {
        let (store, map) = manual(&Config { ttl_ms: Some(100), ttl_on_update: Some(on_update), ..Config::default() });
        let key = Key::string("k");
        let left_of = |key| map.ttl_of(key).unwrap();
        map.set(key, bytes_value(b"v"), Ttl::Default).unwrap();
        store.context.clock.advance(60);
        map.set(key, bytes_value(b"w"), Ttl::Default).unwrap();
        assert_eq!(left_of(key), Some(RemainingTtl::Ms(left)));
        map.set(key, bytes_value(b"w"), Ttl::Of(30)).unwrap();
        assert_eq!(left_of(key), Some(RemainingTtl::Ms(30)));
        store.context.clock.advance(20);
        assert!(map.touch(key, Ttl::Default).unwrap());
        assert_eq!(left_of(key), Some(RemainingTtl::Ms(30)), "with its own time to live");
        assert!(map.touch(key, Ttl::Of(500)).unwrap());
        assert_eq!(left_of(key), Some(RemainingTtl::Ms(500)));
        assert!(map.touch(key, Ttl::Never).unwrap());
        assert_eq!((left_of(key), store.stats().deadlines), (Some(RemainingTtl::Forever), 0));
        assert!(map.touch(key, Ttl::Default).unwrap());
        assert_eq!(left_of(key), Some(RemainingTtl::Ms(100)), "with the map's");
    }
}

#[test]
fn a_sliding_read_prolongs_a_life_and_no_copy_is_kept() {
    let (store, map) = manual(&Config { ttl_ms: Some(100), sliding: Some(true), ..Config::default() });
    let key = Key::string("k");
    let handle = map.set(key, bytes_value(b"v"), Ttl::Default).unwrap().place.handle;
    let mut out = Vec::new();
    for n in 0..20 {
        store.context.clock.advance(60);
        map.purge_expired().unwrap();
        let found = if n % 2 == 0 { map.get(key, &mut out) } else { map.get(handle, &mut out) };
        assert_eq!(found.unwrap().map(|found| found.place.stamp), Some(None));
    }
    // A look that is no use does not.
    store.context.clock.advance(60);
    assert!(map.peek(key, &mut out).unwrap().is_some() && map.has(key).unwrap());
    store.context.clock.advance(40);
    assert_eq!(map.get(key, &mut out).unwrap(), None);
}

#[test]
fn entries_expire_without_a_look_at_them() {
    let store = Store::new(&Config::default()).unwrap();
    let map = store.join();
    for n in 0..5_000_u64 {
        map.set(Key::string(&n.to_string()), bytes_value(b"v"), Ttl::Of(1 + n % 40)).unwrap();
    }
    map.set(Key::string("stays"), bytes_value(b"v"), Ttl::Never).unwrap();
    for _ in 0..2_000 {
        if store.len() == 1 {
            break;
        }
        thread::sleep(std::time::Duration::from_millis(5));
    }
    let stats = store.stats();
    assert_eq!((stats.entries, stats.expirations, stats.deadlines), (1, 5_000, 0));
}

#[test]
fn each_removal_is_told_once_in_order_with_its_cause() {
    let (store, map) = manual(&Config {
        max_entries: Some(3),
        shards: Some(1),
        eviction: Some(PolicyKind::Fifo),
        ..Config::default()
    });
    let all = [Cause::Explicit, Cause::Replaced, Cause::Evicted, Cause::Expired, Cause::Cleared];
    let everything = store.watch_removals(all.iter().map(|cause| cause.bit()).sum(), Arc::new(Asleep));
    let evictions = store.watch_removals(Cause::Evicted.bit(), Arc::new(Asleep));
    let put = |key: &str, value: &[u8], ttl| map.set(Key::string(key), bytes_value(value), ttl).unwrap().place.handle;
    put("a", b"1", Ttl::Of(10));
    put("a", b"2", Ttl::Of(10));
    store.context.clock.advance(10);
    map.purge_expired().unwrap();
    put("b", b"3", Ttl::Default);
    put("c", b"4", Ttl::Default);
    let keyless = map.insert(bytes_value(b"5"), 9, Ttl::Default).unwrap().place.handle;
    put("d", b"6", Ttl::Default);
    map.delete(Key::string("c")).unwrap();
    map.clear().unwrap();
    let mut told = Vec::new();
    assert_eq!(everything.take(100, usize::MAX, &mut told), 0);
    let told: Vec<_> = told.iter().map(|one| (one.key(), one.value(), one.what)).collect();
    let removed = What::Removed;
    let number = keyless.slot.to_le_bytes();
    let mut cleared = [(&number[..], &b"5"[..], removed(Cause::Cleared)), (b"d", b"6", removed(Cause::Cleared))];
    if told[4].0 == b"d" {
        cleared.reverse();
    }
    let expected = [
        (&b"a"[..], &b"1"[..], removed(Cause::Replaced)),
        (b"a", b"2", removed(Cause::Expired)),
        (b"b", b"3", removed(Cause::Evicted)),
        (b"c", b"4", removed(Cause::Explicit)),
        cleared[0],
        cleared[1],
    ];
    assert_eq!(told, expected);
    let mut told = Vec::new();
    assert_eq!((evictions.take(100, usize::MAX, &mut told), told.len()), (0, 1));
    drop((everything, evictions));
    assert!(!store.context.removals.are_wanted(Cause::Evicted.bit()));
}

#[test]
fn a_slow_audience_costs_bounded_memory_and_learns_what_it_missed() {
    let store = Store::new(&Config::default()).unwrap();
    let map = store.join();
    let audience = store.watch_removals(Cause::Explicit.bit() | Cause::Cleared.bit(), Arc::new(Asleep));
    let value = vec![1; 1_000];
    for n in 0..10_000_u64 {
        map.set(Key::string(&n.to_string()), bytes_value(&value), Ttl::Default).unwrap();
        if n < 6_000 {
            map.delete(Key::string(&n.to_string())).unwrap();
        }
    }
    let mut told = Vec::new();
    let dropped = audience.take(usize::MAX, usize::MAX, &mut told);
    assert!((3_000..4_200).contains(&told.len()), "{} waited", told.len());
    assert_eq!(told.len() as u64 + dropped, 6_000);
    assert!(told.iter().enumerate().all(|(n, one)| one.key() == n.to_string().as_bytes()));
    map.clear().unwrap();
    let mut told = Vec::new();
    let mut dropped = 0;
    loop {
        let before = told.len();
        let more = audience.take(1_000, usize::MAX, &mut told);
        dropped += more;
        if told.len() == before && more == 0 {
            break;
        }
    }
    assert_eq!(told.len() as u64 + dropped, 4_000);
}

#[test]
fn a_removal_carries_no_value_above_a_bound() {
    let store = Store::new(&Config::default()).unwrap();
    let map = store.join();
    let audience = store.watch_removals(Cause::Explicit.bit() | Cause::Cleared.bit(), Arc::new(Asleep));
    let value = vec![1; CARRIED_BYTES + 1];
    map.set(Key::string("largest"), bytes_value(&value[1..]), Ttl::Default).unwrap();
    map.delete(Key::string("largest")).unwrap();
    for key in ["deleted", "cleared"] {
        map.set(Key::string(key), bytes_value(&value), Ttl::Default).unwrap();
        map.delete(Key::string("deleted")).unwrap();
    }
    map.clear().unwrap();
    let mut told = Vec::new();
    assert_eq!(audience.take(usize::MAX, usize::MAX, &mut told), 0);
    let sizes: Vec<_> = told.iter().map(|one| (one.key(), one.value().len(), one.omitted_bytes)).collect();
    let expected =
        [(&b"largest"[..], CARRIED_BYTES, 0), (b"deleted", 0, CARRIED_BYTES + 1), (b"cleared", 0, CARRIED_BYTES + 1)];
    assert_eq!(sizes, expected);
    // A key has to fit among what waits.
    let key = "k".repeat(5 * CARRIED_BYTES);
    map.set(Key::string(&key), bytes_value(b"1"), Ttl::Default).unwrap();
    map.clear().unwrap();
    assert_eq!((audience.take(usize::MAX, usize::MAX, &mut told), told.len()), (1, 3));
}

#[test]
fn a_threshold_is_passed_again_by_a_write_that_goes_far_beyond_it() {
    let store = Store::new(&Config { memory_limit_bytes: Some(1 << 20), ..Config::default() }).unwrap();
    let map = store.join();
    let pressure = store.watch_pressure(vec![0.25], Arc::new(Asleep));
    let value = vec![1; 300_000];
    for _ in 0..3 {
        map.set(Key::string("a"), bytes_value(&value), Ttl::Default).unwrap();
        assert!(pressure.take().is_some_and(|news| news.rising && news.ratio() > 0.25));
        assert_eq!(pressure.take(), None);
        map.delete(Key::string("a")).unwrap();
    }
    map.purge_expired().unwrap();
    assert!(pressure.take().is_some_and(|news| !news.rising && news.ratio() < 0.25), "without another write");
}

#[test]
fn people_can_ask_entries_to_leave() {
    for eviction in EVICTING {
        let config =
            Config { max_entries: Some(10_000), shards: Some(4), eviction: Some(eviction), ..Config::default() };
        let store = Store::new(&config).unwrap();
        let map = store.join();
        for n in 0..5_000 {
            set(&map, n, 100).unwrap();
        }
        assert_eq!((map.evict(123).unwrap(), map.len()), (123, 4_877), "{eviction:?}");
        let mut candidates = Vec::new();
        map.candidates(10, &mut candidates).unwrap();
        assert!(candidates.len() == 10 && map.evict_entry(candidates[3]).unwrap() && !map.has(candidates[3]).unwrap());
        let half = store.stats().memory.total / 2;
        while store.stats().memory.total > half && map.evict_to(half).unwrap() > 0 {}
        assert!(store.stats().memory.total <= half, "{eviction:?}");
        let left = map.len();
        assert_eq!((map.evict(1_000_000).unwrap(), map.len()), (left, 0), "{eviction:?}");
    }
}

#[test]
fn reads_and_writes_and_deadlines_from_many_threads_agree() {
    let config = Config { max_entries: Some(2_000), eviction: Some(PolicyKind::WTinyLfu), ..Config::default() };
    let store = Store::new(&config).unwrap();
    let wrong = AtomicU64::new(0);
    thread::scope(|scope| {
        for thread in 0..4_u64 {
            let map = store.join();
            let wrong = &wrong;
            scope.spawn(move || {
                let mut random = Random(thread);
                let mut out = Vec::new();
                for _ in 0..20_000 {
                    let n = random.below(5_000);
                    let text = n.to_string();
                    let key = Key::string(&text);
                    match random.below(8) {
                        0..=2 => {
                            let ttl = Ttl::Of(1 + random.below(20));
                            map.set(key, bytes_value(text.as_bytes()), ttl).unwrap();
                        }
                        3 => _ = map.touch(key, Ttl::Of(5)).unwrap(),
                        4 => _ = map.delete(key).unwrap(),
                        _ => {
                            if map.get(key, &mut out).unwrap().is_some() && out != text.as_bytes() {
                                wrong.fetch_add(1, Ordering::Relaxed);
                            }
                        }
                    }
                }
            });
        }
    });
    assert_eq!(wrong.into_inner(), 0);
    assert!(store.len() <= 2_000);
    assert_eq!(store.validate().unwrap(), []);
    let map = store.join();
    thread::sleep(std::time::Duration::from_millis(25));
    map.purge_expired().unwrap();
    assert_eq!((store.len(), store.stats().deadlines), (0, 0));
    map.clear().unwrap();
    assert_eq!(settled_bytes(&store), 0);
}

/// A full map whose index or slab grows evicts few entries for that, wherever the limit meets the growth: a table asks
/// for as many bytes as thousands of entries have, but one entry less makes it unnecessary.
#[test]
fn growth_in_a_full_map_does_not_empty_it() {
    for limit in (300..900).step_by(40) {
        let config = Config { shards: Some(1), memory_limit_bytes: Some(limit * 1_000), ..Config::default() };
        let store = Store::new(&config).unwrap();
        let map = store.join();
        let mut least = u64::MAX;
        for n in 0..12_000_u64 {
            set(&map, n, 8).unwrap();
            if store.stats().evictions > 0 {
                least = least.min(map.len());
            }
        }
        assert!(least > map.len() / 2, "{least} of {}, {limit} KB", map.len());
    }
}
