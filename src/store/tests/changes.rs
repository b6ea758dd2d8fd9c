//! What listeners to changes are told: everything that is written, in the order of its key, within bounds.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::*;
use crate::store::memory::budget::Use;
use crate::store::observe::queue::PUSHED;

/// Counts how often it was woken.
#[derive(Default)]
struct Alarm(AtomicUsize);

impl Wake for Alarm {
    fn wake(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Alarm {
    fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// Everything that there is to hear.
fn everything() -> u32 {
    let causes = Cause::ALL.into_iter().map(What::Removed);
    causes.chain(What::WRITES).fold(0, |all, what| all | what.bit())
}

fn listen(store: &Arc<Store>, glob: &str) -> (ChangeAudience, Arc<Alarm>) {
    let alarm = Arc::new(Alarm::default());
    let glob = (!glob.is_empty()).then(|| Glob::new(Key::string(glob)).unwrap());
    (store.watch_changes(everything(), glob, Arc::clone(&alarm) as Arc<dyn Wake>), alarm)
}

/// All that waits, and how many found no room.
fn take(audience: &mut ChangeAudience) -> (Vec<Report>, u64) {
    let (mut reports, mut dropped) = (Vec::new(), 0);
    loop {
        let taken = audience.take(64, 1 << 20, &mut reports);
        dropped += taken.dropped;
        if !taken.has_more {
            return (reports, dropped);
        }
    }
}

fn in_words(reports: &[Report]) -> Vec<String> {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    reports.iter().map(|one| format!("{:?} {} {}", one.what, text(one.key()), text(one.value()))).collect()
}

fn set(map: &Local, key: &str, value: &str) {
    map.set(Key::string(key), bytes_value(value.as_bytes()), Ttl::Default).unwrap();
}

#[test]
fn every_way_into_a_shard_is_told_and_in_order() {
    let store = Store::new(&Config { shards: Some(1), ..Config::default() }).unwrap();
    let map = store.join();
    let (mut audience, alarm) = listen(&store, "");
    set(&map, "a", "1");
    set(&map, "a", "2");
    let mut transaction = Transaction::default();
    let key = |name| Target::Key(Key::string(name));
    transaction.set(&map, key("a"), bytes_value(b"3"), Ttl::Default).unwrap();
    transaction.set(&map, key("b"), bytes_value(b"4"), Ttl::Default).unwrap();
    transaction.commit(&map).unwrap();
    map.delete(Key::string("a")).unwrap();
    map.clear().unwrap();
    let (reports, dropped) = take(&mut audience);
    let expected = [
        "Created a 1",
        "Removed(Replaced) a 1",
        "Updated a 2",
        "Removed(Replaced) a 2",
        "Updated a 3",
        "Created b 4",
        "Removed(Explicit) a 3",
        "Removed(Cleared) b 4",
    ];
    assert_eq!(in_words(&reports), expected);
    assert_eq!((dropped, alarm.count()), (0, 1), "it has not yet seen that nothing waits");
    set(&map, "c", "5");
    assert_eq!(alarm.count(), 2);
    drop(audience);
    assert!(!store.context.removals.are_wanted(everything()));
}

#[test]
fn the_type_of_a_change_is_known_until_it_is_dropped() {
    let store = Store::new(&Config::default()).unwrap();
    let map = store.join();
    let (mut audience, _alarm) = listen(&store, "");
    let hold = map.hold_type("T").unwrap();
    let handle = map.insert(bytes_value(b"1"), hold.id(), Ttl::Default).unwrap().place.handle;
    drop(hold);
    map.delete(Target::Handle(handle)).unwrap();
    let (reports, _) = take(&mut audience);
    assert!(reports.iter().all(|report| report.type_hold.is_some() && report.type_id != 0));
    assert!(store.context.types.name(reports[0].type_id).is_some());
}

#[test]
fn keys_that_begin_otherwise_take_no_room_and_others_are_compared() {
    let store = Store::new(&Config::default()).unwrap();
    let map = store.join();
    let (mut beginning, quiet) = listen(&store, "config:?");
    let (mut ending, alarm) = listen(&store, "*:a");
    for n in 0..5_000 {
        set(&map, &format!("other {n}"), "1");
    }
    assert_eq!((quiet.count(), alarm.count()), (0, 1));
    assert_eq!(store.context.removals.change_stats().waiting, 5_000);
    // Nothing matches, and it is woken again afterwards.
    assert_eq!(take(&mut ending).0.len(), 0);
    set(&map, "config:a", "1");
    set(&map, "config:long", "1");
    assert_eq!(alarm.count(), 2);
    for audience in [&mut beginning, &mut ending] {
        assert_eq!(in_words(&take(audience).0), ["Created config:a 1"]);
    }
    assert_eq!(store.context.removals.change_stats().waiting, 0);
}

#[test]
fn one_call_compares_a_bounded_number() {
    let store = Store::new(&Config::default()).unwrap();
    let map = store.join();
    let (mut audience, _alarm) = listen(&store, "*:a");
    for n in 0..10_000 {
        set(&map, &format!("other {n}"), "1");
    }
    let mut reports = Vec::new();
    let taken = audience.take(64, 1 << 20, &mut reports);
    let left = store.context.removals.change_stats().waiting;
    assert!(taken.has_more && reports.is_empty());
    assert!((8_000..10_000).contains(&left), "{left} wait");
}

#[test]
fn a_clear_looks_at_a_bounded_number_of_other_keys() {
    let store = Store::new(&Config { shards: Some(64), ..Config::default() }).unwrap();
    let map = store.join();
    for n in 0..60_000 {
        set(&map, &format!("other {n}"), "1");
    }
    set(&map, "config:a", "1");
    let (mut audience, _alarm) = listen(&store, "config:*");
    let before = PUSHED.get();
    map.clear().unwrap();
    let looked_at = PUSHED.get() - before;
    assert!((16_000..17_000).contains(&looked_at), "{looked_at} were looked at");
    let (reports, dropped) = take(&mut audience);
    assert!(reports.len() as u64 + dropped >= 40_000, "{dropped} were dropped");
}

#[test]
fn what_found_no_room_is_counted_and_said() {
    let store = Store::new(&Config::default()).unwrap();
    let map = store.join();
    let (mut audience, _alarm) = listen(&store, "");
    for n in 0..20_000 {
        set(&map, &n.to_string(), "1");
    }
    let stats = store.context.removals.change_stats();
    assert!(stats.waiting <= 16_384 && stats.waiting + stats.dropped == 20_000);
    let (reports, dropped) = take(&mut audience);
    assert_eq!((reports.len() as u64, dropped), (stats.waiting, stats.dropped));
    assert!(reports.iter().enumerate().all(|(n, one)| one.key() == n.to_string().as_bytes()));
    let after = store.context.removals.change_stats();
    assert_eq!((after.waiting, after.waiting_bytes, after.dropped), (0, 0, dropped));
}

#[test]
fn changes_of_a_key_by_many_threads_are_told_in_their_order() {
    const THREADS: u64 = 3;
    const STEPS: u64 = if cfg!(any(tsan, miri)) { 100 } else { 1_500 };
    let store = Store::new(&Config { shards: Some(2), ..Config::default() }).unwrap();
    let (mut audience, _alarm) = listen(&store, "");
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let store = &store;
            scope.spawn(move || {
                let map = store.join();
                for n in 0..STEPS {
                    let key = format!("key {}", (n + thread) % 2);
                    if n % 3 == 0 {
                        map.delete(Key::string(&key)).unwrap();
                    }
                    set(&map, &key, &format!("{thread}.{n}"));
                }
            });
        }
    });
    let (reports, dropped) = take(&mut audience);
    assert_eq!(dropped, 0);
    for key in ["key 0", "key 1"] {
        // What the entry was after each change, as a thread that follows them knows it.
        let mut value: Option<Vec<u8>> = None;
        for report in reports.iter().filter(|report| report.key() == key.as_bytes()) {
            match report.what {
                What::Created => assert_eq!(value.replace(report.value().to_vec()), None),
                What::Updated => value = Some(report.value().to_vec()),
                What::Removed(Cause::Replaced) => assert_eq!(value.as_deref(), Some(report.value())),
                What::Removed(_) => assert_eq!(value.take().as_deref(), Some(report.value())),
            }
        }
        let mut out = Vec::new();
        let found = store.join().get(Key::string(key), &mut out).unwrap();
        assert_eq!(value, found.map(|_| out));
    }
}

/// A value of 50,000 bytes that says which it is.
fn large(n: u64) -> Vec<u8> {
    n.to_le_bytes().repeat(6_250)
}

/// Whether a report has the whole of such a value.
fn is_whole(report: &Report) -> bool {
    let n = report.value().first_chunk().map(|bytes| u64::from_le_bytes(*bytes));
    n.is_some_and(|n| report.value() == large(n))
}

fn set_large(map: &Local, key: &str, n: u64) {
    map.set(Key::string(key), bytes_value(&large(n)), Ttl::Default).unwrap();
}

#[test]
fn a_large_value_is_held_by_all_that_are_told_and_costs_the_map_nothing_once_it_is_gone() {
    let store = Store::new(&Config { shards: Some(1), ..Config::default() }).unwrap();
    let map = store.join();
    let (mut one, _alarm) = listen(&store, "");
    let (mut other, _alarm) = listen(&store, "large*");
    set_large(&map, "large", 1);
    let with_it = store.context.memory.used(Use::Entries);
    map.delete(Key::string("large")).unwrap();
    store.shrink_to_fit().unwrap();
    let memory = &store.context.memory;
    assert!(with_it > 50_000 && memory.used(Use::Entries) < 50_000, "the reports keep it, and the map has none of it");
    // What is written next gets other memory.
    for n in 2..40 {
        set_large(&map, "another", n);
    }
    map.clear().unwrap();
    let (mine, theirs) = (take(&mut one).0, take(&mut other).0);
    assert_eq!(theirs.len(), 2);
    for (mine, theirs) in mine.iter().zip(&theirs) {
        assert!(std::ptr::eq(mine.value(), theirs.value()), "no copy was made");
        assert!(mine.value() == large(1) && mine.key() == b"large");
    }
    assert!(mine[2..].iter().all(is_whole));
    drop(theirs);
    assert!(mine.iter().all(is_whole));
    drop(mine);
    assert_eq!(store.validate().unwrap(), []);
}

#[test]
fn what_is_held_outlives_a_clear_and_its_map() {
    let store = Store::new(&Config::default()).unwrap();
    let map = store.join();
    let (mut audience, _alarm) = listen(&store, "");
    for n in 0..10 {
        set_large(&map, &n.to_string(), n);
    }
    map.clear().unwrap();
    let (reports, _) = take(&mut audience);
    store.destroy();
    drop((audience, map, store));
    assert!(reports.len() == 20 && reports.iter().all(is_whole));
}

#[test]
fn large_values_are_whole_whoever_drops_them_last() {
    const STEPS: u64 = if cfg!(any(tsan, miri)) { 100 } else { 2_000 };
    let store = Store::new(&Config { memory_limit_bytes: Some(2 << 20), ..Config::default() }).unwrap();
    let (mut audience, _alarm) = listen(&store, "");
    thread::scope(|scope| {
        let writers: Vec<_> = (0..2)
            .map(|thread| {
                let store = &store;
                scope.spawn(move || {
                    let map = store.join();
                    for n in 0..STEPS {
                        set_large(&map, &format!("key {}", n % 20), n * 2 + thread);
                        if n % 100 == 0 {
                            map.clear().unwrap();
                        }
                    }
                })
            })
            .collect();
        let (mut seen, mut reports) = (0, Vec::new());
        while seen == 0 || writers.iter().any(|writer| !writer.is_finished()) {
            audience.take(8, 1 << 20, &mut reports);
            assert!(reports.iter().all(is_whole));
            seen += reports.drain(..).count();
        }
    });
    let waiting = store.context.removals.change_stats();
    assert!(waiting.waiting_bytes <= 4 << 20);
    assert_eq!(store.validate().unwrap(), []);
}
