//! What one call does is bounded, whatever the map holds. Work is counted, never timed.

use super::super::shard::{DETACHED, Draft, Presence};
use super::*;
use crate::store::map::walk::ASKED;
use crate::store::memory::budget::Use;
use crate::store::observe::queue::PUSHED;
use crate::store::platform::clock::Patience;
use crate::store::platform::mapping::RELEASED;

fn key_of(n: u64) -> String {
    n.to_string()
}

/// A map of `count` small entries, whose time stands still.
fn filled(config: &Config, count: u64, ttl: Ttl) -> (Arc<Store>, Local) {
    let store = Store::new(&Config { manual_clock: true, ..config.clone() }).unwrap();
    let map = store.join();
    for n in 0..count {
        map.set(Key::string(&key_of(n)), bytes_value(b"v"), ttl).unwrap();
    }
    (store, map)
}

#[test]
fn one_purge_takes_out_a_bounded_number() {
    for shards in [1, 16] {
        let (store, map) = filled(&Config { shards: Some(shards), ..Config::default() }, 20_000, Ttl::Of(10));
        store.context.clock.advance(10);
        // The expiry thread is at work as well, so less may be left to this one.
        let mut purged = 0;
        while !map.is_empty() {
            let more = map.purge_expired().unwrap();
            assert!(more <= 4_096 + 512, "{more} at once");
            purged += more;
        }
        assert!(purged <= 20_000);
        assert_eq!(store.stats().expirations, 20_000);
    }
}

#[test]
fn what_was_cleared_is_freed_in_bounded_steps_large_entries_too() {
    let store = Store::new(&Config { shards: Some(1), ..Config::default() }).unwrap();
    let map = store.join();
    let value = vec![7; 3_000];
    for n in 0..9_000 {
        map.set(Key::string(&key_of(n)), bytes_value(&value), Ttl::Default).unwrap();
        map.set(Key::string(&format!("small {n}")), bytes_value(b"v"), Ttl::Default).unwrap();
    }
    let used = || store.stats().memory.total - store.stats().memory.fixed;
    let mut contents = store.all_shards()[0].detach(&map.member(), Cause::Cleared).unwrap();
    let detached = used();
    assert!(detached > 9_000 * 3_000, "nothing was freed with the lock");
    let mut steps = 0;
    loop {
        let before = used();
        let is_done = contents.free_some();
        assert!(before - used() <= 4 << 20, "step {steps} freed {}", before - used());
        steps += 1;
        if is_done {
            break;
        }
    }
    drop(contents);
    assert!(steps > 9 && used() == 0, "{steps} steps, {} bytes left", used());
}

#[test]
fn a_clear_writes_the_words_that_are_held_and_no_thread_finds_the_others_again() {
    let (store, map) = filled(&Config { shards: Some(1), ..Config::default() }, 1_000, Ttl::Default);
    let stamp_of = |n| map.get(Key::string(&key_of(n)), &mut Vec::new()).unwrap().unwrap().place.stamp.unwrap();
    let (held, other) = (stamp_of(0), stamp_of(999));
    assert_ne!(held.chunk(), other.chunk());
    let words = map.words(held.chunk()).unwrap();
    let word = || words.cells()[held.word() as usize].load(crate::store::platform::sync::Ordering::Acquire);
    assert_eq!(word(), held.version());
    map.clear().unwrap();
    assert_eq!(word(), 0);
    assert!(map.words(other.chunk()).is_none() && map.words(held.chunk()).is_none());
    drop(store);
}

#[test]
fn one_call_evicts_a_bounded_number_to_come_below_a_goal() {
    let config = Config { max_entries: Some(100_000), shards: Some(4), ..Config::default() };
    let (store, map) = filled(&config, 20_000, Ttl::Default);
    let half = store.stats().memory.total / 2;
    while store.stats().memory.total > half && !map.is_empty() {
        let gone = map.evict_to(half).unwrap();
        assert!((1..=4_096 + 256).contains(&gone), "{gone} at once");
    }
    assert!(map.len() < 16_000);
}

#[test]
fn entries_leave_many_shards_alike_and_their_bytes_are_free() {
    let config = Config { max_entries: Some(1 << 20), shards: Some(4_096), ..Config::default() };
    let (store, map) = filled(&config, 40_000, Ttl::Default);
    assert_eq!((map.evict(10_000).unwrap(), map.len()), (10_000, 30_000));
    let lens = || store.all_shards().iter().map(super::super::shard::Shard::len);
    assert!(lens().max().unwrap() - lens().min().unwrap() <= 10, "those that hold most give");
    assert_eq!(store.stats().memory.retired, 0, "one fence serves all");
    let mut candidates = Vec::new();
    map.candidates(32, &mut candidates).unwrap();
    assert_eq!(candidates.len(), 32);
    assert_eq!((map.evict(1_000_000).unwrap(), map.len()), (30_000, 0));
}

#[test]
fn a_large_value_has_whole_shards_evicted_and_never_its_own() {
    let limit = 16 << 20;
    let config = Config { memory_limit_bytes: Some(limit), shards: Some(8), ..Config::default() };
    let (store, map) = filled(&config, 300_000, Ttl::Default);
    let stats = || store.stats();
    let (before, entries) = (stats().evictions, map.len());
    let handles: Vec<Handle> = (0..8)
        .map(|shard| {
            let mut found = Vec::new();
            store.all_shards()[shard].candidates(1, &mut found).unwrap();
            found[0]
        })
        .collect();
    // It is large beside the entries, and half of what an empty map has room for.
    let value = vec![1; 7 << 20];
    let placed = map.set(Key::string("large"), bytes_value(&value), Ttl::Default).unwrap().place.handle;
    let lens: Vec<u64> = store.all_shards().iter().map(super::super::shard::Shard::len).collect();
    let emptied = lens.iter().filter(|&&len| len == 0).count();
    assert!((3..=6).contains(&emptied) && lens[placed.shard as usize] > 1, "{lens:?}");
    assert_eq!(stats().evictions - before, entries + 1 - map.len());
    assert!(stats().memory.total <= limit);
    for (shard, handle) in (0..).zip(handles).filter(|(shard, _)| lens[*shard as usize] == 0) {
        assert_eq!(map.check(handle), Err(Error::HandleNotFound), "evicted from shard {shard}, not cleared");
    }
    // In place of the old value, which stays until the new one is there.
    map.set(Key::string("large"), bytes_value(&value[1..]), Ttl::Default).unwrap();
    assert!(map.has(placed).unwrap());
    map.clear().unwrap();
    assert_eq!(map.check(placed), Err(Error::HandleInvalidated));
}

#[test]
fn a_value_is_judged_by_what_an_empty_map_could_hold() {
    let config = Config { memory_limit_bytes: Some(16 << 20), shards: Some(8), ..Config::default() };
    let (store, map) = filled(&config, 300_000, Ttl::Default);
    let memory = store.stats().memory;
    let beside = memory.total - memory.entries;
    let value = vec![1; (16 << 20) - beside as usize];
    assert!(map.set(Key::string("too large"), bytes_value(&vec![0; 16 << 20]), Ttl::Default).is_err());
    map.set(Key::string("large"), bytes_value(&value), Ttl::Default).unwrap();
}

#[test]
fn a_window_asks_only_the_shards_whose_turn_has_come() {
    let (_store, map) = filled(&Config { shards: Some(4_096), ..Config::default() }, 20_000, Ttl::Default);
    let asked = |after: u64, count: usize, steps: &mut Vec<Step>| {
        let before = ASKED.get();
        map.walk(after, count, steps).unwrap();
        ASKED.get() - before
    };
    let (mut steps, mut other) = (Vec::new(), Vec::new());
    assert!(asked(0, 4, &mut steps) <= 8);
    // Three go through it in turns: one at its end, one in its middle, one that begins.
    let (mut at, mut given) = ([0; 3], 0);
    loop {
        let before = given;
        for (n, at) in at.iter_mut().enumerate().filter(|&(n, _)| before >= n * 5_000) {
            let asked = asked(*at, 64, &mut other);
            assert!(asked <= 2 * 64 + 8, "iterator {n} asked {asked} shards for {} entries", other.len());
            *at = other.last().map_or(*at, |step| step.sequence);
            given += other.len();
        }
        if given == before {
            break;
        }
    }
    assert_eq!(given, 3 * 20_000);
    // Another writer's entries do not make those ask again that have none.
    map.set(Key::string("late"), bytes_value(b"v"), Ttl::Default).unwrap();
    assert!(asked(at[0], 64, &mut other) <= 8 && other.len() == 1);
    for n in 0..5_000 {
        map.delete(Key::string(&key_of(n))).unwrap();
    }
    assert!(asked(0, 4, &mut steps) <= 8 && steps.len() == 4, "those that are gone are not looked for");
}

#[test]
fn a_purge_ends_when_its_time_is_over_and_has_taken_something_out() {
    let (store, map) = filled(&Config { shards: Some(1_024), ..Config::default() }, 20_000, Ttl::Of(10));
    store.context.clock.advance(10);
    let no_time = Patience::new(std::time::Duration::ZERO);
    let mut purged = 0;
    while !map.is_empty() {
        let more = store.purge_expired_for(&map.member(), &no_time).unwrap();
        assert!(more <= 512, "{more} at once");
        purged += more;
    }
    assert!(purged <= 20_000);
}

/// What is in it is taken out, shard by shard, and freed in the background.
#[test]
fn the_end_of_a_large_map_takes_its_caller_no_look_at_its_shards() {
    for is_destroyed in [true, false] {
        let (store, map) = filled(&Config { shards: Some(4_096), ..Config::default() }, 20_000, Ttl::Default);
        let memory = Arc::clone(&store.context.memory);
        let stamp = map.get(Key::string("7"), &mut Vec::new()).unwrap().unwrap().place.stamp.unwrap();
        let words = map.words(stamp.chunk()).unwrap();
        let word = || words.cells()[stamp.word() as usize].load(crate::store::platform::sync::Ordering::Acquire);
        let before = DETACHED.get();
        if is_destroyed {
            store.destroy();
            assert_eq!(word(), 0, "copies have ended when it returns");
            assert_eq!(map.get(Key::string("7"), &mut Vec::new()), Err(Error::Closed));
        } else {
            drop((map, store));
        }
        assert_eq!(DETACHED.get(), before);
        // All of it goes, but for the words that are held, and the shards of the map that is held.
        let left = if is_destroyed { memory.used(Use::Fixed) } else { 0 } + words.bytes() as u64;
        while memory.total() > left {
            std::thread::yield_now();
        }
        assert_eq!(word(), 0);
    }
}

#[test]
fn whoever_lacks_memory_frees_it_and_leaves_it_to_others_to_give_it_back_to_the_system() {
    let (store, map) = filled(&Config { shards: Some(1), ..Config::default() }, 200_000, Ttl::Default);
    let mut contents = store.all_shards()[0].detach(&map.member(), Cause::Cleared).unwrap();
    let (before, used) = (RELEASED.get(), store.memory_bytes());
    // The pages: tables, which are mapped, come last.
    while used - store.memory_bytes() < 3 << 20 {
        assert!(!contents.free_some());
    }
    assert_eq!(RELEASED.get(), before);
}

#[test]
fn a_huge_value_that_is_not_used_is_freed_in_the_background() {
    let (store, map) = filled(&Config { shards: Some(1), ..Config::default() }, 1, Ttl::Default);
    let (value, before) = (vec![1; 32 << 20], store.memory_bytes());
    let key = Key::string("0");
    let draft = Draft {
        key: Some((key, store.context.hasher.hash(key))),
        value: bytes_value(&value),
        type_id: 0,
        ttl: Ttl::Default,
    };
    let released = RELEASED.get();
    // Another write was faster.
    let mut written = None;
    let done = store.all_shards()[0].write_key(&map.member(), &draft, Presence::Absent, &mut written);
    assert_eq!((done, written), (Ok(()), None));
    assert!(RELEASED.get() - released < 8 << 20, "{} bytes by the caller", RELEASED.get() - released);
    while store.context.is_freeing() {
        std::thread::yield_now();
    }
    assert_eq!(store.memory_bytes(), before);
    assert_eq!(store.validate().unwrap(), []);
}

/// It takes as long whatever the number of its entries is, and one by one they would be too many.
#[test]
fn a_large_value_empties_the_only_shard_unless_it_is_about_one_of_its_entries() {
    let config = Config { memory_limit_bytes: Some(16 << 20), shards: Some(1), ..Config::default() };
    let value = vec![1; 3 << 20];
    for key in ["new", "199999"] {
        let (store, map) = filled(&config, 200_000, Ttl::Default);
        let before = map.place_of(Key::string(key)).unwrap().map(|place| place.handle);
        let detached = DETACHED.get();
        let place = map.set(Key::string(key), bytes_value(&value), Ttl::Default).unwrap().place;
        assert_eq!(DETACHED.get() - detached, usize::from(before.is_none()));
        assert!(before.is_none_or(|before| before == place.handle), "the handle stays");
        assert_eq!(map.get(Key::string(key), &mut Vec::new()).unwrap().unwrap().kind, ValueKind::Buffer);
        assert_eq!(store.validate().unwrap(), []);
    }
}

struct NoWake;

impl Wake for NoWake {
    fn wake(&self) {}
}

#[test]
fn a_clear_looks_at_no_more_entries_than_its_audience_has_room_for() {
    for shards in [1, 256] {
        let (store, map) = filled(&Config { shards: Some(shards), ..Config::default() }, 60_000, Ttl::Default);
        let audience = store.watch_removals(Cause::Cleared.bit(), Arc::new(NoWake));
        let before = PUSHED.get();
        map.clear().unwrap();
        let looked_at = PUSHED.get() - before;
        let (mut told, mut dropped, mut taken) = (0, 0, Vec::new());
        loop {
            let more = audience.take(1_000, usize::MAX, &mut taken);
            if taken.is_empty() && more == 0 {
                break;
            }
            told += taken.drain(..).count();
            dropped += more as usize;
        }
        assert!(told > 16_000 && told + dropped == 60_000, "{told} told, {dropped} dropped");
        assert!(looked_at <= told + shards as usize, "{looked_at} looked at for {told}");
    }
}
