//! Many threads on one map. These are the tests to run under a sanitizer.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use super::*;

/// Fewer rounds where every access is instrumented.
const ROUNDS: u64 = if cfg!(any(tsan, miri)) { 3_000 } else { 60_000 };

/// A value that shows whether it was torn, mixed up or freed: writer, number, and a run of bytes that follows from
/// both.
fn stamped(key: u64, writer: u64, number: u64) -> Vec<u8> {
    let fill = (key ^ writer ^ number) as u8;
    let length = 8 + (number * 37 % 300) as usize;
    let mut bytes = Vec::with_capacity(24 + length);
    for part in [key, writer, number] {
        bytes.extend_from_slice(&part.to_le_bytes());
    }
    bytes.resize(24 + length, fill);
    bytes
}

fn check_stamp(bytes: &[u8], expected_key: u64) -> (u64, u64) {
    let part = |n: usize| u64::from_le_bytes(bytes[n * 8..n * 8 + 8].try_into().unwrap());
    let (key, writer, number) = (part(0), part(1), part(2));
    assert_eq!(key, expected_key);
    assert_eq!(bytes, stamped(key, writer, number));
    (writer, number)
}

/// Few keys, so that readers and writers meet all the time, amid growth and `clear`. Per key and writer no reader sees
/// time go backwards, and every value is whole.
#[test]
fn values_are_whole_and_never_go_back() {
    const KEYS: u64 = 16;
    let store = Store::new(&Config { shards: Some(2), ..Config::default() }).unwrap();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let writers: Vec<_> = (0..2_u64)
            .map(|writer| {
                let map = store.join();
                scope.spawn(move || {
                    let mut random = Random(writer + 1);
                    for number in 1..=ROUNDS {
                        let key = random.below(KEYS);
                        let bytes = stamped(key, writer, number);
                        match random.below(20) {
                            0 => drop(map.delete(Key::string(&key.to_string())).unwrap()),
                            1 if number % 512 == 0 => map.clear().unwrap(),
                            // Others come and go, so that the index grows, shrinks and moves under the readers.
                            2..6 => {
                                let other = format!("other-{}", random.below(3_000));
                                map.set(Key::string(&other), bytes_value(&bytes), Ttl::Default).unwrap();
                            }
                            6..9 => {
                                let other = format!("other-{}", random.below(3_000));
                                map.delete(Key::string(&other)).unwrap();
                            }
                            _ => _ = map.set(Key::string(&key.to_string()), bytes_value(&bytes), Ttl::Default).unwrap(),
                        }
                    }
                })
            })
            .collect();
        for _ in 0..2 {
            let map = store.join();
            let stop = &stop;
            scope.spawn(move || {
                let mut seen = [[0_u64; 2]; KEYS as usize];
                let mut out = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    for key in 0..KEYS {
                        if map.get(Key::string(&key.to_string()), &mut out).unwrap().is_some() {
                            let (writer, number) = check_stamp(&out, key);
                            let last = &mut seen[key as usize][writer as usize];
                            assert!(number >= *last, "key {key}: {number} of writer {writer} after {last}");
                            *last = number;
                        }
                    }
                }
            });
        }
        for writer in writers {
            writer.join().unwrap();
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert_eq!(store.validate().unwrap(), []);
    store.destroy();
    assert_eq!(settled_bytes(&store), 0);
}

/// A key that is there is found, however much the index moves around it.
#[test]
fn a_present_key_is_never_missed() {
    let store = Store::new(&Config { shards: Some(1), ..Config::default() }).unwrap();
    let stop = AtomicBool::new(false);
    let reads = AtomicU64::new(0);
    let writer = store.join();
    for key in 0..32_u64 {
        writer.set(Key::string(&format!("stays-{key}")), bytes_value(&stamped(key, 0, 1)), Ttl::Default).unwrap();
    }
    thread::scope(|scope| {
        for _ in 0..2 {
            let map = store.join();
            let (stop, reads) = (&stop, &reads);
            scope.spawn(move || {
                let mut out = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    for key in 0..32_u64 {
                        let found = map.get(Key::string(&format!("stays-{key}")), &mut out).unwrap();
                        assert!(found.is_some(), "key {key} was missed");
                        check_stamp(&out, key);
                    }
                    reads.fetch_add(32, Ordering::Relaxed);
                }
            });
        }
        let mut random = Random(7);
        for round in 0..ROUNDS * 2 {
            // Waves: the index grows for a while, then shrinks.
            let grows = (round / (ROUNDS / 8)).is_multiple_of(2);
            let key = format!("comes-{}", random.below(20_000));
            if random.below(10) < if grows { 8 } else { 2 } {
                writer.set(Key::string(&key), bytes_value(b"x"), Ttl::Default).unwrap();
            } else {
                writer.delete(Key::string(&key)).unwrap();
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert!(reads.load(Ordering::Relaxed) > 0);
}

/// A handle reads its own entry or nothing, while its slot goes from tenant to tenant.
#[test]
fn a_handle_never_reads_another_entry() {
    let store = Store::new(&Config { shards: Some(1), ..Config::default() }).unwrap();
    let shared: parking_lot::Mutex<Vec<(u64, Handle)>> = parking_lot::Mutex::new(Vec::new());
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..2 {
            let map = store.join();
            let (stop, shared) = (&stop, &shared);
            scope.spawn(move || {
                let mut out = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    let handles = shared.lock().clone();
                    for (key, handle) in handles {
                        if map.get(handle, &mut out).unwrap().is_some() {
                            check_stamp(&out, key);
                        }
                    }
                }
            });
        }
        let map = store.join();
        let mut mine: Vec<(u64, Handle)> = Vec::new();
        let mut random = Random(11);
        for round in 0..ROUNDS / 2 {
            let written = map.insert(bytes_value(&stamped(round, 0, round)), 0, Ttl::Default).unwrap();
            mine.push((round, written.place.handle));
            if mine.len() > 20 {
                let (_, handle) = mine.swap_remove(random.below(20) as usize);
                assert!(map.delete(handle).unwrap());
            }
            if round % 64 == 0 {
                *shared.lock() = mine.clone();
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
}

/// Distinct keys from several threads: nothing is lost, and iteration returns each once.
#[test]
fn no_write_is_lost() {
    let store = Store::new(&Config::default()).unwrap();
    let per_thread = ROUNDS / 4;
    thread::scope(|scope| {
        for writer in 0..4_u64 {
            let map = store.join();
            scope.spawn(move || {
                for number in 0..per_thread {
                    let key = writer * per_thread + number;
                    map.set(Key::string(&key.to_string()), bytes_value(&stamped(key, writer, number)), Ttl::Default)
                        .unwrap();
                }
            });
        }
    });
    let map = store.join();
    let mut out = Vec::new();
    for key in 0..per_thread * 4 {
        assert!(map.get(Key::string(&key.to_string()), &mut out).unwrap().is_some(), "key {key}");
        check_stamp(&out, key);
    }
    let mut keys: Vec<_> = contents(&map, 100).into_iter().map(|(_, key, _)| key).collect();
    assert_eq!(keys.len() as u64, per_thread * 4);
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len() as u64, per_thread * 4);
}

/// What is looked at stays, whatever happens to the map meanwhile.
#[test]
fn a_look_outlasts_the_writes_of_others() {
    let store = Store::new(&Config { shards: Some(1), ..Config::default() }).unwrap();
    let map = store.join();
    let first = stamped(1, 0, 7);
    map.set(Key::string("k"), bytes_value(&first), Ttl::Default).unwrap();
    let writer = store.join();
    let seen = map.with(Key::string("k"), |bytes| {
        let write = move || {
            for number in 0..2_000 {
                writer.set(Key::string("k"), bytes_value(&stamped(2, 0, number)), Ttl::Default).unwrap();
                writer.get(Key::string("k"), &mut Vec::new()).unwrap();
            }
            writer.store().shrink_to_fit().unwrap();
        };
        thread::scope(|scope| scope.spawn(write).join().unwrap());
        map.get(Key::string("k"), &mut Vec::new()).unwrap();
        bytes.to_vec()
    });
    assert_eq!(seen.unwrap().unwrap(), first);
}

/// A thread that keeps a value from being freed until `until` says that it is enough.
fn look_until(map: &Local, key: Key<'_>, until: impl Fn() -> bool) {
    let seen = map.with(key, |_| {
        while !until() {
            thread::yield_now();
        }
    });
    assert!(seen.unwrap().is_some());
}

/// While a reader is suspended over what was retired, a write at the limit waits without the lock, and lets no entry
/// leave for memory that only waits for that reader.
#[test]
fn a_write_waits_for_a_suspended_reader_without_the_lock_and_evicts_little() {
    const LIMIT_BYTES: u64 = 512 * 1024;
    waits_for_a_suspended_reader(1, LIMIT_BYTES, 1_000);
}

/// The same where other shards make room, because the write's own holds little: here for values as large as they hold.
#[test]
fn a_write_for_which_other_shards_make_room_waits_for_a_suspended_reader() {
    const LIMIT_BYTES: u64 = 4 * 1024 * 1024;
    waits_for_a_suspended_reader(16, LIMIT_BYTES, 100_000);
}

/// Fills a map with values of 1,000 bytes, suspends a reader, and writes values of `bytes` bytes until a write waits.
fn waits_for_a_suspended_reader(shards: u32, limit_bytes: u64, bytes: usize) {
    let config = Config { shards: Some(shards), memory_limit_bytes: Some(limit_bytes), ..Config::default() };
    let store = Store::new(&config).unwrap();
    let (reader, writer) = (store.join(), store.join());
    let count = 4 * limit_bytes / 1_000;
    for n in 0..count {
        writer.set(Key::string(&n.to_string()), bytes_value(&[7; 1_000]), Ttl::Default).unwrap();
    }
    let last = writer.len();
    let value = vec![7; bytes];
    let held = (0..count).rev().map(|n| n.to_string()).find(|key| writer.has(Key::string(key)).unwrap()).unwrap();
    let before = store.stats().evictions;
    let (is_looking, is_seen) = (AtomicBool::new(false), AtomicBool::new(false));
    let waits = || store.context.collector.is_waiting();
    thread::scope(|scope| {
        let (looking, seen) = (&is_looking, &is_seen);
        scope.spawn(move || {
            look_until(&reader, Key::string(&held), || {
                looking.store(true, Ordering::Relaxed);
                seen.load(Ordering::Relaxed)
            });
        });
        while !is_looking.load(Ordering::Relaxed) {
            thread::yield_now();
        }
        scope.spawn(move || {
            // Ends with the first write that has to wait, at the latest.
            for n in count..3 * count {
                writer.set(Key::string(&n.to_string()), bytes_value(&value), Ttl::Default).unwrap();
                if seen.load(Ordering::Relaxed) {
                    break;
                }
            }
        });
        while !waits() {
            thread::yield_now();
        }
        // Takes the lock that the write does not hold.
        let evicted = store.stats().evictions - before;
        is_seen.store(true, Ordering::Relaxed);
        assert!(evicted < last / 4, "{evicted} of {last} entries");
    });
    assert!(store.len() > last / 2);
}

/// A large value takes the memory of a whole shard, which a suspended reader keeps from being freed: the write waits
/// for it.
#[test]
fn a_large_value_waits_for_a_suspended_reader() {
    let config = Config { shards: Some(1), memory_limit_bytes: Some(8 << 20), ..Config::default() };
    let store = Store::new(&config).unwrap();
    let (reader, writer) = (store.join(), store.join());
    for n in 0..20_000_u32 {
        writer.set(Key::string(&n.to_string()), bytes_value(&[7; 1_000]), Ttl::Default).unwrap();
    }
    let held = (0..20_000).map(|n: u32| n.to_string()).find(|key| writer.has(Key::string(key)).unwrap()).unwrap();
    let (is_looking, is_seen) = (AtomicBool::new(false), AtomicBool::new(false));
    let written = thread::scope(|scope| {
        let (looking, seen, key) = (&is_looking, &is_seen, &held);
        scope.spawn(move || {
            look_until(&reader, Key::string(key), || {
                looking.store(true, Ordering::Relaxed);
                seen.load(Ordering::Relaxed)
            });
        });
        while !is_looking.load(Ordering::Relaxed) {
            thread::yield_now();
        }
        let value = vec![7; 6 << 20];
        let write = scope.spawn(move || writer.set(Key::string("large"), bytes_value(&value), Ttl::Default));
        while !store.context.collector.is_waiting() && !write.is_finished() {
            thread::yield_now();
        }
        // Long enough for a write that does not wait to give up.
        thread::sleep(Duration::from_millis(50));
        is_seen.store(true, Ordering::Relaxed);
        write.join().unwrap()
    });
    assert!(written.is_ok(), "{written:?}");
}

/// Entries are moved to other pages under the readers: what stays is found and whole.
#[test]
fn entries_that_move_stay_readable() {
    let store = Store::new(&Config { shards: Some(1), ..Config::default() }).unwrap();
    let writer = store.join();
    let stop = AtomicBool::new(false);
    let stays: Vec<(u64, Handle)> = (0..64_u64)
        .map(|key| (key, writer.insert(bytes_value(&stamped(key, 0, 1)), 0, Ttl::Default).unwrap().place.handle))
        .collect();
    for (key, _) in &stays {
        writer.set(Key::string(&key.to_string()), bytes_value(&stamped(*key, 0, 1)), Ttl::Default).unwrap();
    }
    thread::scope(|scope| {
        for _ in 0..2 {
            let map = store.join();
            let (stop, stays) = (&stop, &stays);
            scope.spawn(move || {
                let mut out = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    for &(key, handle) in stays {
                        assert!(map.get(handle, &mut out).unwrap().is_some());
                        check_stamp(&out, key);
                        assert!(map.get(Key::string(&key.to_string()), &mut out).unwrap().is_some());
                        check_stamp(&out, key);
                    }
                }
            });
        }
        for round in 0..ROUNDS / 2_000 {
            let keys: Vec<String> = (0..1_000).map(|n| format!("other-{round}-{n}")).collect();
            for (n, key) in keys.iter().enumerate() {
                writer.set(Key::string(key), bytes_value(&stamped(1, 1, n as u64)), Ttl::Default).unwrap();
            }
            for (n, key) in keys.iter().enumerate() {
                if n % 7 != 0 {
                    writer.delete(Key::string(key)).unwrap();
                }
            }
            store.shrink_to_fit().unwrap();
            for _ in 0..50 {
                writer.delete(Key::string("nothing")).unwrap();
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
}

/// An entry is moved out of a page that is mostly free, while a reader looks at it.
#[test]
fn a_look_outlasts_the_moving_of_its_entry() {
    let store = Store::new(&Config { shards: Some(1), ..Config::default() }).unwrap();
    let map = store.join();
    let value = |n: u32| vec![n as u8; 100];
    for n in 0..3_000 {
        map.set(Key::string(&n.to_string()), bytes_value(&value(n)), Ttl::Default).unwrap();
    }
    for n in (0..3_000).filter(|n| n % 50 != 0) {
        map.delete(Key::string(&n.to_string())).unwrap();
    }
    for looked_at in [50, 1_000, 1_500, 2_000] {
        let seen = map.with(Key::string(&looked_at.to_string()), |bytes| {
            thread::scope(|scope| {
                let compacting = scope.spawn(|| {
                    store.shrink_to_fit().unwrap();
                    let other = store.join();
                    (0..200).for_each(|_| assert!(!other.delete(Key::string("nothing")).unwrap()));
                });
                compacting.join().unwrap();
            });
            bytes.to_vec()
        });
        assert_eq!(seen.unwrap(), Some(value(looked_at)));
    }
}

/// A reader keeps no copy after a clear of a value that it found before.
#[test]
fn words_are_not_found_after_a_clear_though_a_reader_keeps_them_from_being_freed() {
    let store = Store::new(&Config { shards: Some(1), ..Config::default() }).unwrap();
    let map = store.join();
    let place = map.set(Key::string("k"), bytes_value(b"first"), Ttl::Default).unwrap().place;
    let chunk = place.stamp.unwrap().chunk();
    map.with(Key::string("k"), |_| {
        let clearing = || {
            let other = store.join();
            other.clear().unwrap();
            assert!(other.words(chunk).is_none());
        };
        thread::scope(|scope| scope.spawn(clearing).join().unwrap());
    })
    .unwrap();
}

/// An iterator over a map into which other threads insert passes none of their entries over, in whatever shards they
/// are.
#[test]
fn an_iterator_passes_no_entry_over_that_is_inserted_meanwhile() {
    const EACH: u32 = 20_000;
    let store = Store::new(&Config { shards: Some(64), ..Config::default() }).unwrap();
    let insert = |thread: u32| {
        let map = store.join();
        for n in 0..EACH {
            map.set(Key::string(&format!("{thread} {n}")), bytes_value(b"v"), Ttl::Default).unwrap();
        }
    };
    let map = store.join();
    let (mut steps, mut after, mut given) = (Vec::new(), 0, 0);
    thread::scope(|scope| {
        let writers: Vec<_> = (0..2).map(|thread| scope.spawn(move || insert(thread))).collect();
        loop {
            let is_last = writers.iter().all(thread::ScopedJoinHandle::is_finished);
            map.walk(after, 16, &mut steps).unwrap();
            given += steps.len();
            match steps.last() {
                Some(last) => after = last.sequence,
                None if is_last => break,
                None => {}
            }
        }
    });
    assert_eq!(given, 2 * EACH as usize);
}
