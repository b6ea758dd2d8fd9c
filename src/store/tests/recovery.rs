//! Recovery: maps that break at random points of writes, beside other threads that read and write, and go on with what
//! was whole.

use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Condvar;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::super::eviction::PolicyKind;
use super::*;
use crate::store::entry::types::TypeHold;
use crate::store::platform::fallible::failures::refuse_nth;
use crate::store::platform::fault;

const ROUNDS: u64 = if cfg!(any(tsan, miri)) { 5 } else { 20 };
/// Threads that write, each its own keys. The first one panics.
const WRITERS: u64 = 3;
const KEYS: u64 = 60;
/// Points of writes until the one that panics, at most: some thousand writes.
const POINTS: u64 = 6_000;

/// Waits for the end of a recovery.
#[derive(Default)]
struct Bell(std::sync::Mutex<bool>, Condvar);

impl Wake for Bell {
    fn wake(&self) {
        *self.0.lock().unwrap() = true;
        self.1.notify_all();
    }
}

fn recover(store: &Arc<Store>) -> Result<Recovered, Error> {
    let bell = Arc::new(Bell::default());
    let attempt = store.recover(Arc::clone(&bell) as Arc<dyn Wake>)?;
    let mut rung = bell.0.lock().unwrap();
    while !*rung {
        rung = bell.1.wait(rung).unwrap();
    }
    attempt.outcome().unwrap()
}

fn break_map(map: &Local) {
    assert!(catch_unwind(AssertUnwindSafe(|| map.panic_for_test())).is_err());
    assert!(map.store().context.is_broken());
}

fn seed() -> u64 {
    std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_261_126)
}

/// What one thread knows of its own entries.
#[derive(Default)]
struct Own {
    values: HashMap<String, Vec<u8>>,
    /// Entries without a key, by their values, which are all different.
    keyless: HashMap<Vec<u8>, Handle>,
    /// Keys and values of writes that were under way when the map broke.
    in_doubt: HashSet<Vec<u8>>,
    handles: Vec<Handle>,
    next: u64,
}

impl Own {
    fn value(&mut self, thread: u64, random: &mut Random) -> Vec<u8> {
        self.next += 1;
        let mut value = format!("{thread}:{}:", self.next).into_bytes();
        let length = if random.below(40) == 0 { 3_000 + random.below(9_000) } else { random.below(120) };
        value.resize(value.len() + length as usize, b'.');
        value
    }

    /// One write; an error if the map is broken.
    fn write(&mut self, map: &Local, thread: u64, random: &mut Random, types: &[TypeHold]) -> Result<(), Error> {
        let text = format!("{thread}-{}", random.below(KEYS));
        let key = Key::string(&text);
        let ttl = if random.below(3) == 0 { Ttl::Of(1_000_000 + random.below(5_000_000)) } else { Ttl::Default };
        let value = self.value(thread, random);
        let type_id = types.get(random.below(4) as usize).map_or(0, TypeHold::id);
        let choice = random.below(100);
        // Until the write has returned, it is not known what it came to.
        self.in_doubt.insert(text.clone().into_bytes());
        self.in_doubt.insert(value.clone());
        match choice {
            0..45 => {
                self.handles.push(map.set(key, bytes_value(&value), ttl)?.place.handle);
                self.values.insert(text.clone(), value.clone());
            }
            45..65 => {
                map.delete(key)?;
                self.values.remove(&text);
            }
            65..75 => {
                let written = map.insert(bytes_value(&value), type_id, ttl)?;
                self.handles.push(written.place.handle);
                self.keyless.insert(value.clone(), written.place.handle);
            }
            75..82 => {
                if let Some((old, handle)) = self.keyless.iter().next().map(|(old, &handle)| (old.clone(), handle)) {
                    self.in_doubt.insert(old.clone());
                    map.delete(handle)?;
                    self.keyless.remove(&old);
                    self.in_doubt.remove(&old);
                }
            }
            82..86 => drop(map.touch(key, ttl)?),
            86..96 => self.commit(map, thread, random, &value)?,
            96 => map.store().shrink_to_fit()?,
            97 => drop(map.evict(if map.store().context.is_bounded { random.below(8) } else { 0 })?),
            _ => drop(map.purge_expired()?),
        }
        self.in_doubt.remove(text.as_bytes());
        self.in_doubt.remove(&value);
        Ok(())
    }

    /// Some writes at once.
    fn commit(&mut self, map: &Local, thread: u64, random: &mut Random, value: &[u8]) -> Result<(), Error> {
        let texts: Vec<_> = (0..4).map(|_| format!("{thread}-{}", random.below(KEYS))).collect();
        self.in_doubt.extend(texts.iter().map(|text| text.clone().into_bytes()));
        loop {
            let mut transaction = Transaction::default();
            transaction.delete(map, Target::Key(Key::string(&texts[0])))?;
            for text in &texts[1..] {
                transaction.set(map, Target::Key(Key::string(text)), bytes_value(value), Ttl::Default)?;
            }
            match transaction.commit(map) {
                Ok(()) => break,
                Err(Error::TransactionConflict) => {}
                Err(refused) => return Err(refused),
            }
        }
        self.values.remove(&texts[0]);
        for text in &texts[1..] {
            self.values.insert(text.clone(), value.to_vec());
        }
        self.in_doubt.retain(|name| !texts.iter().any(|text| text.as_bytes() == name));
        Ok(())
    }
}

/// Writes until the map breaks; this thread breaks it, if it is the first.
fn write_until_broken(store: &Arc<Store>, own: &mut Own, thread: u64, mut random: Random, types: &[TypeHold]) {
    let map = store.join();
    let points = if thread == 0 { 1 + random.below(POINTS) as u32 } else { 0 };
    let written = catch_unwind(AssertUnwindSafe(|| {
        fault::arm(points);
        loop {
            match own.write(&map, thread, &mut random, types) {
                Ok(()) => {}
                Err(Error::MemoryLimit { .. } | Error::EntryLimit { .. }) => own.in_doubt.clear(),
                Err(refused) => return refused,
            }
        }
    }));
    fault::arm(0);
    assert!(written.is_err() || matches!(written, Ok(Error::Broken)), "{written:?}");
}

fn configs(seed: u64) -> [Config; 3] {
    let plain = Config { shards: Some(4), seed: Some(seed), ..Config::default() };
    let bounded = Config {
        memory_limit_bytes: Some(600_000),
        max_entries: Some(150),
        eviction: Some(PolicyKind::Lru),
        ..plain.clone()
    };
    [plain.clone(), Config { shards: Some(1), sliding: Some(true), ..plain }, bounded]
}

#[test]
fn a_map_that_broke_at_any_point_goes_on_with_what_was_whole() {
    for (at, config) in configs(1).into_iter().enumerate() {
        let mut random = Random(seed() + at as u64);
        let store = Store::new(&config).unwrap();
        let main = store.join();
        let types: Vec<_> = ["a", "b"].map(|name| main.hold_type(name).unwrap()).into();
        let mut owns: Vec<Own> = (0..WRITERS).map(|_| Own::default()).collect();
        let mut leaked_bytes = 0;
        for round in 0..ROUNDS {
            let label = format!("SEED={} map {at}, round {round}", seed());
            let is_done = AtomicBool::new(false);
            let recovered = thread::scope(|scope| {
                let reader = scope.spawn(|| read_until(&store, &is_done));
                let writers: Vec<_> = owns
                    .iter_mut()
                    .enumerate()
                    .map(|(thread, own)| {
                        let random = Random(random.below(u64::from(u32::MAX)));
                        let (store, types) = (&store, &types);
                        scope.spawn(move || write_until_broken(store, own, thread as u64, random, types))
                    })
                    .collect();
                for writer in writers {
                    writer.join().unwrap();
                }
                let recovered = recover(&store).unwrap_or_else(|refused| panic!("{label}: {refused}"));
                leaked_bytes += recovered.tally.leaked_bytes;
                is_done.store(true, Ordering::SeqCst);
                reader.join().unwrap();
                recovered
            });
            check(&store, &main, &mut owns, recovered, &label);
        }
        assert!(leaked_bytes > 0);
        assert_eq!(store.recovery_stats().attempts, ROUNDS);
        assert_eq!(store.recovery_stats().total.leaked_bytes, leaked_bytes);
    }
}

/// Reads by all keys, before and after the map breaks, and as it is recovered.
fn read_until(store: &Arc<Store>, is_done: &AtomicBool) {
    let map = store.join();
    let (mut random, mut out) = (Random(5), Vec::new());
    while !is_done.load(Ordering::SeqCst) {
        let text = format!("{}-{}", random.below(WRITERS), random.below(KEYS));
        match map.get(Key::string(&text), &mut out) {
            // What is read was written by the thread of the key.
            Ok(Some(_)) => assert_eq!(out[0], text.as_bytes()[0], "{text}: {out:?}"),
            Ok(None) => {}
            Err(refused) => assert_eq!(refused, Error::Broken),
        }
    }
}

fn check(store: &Arc<Store>, map: &Local, owns: &mut [Own], recovered: Recovered, label: &str) {
    assert_eq!(store.validate().unwrap(), [], "{label}");
    let tally = recovered.tally;
    assert_eq!(store.len(), tally.recovered, "{label}: {tally:?}");
    let mut missing = 0;
    let all = contents(map, 50);
    let mut found = HashMap::new();
    for (kind, key, value) in &all {
        let name = if *kind == KeyKind::Keyless { value.clone() } else { key.clone() };
        assert!(found.insert(name, value.clone()).is_none(), "{label}: {key:?} is there twice");
    }
    assert_eq!(all.len() as u64, store.len(), "{label}");
    assert!(map.commits().is_some(), "{label}: no commit is under way");
    let mut out = Vec::new();
    if let Some((_, key, _)) = all.iter().find(|(kind, ..)| *kind != KeyKind::Keyless) {
        let found = map.get(Key::string(std::str::from_utf8(key).unwrap()), &mut out).unwrap().unwrap();
        if !store.context.may_expire() || store.context.keeps_expiring_copies() {
            assert!(map.words(found.place.stamp.unwrap().chunk()).is_some(), "{label}: copies may be kept again");
        }
    }
    for own in &mut *owns {
        for handle in std::mem::take(&mut own.handles) {
            assert_eq!(map.get(handle, &mut out), Ok(None), "{label}: a handle of before the map broke");
            assert_eq!(map.delete(handle), Ok(false), "{label}");
            assert_eq!(map.replace(handle, bytes_value(b"x"), Ttl::Default).err(), Some(Error::HandleInvalidated));
        }
        let expected = own.values.iter().map(|(text, value)| (text.as_bytes(), value));
        for (name, value) in expected.chain(own.keyless.keys().map(|value| (&value[..], value))) {
            match found.get(name) {
                _ if own.in_doubt.contains(name) => {}
                Some(found) => assert_eq!(found, value, "{label}"),
                None => missing += 1,
            }
        }
    }
    assert!(store.context.is_bounded || missing <= tally.dropped, "{label}: {missing} are missing, {tally:?}");
    // From here on the map is known anew.
    for (thread, own) in owns.iter_mut().enumerate() {
        let prefix = format!("{thread}-");
        (own.values, own.keyless) = (HashMap::new(), HashMap::new());
        own.in_doubt.clear();
        for (kind, key, value) in &all {
            if *kind != KeyKind::Keyless && key.starts_with(prefix.as_bytes()) {
                let text = String::from_utf8(key.clone()).unwrap();
                let handle = map.place_of(Key::string(&text)).unwrap().unwrap().handle;
                own.values.insert(text, value.clone());
                own.handles.push(handle);
            }
        }
    }
    for (handle, value) in keyless(map) {
        let thread = usize::from(value[0] - b'0');
        owns[thread].keyless.insert(value, handle);
    }
}

fn keyless(map: &Local) -> Vec<(Handle, Vec<u8>)> {
    let (mut steps, mut all, mut after) = (Vec::new(), Vec::new(), 0);
    loop {
        map.walk(after, 50, &mut steps).unwrap();
        let Some(last) = steps.last() else { return all };
        after = last.sequence;
        for step in &steps {
            let (mut key, mut value) = (Vec::new(), Vec::new());
            if let Some((KeyKind::Keyless, _)) = map.read_step(step.handle, &mut key, &mut value).unwrap() {
                all.push((step.handle, value));
            }
        }
    }
}

#[test]
fn what_belongs_to_entries_stays_with_them() {
    let config = Config { shards: Some(2), manual_clock: true, max_entries: Some(500), ..Config::default() };
    let store = Store::new(&config).unwrap();
    let map = store.join();
    let hold = map.hold_type("kept").unwrap();
    let number = map.publish_shape(r#"["a"]"#).unwrap().unwrap();
    for n in 0..100_u32 {
        let text = format!("key-{n}");
        map.set(Key::string(&text), bytes_value(&[n as u8]), Ttl::Of(1_000 + u64::from(n))).unwrap();
    }
    map.set(Key::string("record"), shaped(&record(number, b"x")), Ttl::Default).unwrap();
    map.insert(bytes_value(b"typed"), hold.id(), Ttl::Never).unwrap();
    let words = map.changes().unwrap();
    let values = |map: &Local| contents(map, 10).into_iter().map(|(_, _, value)| value).collect::<Vec<_>>();
    let before = values(&map);
    store.clock().advance(900);
    break_map(&map);
    store.clock().advance(150);
    let recovered = recover(&store).unwrap().tally;
    assert_eq!((recovered.recovered, recovered.expired, recovered.dropped), (51, 51, 0));
    assert_eq!(values(&map), before[51..], "in the order of their insertion");
    assert_eq!(store.validate().unwrap(), []);
    let told = (words.cells()[0].load(Ordering::SeqCst), store.context.changes.seen(0));
    assert_eq!(told.0, told.1, "walks are told of changes again");
    assert_eq!(map.ttl_of(Key::string("key-60")), Ok(Some(RemainingTtl::Ms(10))));
    assert_eq!(map.len_of_type(hold.id()), Ok(1));
    assert_eq!(store.max_entries(), Some(500));
    store.clock().advance(10);
    assert_eq!(map.has(Key::string("key-60")), Ok(false));
    // The expiry thread goes on, as it did before.
    for _ in 0..5_000 {
        if store.stats().expirations == 51 + 10 {
            break;
        }
        thread::sleep(std::time::Duration::from_millis(1));
    }
    assert_eq!((store.context.admitted_entries(), store.stats().expirations), (Some(store.len()), 51 + 10));
}

#[test]
fn only_a_broken_map_is_recovered_and_only_its_shards_in_doubt_leak() {
    let store = Store::new(&Config { shards: Some(16), ..Config::default() }).unwrap();
    let map = store.join();
    assert_eq!(recover(&store), Ok(Recovered::default()));
    for n in 0..4_000_u32 {
        map.set(Key::string(&n.to_string()), bytes_value(&[7; 200]), Ttl::Default).unwrap();
    }
    let before = settled_bytes(&store);
    for round in 1..=3 {
        break_map(&map);
        let tally = recover(&store).unwrap().tally;
        assert_eq!((tally.recovered, tally.dropped), (4_000, 0));
        assert!(tally.leaked_bytes > 0 && tally.leaked_bytes < before / 8, "{tally:?} of {before}");
        assert_eq!(store.validate().unwrap(), []);
        let after = settled_bytes(&store);
        assert!(after < before + before / 4, "round {round}: {before} bytes, and {after} afterwards");
    }
    store.destroy();
    assert_eq!(recover(&store), Err(Error::Closed));
    let ended = Store::new(&Config::default()).unwrap();
    break_map(&ended.join());
    ended.destroy();
    assert_eq!(recover(&ended), Err(Error::Closed));
}

#[test]
fn a_full_map_recovers_within_its_limit() {
    let limit = 2 << 20;
    for shards in [1, 8] {
        let config = Config { shards: Some(shards), memory_limit_bytes: Some(limit), ..Config::default() };
        let store = Store::new(&config).unwrap();
        let map = store.join();
        let fill = |from: u32| {
            for n in from..from + 20_000 {
                map.set(Key::string(&n.to_string()), bytes_value(&[7; 200]), Ttl::Default).unwrap();
            }
        };
        fill(0);
        let before = store.len();
        break_map(&map);
        let tally = recover(&store).unwrap().tally;
        assert_eq!((tally.recovered, tally.dropped), (before, 0));
        assert_eq!(store.validate().unwrap(), []);
        // The first write already: the ones after it would find the limit by what is in use.
        map.set(Key::string("large"), bytes_value(&vec![7; 512 << 10]), Ttl::Default).unwrap();
        assert!(store.memory_bytes() <= limit, "{} bytes with {shards} shards", store.memory_bytes());
        fill(100_000);
        assert!(store.memory_bytes() <= limit, "{} bytes", store.memory_bytes());
        assert!(store.len() > before * 3 / 4, "{before} entries, and {} afterwards", store.len());
        assert_eq!(store.validate().unwrap(), []);
    }
}

#[test]
fn an_attempt_without_memory_leaves_the_map_broken_and_another_one_recovers_it() {
    let store = Store::new(&Config { shards: Some(2), ..Config::default() }).unwrap();
    let map = store.join();
    for n in 0..500_u32 {
        map.set(
            Key::string(&n.to_string()),
            bytes_value(&vec![7; if n % 50 == 0 { 5_000 } else { 20 }]),
            Ttl::Of(99_999),
        )
        .unwrap();
    }
    break_map(&map);
    let mut refused = 0;
    for nth in 1.. {
        // In this thread, whose allocations are refused.
        match refuse_nth(nth, || store.recover_here()).0 {
            Err(Error::OutOfMemory { .. }) => {
                refused += 1;
                assert_eq!(map.has(Key::string("1")), Err(Error::Broken));
            }
            other => {
                assert_eq!(other.unwrap().tally.recovered, 500);
                break;
            }
        }
    }
    assert!(refused > 10, "{refused}");
    assert_eq!(store.validate().unwrap(), []);
}

#[test]
fn a_recovery_of_its_own_is_begun_as_often_as_it_may_be() {
    let auto_recovery = Some(AutoRecovery { attempts: 2, timeout_ms: 60_000 });
    let store = Store::new(&Config { auto_recovery, ..Config::default() }).unwrap();
    let map = store.join();
    map.set(Key::string("k"), bytes_value(b"v"), Ttl::Default).unwrap();
    store.recover_if_asked_for();
    assert_eq!(store.recovery_stats().attempts, 0, "nothing is broken");
    for _ in 0..2 {
        break_map(&map);
        store.recover_if_asked_for();
        while store.context.is_broken() {
            thread::yield_now();
        }
        assert_eq!(map.has(Key::string("k")), Ok(true));
    }
    break_map(&map);
    store.recover_if_asked_for();
    assert_eq!(store.recovery_stats().automatic, 2);
    assert!(store.context.is_broken());
    assert_eq!(recover(&store).unwrap().tally.recovered, 1, "one that is asked for is another matter");
    let auto_recovery = Some(AutoRecovery { attempts: 1, timeout_ms: 0 });
    let hasty = Store::new(&Config { auto_recovery, ..Config::default() }).unwrap();
    break_map(&hasty.join());
    hasty.recover_if_asked_for();
    while hasty.recovery_stats().attempts == 0 {
        thread::yield_now();
    }
    let last = hasty.recovery_stats().last.unwrap();
    assert_eq!(last.failure, Some(1027));
}
