//! The bytes of several maps, counted for the process.

use crate::store::error::{Error, Scope};
use crate::store::events::Events;
use crate::store::memory::budget::{Memory, Reservation, Use};
use crate::store::memory::marks::Gauged;
use crate::store::memory::process::ProcessMemory;
use crate::store::platform::sync::Arc;

fn map(limit_bytes: Option<u64>) -> Arc<Memory> {
    Memory::of_process(limit_bytes, Events::new())
}

#[test]
fn what_all_maps_use_together_stays_below_the_limit() {
    let maps = [map(None), map(Some(50))];
    let process = ProcessMemory::current();
    let mut used = maps.each_ref().map(|memory| Reservation::new(memory, Use::Entries, 30).unwrap());
    process.set_limit(Some(100));
    assert_eq!(process.maps(), (2, 60));
    let refused = used[0].grow(41).unwrap_err();
    let scope = Scope::Process;
    assert_eq!(refused, Error::MemoryLimit { scope, requested_bytes: 41, used_bytes: 60, limit_bytes: 100 });
    assert_eq!((process.used_bytes(), maps[0].total()), (60, 30));
    used[0].grow(40).unwrap();
    assert!(!maps[1].has_room(1) && process.missing(5) == 5);
    // A map's own limit holds as well, and what it refuses is not counted for the process.
    used[0].shrink(40);
    let refused = used[1].grow(21).unwrap_err();
    assert!(matches!(refused, Error::MemoryLimit { scope: Scope::Map, used_bytes: 30, .. }));
    assert_eq!(process.used_bytes(), 60);
    // A map that is made while there is a limit counts, and one that ends does not.
    let third = Reservation::new(&map(None), Use::Index, 40).unwrap();
    assert!(used[0].grow(1).is_err() && process.maps() == (3, 100));
    drop(third);
    assert_eq!(process.maps(), (2, 60));
    process.set_limit(None);
    used[0].grow(1_000).unwrap();
    assert_eq!((process.maps(), process.used_bytes()), ((2, 1_060), 0));
    drop(used);
    assert_eq!(process.maps(), (2, 0));
}

#[test]
fn above_a_lowered_limit_nothing_is_added_and_what_is_freed_is_not_used_again() {
    let memory = map(None);
    let process = ProcessMemory::current();
    let mut used = Reservation::new(&memory, Use::Entries, 80).unwrap();
    process.set_limit(Some(50));
    assert!(used.grow(1).is_err());
    used.shrink(20);
    // What was freed for a write may serve that write, and the rest of it none.
    used.grow(10).unwrap();
    assert!(used.grow(1).is_err());
    used.shrink(10);
    process.settle();
    assert!(used.grow(1).is_err() && process.used_bytes() == 60);
    used.shrink(30);
    process.settle();
    used.grow(20).unwrap();
    assert!(used.grow(1).is_err() && process.used_bytes() == 50);
    process.set_limit(Some(60));
    used.grow(10).unwrap();
    drop(used);
    assert_eq!(process.used_bytes(), 0);
}

#[test]
fn a_map_that_ends_with_bytes_that_were_lost_gives_them_back() {
    let memory = map(None);
    let process = ProcessMemory::current();
    process.set_limit(Some(1_000));
    memory.reserve_block(100).unwrap();
    assert_eq!(process.used_bytes(), 100);
    drop(memory);
    assert_eq!(process.maps(), (0, 0));
}

/// Properties: what is granted fits, what is refused does not, and the count is the sum over the maps that a naive
/// count knows.
#[test]
fn agrees_with_a_naive_count() {
    for seed in 1..=20 {
        run(seed);
    }
}

fn run(seed: u64) {
    let mut state = seed;
    let mut below = |limit: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % limit
    };
    let process = ProcessMemory::current();
    process.set_limit(None);
    let mut limit: Option<u64> = None;
    // Each map with its limit and its reservations.
    let mut maps: Vec<(Arc<Memory>, Option<u64>, Vec<Reservation>)> = Vec::new();
    let sum_of = |held: &[Reservation]| held.iter().map(|one| one.bytes() as u64).sum::<u64>();
    for step in 0..3_000 {
        let sum: u64 = maps.iter().map(|(.., held)| sum_of(held)).sum();
        match below(20) {
            0 if maps.len() < 6 => {
                let own = Some(below(400)).filter(|_| step % 2 == 0);
                maps.push((map(own), own, Vec::new()));
            }
            1 if !maps.is_empty() => drop(maps.swap_remove(below(maps.len() as u64) as usize)),
            2 => {
                // Above what is in use, so that it is the ceiling, too.
                limit = Some(sum + below(500)).filter(|_| below(3) > 0);
                process.set_limit(limit);
            }
            _ if maps.is_empty() => {}
            n if n < 13 => {
                let count = maps.len() as u64;
                let (memory, own, held) = &mut maps[below(count) as usize];
                let bytes = below(120);
                let fits = own.is_none_or(|own| sum_of(held) + bytes <= own);
                let is_allowed = limit.is_none_or(|limit| sum + bytes <= limit);
                match Reservation::new(memory, Use::Entries, bytes as usize) {
                    Ok(one) => {
                        assert!(fits && is_allowed, "seed {seed}, step {step}");
                        held.push(one);
                    }
                    Err(refused) => {
                        assert!(!(fits && is_allowed), "seed {seed}, step {step}: {refused}");
                        assert_eq!(refused.is_of_process(), fits, "seed {seed}, step {step}");
                    }
                }
            }
            n => {
                let count = maps.len() as u64;
                let held = &mut maps[below(count) as usize].2;
                if !held.is_empty() {
                    let at = below(held.len() as u64) as usize;
                    if n == 19 {
                        let half = held[at].bytes() / 2;
                        held[at].shrink(half);
                    } else {
                        drop(held.swap_remove(at));
                    }
                }
            }
        }
        let sum: u64 = maps.iter().map(|(.., held)| sum_of(held)).sum();
        assert_eq!(process.maps(), (maps.len(), sum), "seed {seed}, step {step}");
        assert_eq!(process.used_bytes(), if limit.is_some() { sum } else { 0 }, "seed {seed}, step {step}");
        for (memory, _, held) in &maps {
            assert_eq!(memory.total(), sum_of(held), "seed {seed}, step {step}");
        }
    }
    maps.clear();
    assert_eq!((process.maps(), process.used_bytes()), ((0, 0), 0), "seed {seed}");
}

#[test]
fn threads_never_pass_the_limit_and_each_byte_is_released_once() {
    const LIMIT: u64 = 1_000;
    let maps = [map(None), map(Some(700)), map(None)];
    let process = ProcessMemory::current();
    for round in 0..30 {
        // In some, the limit goes and comes meanwhile, and then more may be in use.
        let is_constant = round % 3 > 0;
        process.set_limit(Some(LIMIT));
        std::thread::scope(|scope| {
            for thread in 0..4_usize {
                let (maps, process) = (&maps, &process);
                scope.spawn(move || {
                    let mut held = Vec::new();
                    for n in 0..500_usize {
                        let memory = &maps[(n + thread) % 3];
                        let bytes = (n * 7 + thread * 31) % 97;
                        held.extend(Reservation::new(memory, Use::Entries, bytes).ok());
                        assert!(!is_constant || process.used_bytes() <= LIMIT);
                        if n % 3 > 0 && !held.is_empty() {
                            drop(held.swap_remove(n % held.len()));
                        }
                    }
                });
            }
            if !is_constant {
                scope.spawn(|| {
                    for _ in 0..100 {
                        process.set_limit(None);
                        process.set_limit(Some(LIMIT));
                    }
                });
            }
        });
        let totals = maps.each_ref().map(|memory| memory.total());
        assert_eq!((totals, process.used_bytes()), ([0; 3], 0), "round {round}");
    }
}
