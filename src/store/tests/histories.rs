//! Histories: threads that do everything with a few keys of one map, and copies of values in front of the store as
//! JavaScript keeps them. What they saw must be what they could see if each operation happened in one moment, between
//! its call and its return.
//!
//! `HISTORIES_SECONDS=n` runs for so long, `SEED=n` begins with the round that a failed run printed.
//! `__test__/README.md` says what exactly is asked for.

mod linearizability;
mod queries;
mod thread;

use std::collections::HashMap;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant, SystemTime};

use super::*;
use crate::store::entry::shapes::MOST_PLACES;
use linearizability::{Does, Number, Operation, Saw, explain};
use thread::{Recorded, Thread};

const THREADS: usize = 3;
/// Few, so that threads meet. The last one is that of a counter, which is written by steps alone.
const KEYS: usize = 4;
const COUNTER: usize = KEYS - 1;
/// Places of the table of shapes, the first of which has none: fewer than there are shapes, so that they are reused.
const PLACES: usize = 4;
/// Rounds of each map where no time is given.
const ROUNDS: u64 = if cfg!(any(tsan, miri)) { 2 } else { 8 };

/// A map, and what is done with it.
#[derive(Clone, Debug, Default)]
struct Profile {
    name: &'static str,
    config: Config,
    /// Entries may vanish at any time, for lack of room or because time passed.
    vanish: bool,
    operations: u32,
    /// How often, in a thousand operations, the map is cleared, shrunk, made to evict and to purge, and others come
    /// and go in it.
    clear: u64,
    shrink: u64,
    evict: u64,
    purge: u64,
    churn: u64,
    /// Entries are deleted by queries.
    queries: u64,
    /// Deadlines are given, to one in so many writes.
    brief: u64,
    /// One thread ends the map in the middle.
    destroys: bool,
}

fn profiles() -> Vec<Profile> {
    let one_shard = || Config { shards: Some(1), ..Config::default() };
    let all = |name| Profile { name, config: one_shard(), operations: 1_500, ..Profile::default() };
    let expiring = Profile { vanish: true, brief: 4, purge: 5, ..all("") };
    vec![
        all("plain"),
        Profile { clear: 5, ..all("clear") },
        Profile {
            config: Config { shards: Some(4), ..Config::default() },
            clear: 15,
            churn: 40,
            ..all("clear of several shards")
        },
        Profile { destroys: true, operations: 150, queries: 10, ..all("destroy") },
        // Jobs of other threads take long.
        Profile { queries: 30, churn: 10, operations: 700, ..all("queries") },
        Profile {
            config: Config { shards: Some(4), strict_ttl: Some(true), ..Config::default() },
            queries: 20,
            operations: 700,
            name: "queries beside expiry",
            ..expiring.clone()
        },
        Profile { churn: 300, shrink: 10, ..all("growth") },
        Profile {
            config: Config { max_entries: Some(KEYS as u64 - 1), eviction: Some(PolicyKind::Sieve), ..one_shard() },
            vanish: true,
            evict: 20,
            churn: 40,
            ..all("eviction")
        },
        Profile {
            config: Config { memory_limit_bytes: Some(512 << 10), eviction: Some(PolicyKind::Lru), ..one_shard() },
            vanish: true,
            evict: 10,
            churn: 400,
            ..all("byte limit")
        },
        Profile { name: "expiry", ..expiring.clone() },
        Profile { name: "strict expiry", config: Config { strict_ttl: Some(true), ..one_shard() }, ..expiring.clone() },
        Profile { name: "sliding expiry", config: Config { sliding: Some(true), ..one_shard() }, ..expiring },
    ]
}

#[test]
fn what_threads_see_is_explained_by_operations_of_one_moment_each() {
    let variable = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let any = || SystemTime::UNIX_EPOCH.elapsed().map_or(1, |elapsed| elapsed.subsec_nanos().into());
    let first = variable("SEED").unwrap_or_else(any);
    let seconds = variable("HISTORIES_SECONDS").map(Duration::from_secs);
    let profiles = profiles();
    let begin = Instant::now();
    let mut operations = 0;
    let mut seed = first;
    loop {
        let done = seed - first;
        if seconds.map_or(done == ROUNDS * profiles.len() as u64, |seconds| begin.elapsed() >= seconds) {
            break;
        }
        let profile = &profiles[seed as usize % profiles.len()];
        operations += round(profile, seed).unwrap_or_else(|wrong| {
            panic!("SEED={seed} ({}, round {done}, after {:?}): {wrong}", profile.name, begin.elapsed())
        });
        seed += 1;
    }
    let rate = operations as f64 / begin.elapsed().as_secs_f64();
    println!("SEED={first}: {} rounds, {operations} operations, {rate:.0}/s", seed - first);
}

/// Runs threads on a new map and checks what they saw. Returns the number of operations.
fn round(profile: &Profile, seed: u64) -> Result<usize, String> {
    MOST_PLACES.set(PLACES);
    let store = Store::new(&profile.config).unwrap();
    let clock = AtomicU64::new(0);
    let (begun, ended) = (AtomicU64::new(0), AtomicU64::new(0));
    let recorded: Vec<Recorded> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|number| {
                let mut thread = Thread::new(store.join(), profile, &clock, number, seed);
                let (begun, ended) = (&begun, &ended);
                scope.spawn(move || {
                    thread::meet(begun);
                    let destroys = profile.destroys && seed as usize % THREADS == number;
                    thread.run(profile.operations, destroys);
                    thread::meet(ended);
                    thread.read_all();
                    thread.recorded
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    check_end(&recorded)?;
    if !profile.destroys {
        let problems = store.validate().unwrap();
        if !problems.is_empty() {
            return Err(format!("{problems:?}"));
        }
    }
    let mut tenants = HashMap::new();
    for (operation, tenant) in recorded.iter().flat_map(|one| one.keys.iter().flatten()) {
        if let (Does::Write(number), Some(tenant)) = (operation.does, tenant) {
            tenants.insert(number, *tenant);
        }
    }
    for key in 0..KEYS {
        let threads: Vec<Vec<Operation>> =
            recorded.iter().map(|one| one.keys[key].iter().map(|(operation, _)| *operation).collect()).collect();
        explain(&threads, &tenants, profile.vanish).map_err(|wrong| format!("key {key}: {wrong}"))?;
    }
    for (operation, tenant) in recorded.iter().flat_map(|one| one.keys.iter().flatten()) {
        if let (Saw::Value(number), Some(tenant)) = (operation.saw, tenant)
            && tenants.get(&number) != Some(tenant)
        {
            return Err(format!("{tenant:?} read {number} of {:?}", tenants.get(&number)));
        }
    }
    Ok(recorded.iter().flat_map(|one| &one.keys).map(Vec::len).sum())
}

/// An operation that begins after the end of a destroyed map fails, one that was over before does not.
fn check_end(recorded: &[Recorded]) -> Result<(), String> {
    let Some((from, to)) = recorded.iter().find_map(|one| one.destroyed) else { return Ok(()) };
    if recorded.iter().flat_map(|one| &one.closed).any(|&(_, end)| end < from) {
        return Err("an operation failed before the map was destroyed".into());
    }
    let answered = recorded.iter().flat_map(|one| one.keys.iter().flatten());
    match answered.map(|(operation, _)| operation).find(|operation| operation.start > to) {
        Some(operation) => Err(format!("the map was destroyed, and then: {operation:?}")),
        None => Ok(()),
    }
}
