//! The limit of the process, over maps that evict and maps that do not.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::*;
use crate::store::platform::background;

const MB: u64 = 1 << 20;
const LIMIT: u64 = 4 * MB;

/// A limit for the maps of a test. Dropping it removes the limit.
struct Limited(Arc<Process>);

impl Limited {
    /// Without a steward: all that happens is the writes' doing.
    fn alone(bytes: u64) -> Self {
        background::refuse(true);
        let process = Process::current();
        process.set_limit(Some(bytes));
        background::refuse(false);
        Self(process)
    }

    fn used(&self) -> u64 {
        self.0.maps().1
    }
}

impl Drop for Limited {
    fn drop(&mut self) {
        self.0.set_limit(None);
    }
}

fn evicting() -> Arc<Store> {
    Store::new(&Config { eviction: Some(PolicyKind::default()), shards: Some(4), ..Config::default() }).unwrap()
}

fn refusing() -> Arc<Store> {
    Store::new(&Config { shards: Some(4), ..Config::default() }).unwrap()
}

fn set(map: &Local, n: u64, bytes: usize) -> Result<Written, Error> {
    map.set(Key::string(&n.to_string()), bytes_value(&vec![n as u8; bytes]), Ttl::Default)
}

/// Writes until a write is refused, at most so many; how many were not.
fn fill(map: &Local, count: u64, limited: &Limited) -> Result<(), (u64, Error)> {
    (0..count).try_for_each(|n| {
        let written = set(map, n, 500);
        assert!(limited.used() <= LIMIT, "{} after {n}", limited.used());
        written.map(|_| ()).map_err(|refused| (n, refused))
    })
}

fn until(what: &str, is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(60), "{what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_value_that_leaves_no_room_for_the_map_itself_is_too_large_and_evicts_nothing() {
    let limited = Limited::alone(LIMIT);
    let map = evicting().join();
    fill(&map, 100, &limited).unwrap();
    let refused = set(&map, 100, LIMIT as usize - 4096).unwrap_err();
    assert!(matches!(refused, Error::ValueTooLarge { limit_bytes, .. } if limit_bytes < LIMIT), "{refused:?}");
    assert!((0..100).all(|n| map.has(Key::string(&n.to_string())).unwrap()));
}

#[test]
fn the_map_that_is_written_evicts_first_and_then_the_others_for_one_that_does_not() {
    let (cache, plain) = (evicting(), refusing());
    let limited = Limited::alone(LIMIT);
    fill(&cache.join(), 20_000, &limited).unwrap();
    let full = cache.memory_bytes();
    assert!(full > LIMIT * 3 / 4 && cache.len() < 20_000);
    // What does not evict takes what it needs from what does, until nothing is left there.
    let map = plain.join();
    let (written, refused) = fill(&map, 20_000, &limited).unwrap_err();
    assert!(matches!(refused, Error::MemoryLimit { scope: Scope::Process, limit_bytes: LIMIT, .. }), "{refused}");
    assert!(plain.len() == written && plain.memory_bytes() > full / 2, "{written} of {}", plain.memory_bytes());
    assert_eq!(plain.stats().evictions, 0);
    assert!((0..written).all(|n| map.has(Key::string(&n.to_string())).unwrap()));
    // What it gives back is the others' again.
    map.clear().unwrap();
    until("it is free", || limited.used() < LIMIT / 2);
    fill(&cache.join(), 20_000, &limited).unwrap();
    assert!(cache.len() > 1_000);
}

#[test]
fn a_map_that_is_written_grows_to_a_share_whoever_was_first() {
    let first = evicting();
    let limited = Limited::alone(LIMIT);
    fill(&first.join(), 20_000, &limited).unwrap();
    let second = evicting();
    fill(&second.join(), 20_000, &limited).unwrap();
    let (one, other) = (first.memory_bytes(), second.memory_bytes());
    assert!(other * 5 > one, "{other} beside {one}");
    assert!(one > LIMIT / 4, "and the first keeps what it uses: {one}");
}

#[test]
fn a_map_that_has_entries_before_the_process_is_full_grows_to_a_share_too() {
    let (first, second) = (evicting(), evicting());
    let limited = Limited::alone(LIMIT);
    // So that it has entries of its own to evict whenever a write is refused.
    fill(&second.join(), 100, &limited).unwrap();
    fill(&first.join(), 20_000, &limited).unwrap();
    fill(&second.join(), 20_000, &limited).unwrap();
    let (one, other) = (first.memory_bytes(), second.memory_bytes());
    assert!(other * 5 > one, "{other} beside {one}");
}

#[test]
fn maps_give_way_in_proportion_to_what_they_use() {
    let (large, small, plain) = (evicting(), evicting(), refusing());
    let limited = Limited::alone(LIMIT);
    fill(&large.join(), 4_000, &limited).unwrap();
    fill(&small.join(), 1_000, &limited).unwrap();
    let before = [&large, &small].map(|store| store.len());
    assert_eq!(before, [4_000, 1_000], "there is room for all");
    fill(&plain.join(), 2_500, &limited).unwrap();
    let gone = [&large, &small].map(|store| store.stats().evictions);
    assert!(gone[0] > gone[1] && gone[1] > 0, "{gone:?}");
    assert!(large.len() > 2 * small.len(), "{} and {}", large.len(), small.len());
}

#[test]
fn a_map_that_is_made_in_a_full_process_has_room_if_another_gives_way() {
    let limited = Limited::alone(LIMIT);
    let plain = refusing();
    let map = plain.join();
    // Down to less than a map takes.
    while set(&map, plain.len(), 3_000).is_ok() {}
    while set(&map, plain.len(), 40).is_ok() {}
    let many = Config { shards: Some(1_024), ..Config::default() };
    let refused = Store::new(&many).err();
    assert!(matches!(refused, Some(Error::MemoryLimit { scope: Scope::Process, .. })), "{refused:?}");
    map.clear().unwrap();
    until("it is free", || limited.used() < LIMIT / 2);
    let cache = evicting();
    fill(&cache.join(), 20_000, &limited).unwrap();
    drop(Store::new(&many).unwrap());
}

#[test]
fn a_map_that_ends_gives_its_bytes_back() {
    let limited = Limited::alone(LIMIT);
    let before = limited.used();
    for round in 0..3 {
        let store = if round == 0 { evicting() } else { refusing() };
        let map = store.join();
        for n in 0..3_000 {
            set(&map, n, 500).unwrap();
        }
        assert!(limited.used() > before + MB);
        if round == 2 {
            store.destroy();
        }
        drop((map, store));
        until("all is given back", || limited.used() == before);
    }
    assert_eq!(limited.0.maps(), (0, 0));
}

#[test]
fn a_value_that_is_larger_than_the_limit_evicts_nothing() {
    let cache = evicting();
    let limited = Limited::alone(LIMIT);
    let map = cache.join();
    fill(&map, 2_000, &limited).unwrap();
    let refused = set(&map, 1, LIMIT as usize + 1);
    assert!(matches!(refused, Err(Error::ValueTooLarge { limit_bytes: LIMIT, .. })));
    let plain = refusing();
    let refused = set(&plain.join(), 1, LIMIT as usize - 1_000);
    assert!(matches!(refused, Err(Error::MemoryLimit { scope: Scope::Process, .. })), "more than the others have");
    assert_eq!(cache.len(), 2_000);
    // One that fits takes the place of many.
    set(&plain.join(), 1, 3 * MB as usize).unwrap();
    set(&map, 1, 500).unwrap();
    assert!(cache.len() < 2_000 && limited.used() <= LIMIT);
}

#[test]
fn the_steward_brings_use_below_a_limit_that_was_set_below_it_and_tells() {
    struct Silent;
    impl Wake for Silent {
        fn wake(&self) {}
    }
    let (large, small, plain) = (evicting(), evicting(), refusing());
    for (store, count) in [(&large, 12_000), (&small, 4_000), (&plain, 1_000)] {
        let map = store.join();
        for n in 0..count {
            set(&map, n, 500).unwrap();
        }
    }
    let lines = plain.listen(Level::Info, LogTarget::Memory.bit(), false, Arc::new(Silent));
    let pressure = Process::current().watch_pressure(vec![0.5], Arc::new(Silent));
    let process = Process::current();
    assert!(process.maps().1 > LIMIT);
    let limited = Limited(Arc::clone(&process));
    process.set_limit(Some(LIMIT));
    until("it is below the limit", || limited.used() <= LIMIT * 94 / 100);
    assert!(limited.used() > LIMIT * 8 / 10, "and not much below: {}", limited.used());
    assert_eq!((plain.len(), plain.stats().evictions), (1_000, 0));
    let ratio = large.memory_bytes() as f64 / small.memory_bytes() as f64;
    assert!((2.0..5.0).contains(&ratio), "in proportion: {ratio}");
    let told = pressure.take().unwrap();
    assert!(told.rising && told.limit_bytes == Some(LIMIT) && told.used_bytes > LIMIT, "{told:?}");
    process.set_limit(Some(64 * MB));
    let codes = || -> Vec<_> {
        let code = |event: Event| if let Event::Log { line, .. } = event { line.code } else { "" };
        lines.drain(usize::MAX).events.into_iter().map(code).collect()
    };
    let told = std::cell::RefCell::new(Vec::new());
    until("it is told", || {
        told.borrow_mut().extend(codes());
        told.borrow().last() == Some(&"process.normal")
    });
    assert_eq!(told.borrow()[0], "process.pressure");
    assert!(pressure.take().is_some_and(|news| !news.rising && !news.is_high));
}

#[test]
fn threads_that_write_to_several_maps_stay_below_the_limit() {
    let stores = [evicting(), evicting(), refusing()];
    let process = Process::current();
    let limited = Limited(Arc::clone(&process));
    process.set_limit(Some(LIMIT));
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let watching = scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                assert!(limited.used() <= LIMIT, "{}", limited.used());
            }
        });
        let writing: Vec<_> = (0..4_u64)
            .map(|thread| {
                let stores = &stores;
                scope.spawn(move || {
                    let maps = stores.each_ref().map(Store::join);
                    let mut random = Random(thread);
                    for n in 0..6_000_u64 {
                        let map = &maps[random.below(3) as usize];
                        let bytes = if n % 100 == 0 { 30_000 } else { random.below(900) as usize };
                        let key = random.below(3_000);
                        match set(map, key, bytes) {
                            Ok(_) => {}
                            Err(Error::MemoryLimit { .. }) => {
                                map.delete(Key::string(&random.below(3_000).to_string())).unwrap();
                            }
                            Err(refused) => panic!("{refused}"),
                        }
                    }
                })
            })
            .collect();
        for thread in writing {
            thread.join().unwrap();
        }
        is_over.store(true, Ordering::Relaxed);
        watching.join().unwrap();
    });
    for store in &stores {
        assert_eq!(store.validate().unwrap(), []);
    }
    drop(stores);
    until("all is given back", || limited.used() == 0);
}
