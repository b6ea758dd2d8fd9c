//! The n-th allocation fails, for every n: an error, the map as it was, and nothing lost.

mod operations;

use super::super::eviction::PolicyKind;
use super::*;
use crate::store::platform::fallible::failures::refuse_nth;

/// What a reader sees of a map.
fn visible(map: &Local) -> Vec<(KeyKind, Vec<u8>, Vec<u8>)> {
    contents(map, 64)
}

/// Runs a step with its first allocation refused, then with its second, and so on until it succeeds. `may_lose` says
/// that entries may be evicted for it all the same.
fn fail_each(map: &Local, may_lose: bool, at: &str, step: impl FnMut(&Local) -> Result<(), Error>) -> u32 {
    fail_each_after(map, may_lose, at, |_| {}, step)
}

/// The same, with something to do before each attempt, which no allocation fails for.
fn fail_each_after(
    map: &Local,
    may_lose: bool,
    at: &str,
    mut prepare: impl FnMut(&Local),
    mut step: impl FnMut(&Local) -> Result<(), Error>,
) -> u32 {
    for nth in 1.. {
        prepare(map);
        let before = visible(map);
        let (done, was_refused) = refuse_nth(nth, || step(map));
        let problems = map.store().validate().unwrap();
        assert_eq!(problems, [], "{at}, allocation {nth}");
        match done {
            Ok(()) if !was_refused => return nth - 1,
            // What can do without the memory goes on without it.
            Ok(()) => {}
            Err(Error::OutOfMemory { .. }) => {
                let after = visible(map);
                if may_lose {
                    assert!(after.iter().all(|entry| before.contains(entry)), "{at}, allocation {nth}");
                } else {
                    assert_eq!(after, before, "{at}, allocation {nth}");
                }
            }
            Err(other) => panic!("{at}, allocation {nth}: {other}"),
        }
    }
    unreachable!()
}

#[test]
fn whatever_allocation_fails_the_map_is_as_it_was() {
    let mut refusals = 0;
    for policy in [PolicyKind::Lru, PolicyKind::Lfu, PolicyKind::S3Fifo, PolicyKind::WTinyLfu] {
        let config = Config {
            shards: Some(1),
            seed: Some(1),
            eviction: Some(policy),
            memory_limit_bytes: Some(1 << 20),
            manual_clock: true,
            ..Config::default()
        };
        let store = Store::new(&config).unwrap();
        let map = store.join();
        let (mut out, mut key_out, mut steps) = (Vec::new(), Vec::new(), Vec::new());
        for n in 0..150_u32 {
            let (text, at) = (format!("key-{n}"), format!("{policy}, entry {n}"));
            let key = Key::string(&text);
            let value = vec![n as u8; if n % 20 == 0 { 5_000 } else { 30 }];
            let ttl = if n % 2 == 0 { Ttl::Of(u64::from(1_000 + n * n * 977)) } else { Ttl::Default };
            refusals +=
                fail_each(&map, false, &format!("{at}: set"), |map| map.set(key, bytes_value(&value), ttl).map(drop));
            // A growing map is what allocates; what follows is the same at any size.
            if n % 30 != 0 {
                continue;
            }
            refusals += fail_each(&map, false, &format!("{at}: replace"), |map| {
                map.set(key, bytes_value(&value), Ttl::Of(5_000)).map(drop)
            });
            refusals += fail_each(&map, false, &format!("{at}: touch"), |map| map.touch(key, Ttl::Of(9_000)).map(drop));
            refusals += fail_each(&map, false, &format!("{at}: read"), |map| {
                (out, key_out) = (Vec::new(), Vec::new());
                assert!(map.get(key, &mut out)?.is_some());
                steps = Vec::new();
                map.walk(0, 10, &mut steps)?;
                map.read_step(steps[0].handle, &mut key_out, &mut out).map(drop)
            });
            refusals += fail_each(&map, false, &format!("{at}: candidates"), |map| map.candidates(10, &mut Vec::new()));
            refusals += fail_each(&map, false, &format!("{at}: reserve"), |map| map.store().reserve(2_000));
            refusals += fail_each(&map, false, &format!("{at}: shrink"), |map| map.store().shrink_to_fit());
        }
        // Beyond the limit, and past deadlines.
        for n in 0..5_u32 {
            let (text, at) = (format!("large-{n}"), format!("{policy}, large {n}"));
            let value = vec![n as u8; 200_000];
            refusals += fail_each(&map, true, &at, |map| {
                map.set(Key::string(&text), bytes_value(&value), Ttl::Default).map(drop)
            });
        }
        store.clock().advance(60_000);
        refusals += fail_each(&map, true, &format!("{policy}: purge"), |map| map.purge_expired().map(drop));
        refusals += fail_each(&map, true, &format!("{policy}: evict"), |map| map.evict(20).map(drop));
        refusals += fail_each(&map, true, &format!("{policy}: clear"), Local::clear);
        drop(map);
        assert_eq!(settled_bytes(&store), 0, "{policy}: {:?}", store.stats().memory);
        store.destroy();
    }
    assert!(refusals > 500, "{refusals} allocations refused");
}

#[test]
fn a_removal_whose_copy_fails_keeps_the_entry_or_is_counted_as_dropped() {
    struct Deaf;
    impl Wake for Deaf {
        fn wake(&self) {}
    }
    let store = Store::new(&Config { shards: Some(1), ..Config::default() }).unwrap();
    let map = store.join();
    map.set(Key::string("k"), bytes_value(&[7; 100]), Ttl::Default).unwrap();
    let (removed, _) = refuse_nth(1, || map.remove(Key::string("k"), &mut Vec::new()));
    assert!(matches!(removed, Err(Error::OutOfMemory { .. })));
    assert_eq!(map.has(Key::string("k")), Ok(true));

    let audience = store.watch_removals(Cause::Explicit.bit(), Arc::new(Deaf));
    let (deleted, was_refused) = refuse_nth(1, || map.delete(Key::string("k")));
    assert_eq!((deleted, was_refused), (Ok(true), true));
    let mut told = Vec::new();
    assert_eq!((audience.take(10, 1_000, &mut told), told.len()), (1, 0));
    assert_eq!(store.validate().unwrap(), []);
}
