//! A look at everything finds what does not fit, and nothing else.

use super::super::eviction::PolicyKind;
use super::super::shard::Damage;
use super::*;
use crate::store::memory::budget::{Reservation, Use};

fn filled(config: &Config) -> (Arc<Store>, Local) {
    let store = Store::new(config).unwrap();
    let map = store.join();
    for n in 0..1_000_u32 {
        let (text, value) = (format!("key-{n}"), vec![n as u8; if n % 100 == 0 { 5_000 } else { 40 }]);
        let ttl = if n % 3 == 0 { Ttl::Of(1_000_000) } else { Ttl::Default };
        map.set(Key::string(&text), bytes_value(&value), ttl).unwrap();
        map.insert(bytes_value(&value), 0, ttl).unwrap();
        if n % 5 == 0 {
            map.delete(Key::string(&text)).unwrap();
        }
    }
    (store, map)
}

const POLICIES: [PolicyKind; 8] = [
    PolicyKind::Lru,
    PolicyKind::Lfu,
    PolicyKind::Fifo,
    PolicyKind::Sieve,
    PolicyKind::S3Fifo,
    PolicyKind::WTinyLfu,
    PolicyKind::Ttl,
    PolicyKind::Idle { idle_ms: 5 },
];

#[test]
fn nothing_is_wrong_with_a_map_whatever_happened_to_it() {
    for policy in POLICIES {
        for (seed, sliding) in [(1_u64, false), (2, true)] {
            let config = Config {
                memory_limit_bytes: Some(600_000),
                max_entries: Some(4_000),
                eviction: Some(policy),
                sliding: Some(sliding),
                shards: Some(2),
                seed: Some(seed),
                manual_clock: true,
                ..Config::default()
            };
            let store = Store::new(&config).unwrap();
            let map = store.join();
            let (mut random, mut out) = (Random(seed), Vec::new());
            for round in 0..12_000_u32 {
                let text = format!("key-{}", random.below(3_000));
                let key = Key::string(&text);
                let length = if random.below(60) == 0 { 3_000 + random.below(9_000) } else { random.below(90) };
                let value = vec![7; length as usize];
                let ttl = if random.below(3) == 0 { Ttl::Of(1 + random.below(5_000)) } else { Ttl::Default };
                match random.below(100) {
                    0..50 => drop(map.set(key, bytes_value(&value), ttl).unwrap()),
                    50..60 => drop(map.insert(bytes_value(&value), 0, ttl).unwrap()),
                    60..80 => drop(map.get(key, &mut out).unwrap()),
                    80..92 => drop(map.delete(key).unwrap()),
                    92..97 => drop(map.touch(key, ttl).unwrap()),
                    97 => drop(map.evict(random.below(40)).unwrap()),
                    98 => drop(store.clock().advance(random.below(200))),
                    _ if round % 40 == 0 => map.clear().unwrap(),
                    _ => store.shrink_to_fit().unwrap(),
                }
                if round % 1_500 == 0 {
                    assert_eq!(store.validate().unwrap(), [], "{policy}, seed {seed}, round {round}");
                }
            }
            assert_eq!(store.validate().unwrap(), [], "{policy}, seed {seed}");
        }
    }
}

#[test]
fn damage_is_found_where_it_is() {
    let cases = [
        (Damage::Count, None, "the number of entries is not what there are"),
        (Damage::Weight, None, "the weight is not that of the entries"),
        (Damage::IndexWord, Some(40), "the index does not lead to the slot"),
        (Damage::OrderHole, Some(40), "the order does not know the slot"),
        (Damage::Deadline, Some(40), "the timer wheel does not know the slot's deadline"),
        (Damage::Policy, Some(40), "the policy does not know the slot"),
        (Damage::Version, Some(40), "the version word of an entry is 0"),
        (Damage::FreeList, None, "the free list does not have all vacant slots"),
        (Damage::TypeLog, Some(40), "the log of its type does not know the slot"),
        (Damage::TypeLog, None, "the logs of types have other entries than have a type"),
    ];
    for (damage, slot, what) in cases {
        let config =
            Config { shards: Some(1), eviction: Some(PolicyKind::Lru), ttl_ms: Some(1_000_000), ..Config::default() };
        let store = Store::new(&config).unwrap();
        let map = store.join();
        for n in 0..500_u32 {
            let (text, held) = (n.to_string(), map.hold_type(&format!("type {}", n % 3)).unwrap());
            map.set_of_type(Key::string(&text), held.id(), bytes_value(b"v"), Ttl::Default).unwrap();
        }
        for n in 100..110_u32 {
            map.delete(Key::string(&n.to_string())).unwrap();
        }
        assert_eq!(store.validate().unwrap(), []);
        store.all_shards()[0].damage(&store.context, 40, damage);
        let problems = store.validate().unwrap();
        assert!(
            problems.contains(&Problem { shard: Some(0), slot, what: what.to_owned() }),
            "{damage:?}: {problems:?}"
        );
        // What is damaged must not run into anything else when it is dropped.
        std::mem::forget((map, store));
    }
}

#[test]
fn bytes_without_an_owner_are_found() {
    let (store, map) = filled(&Config { memory_limit_bytes: Some(10 << 20), ..Config::default() });
    for what in Use::ALL {
        assert_eq!(store.validate().unwrap(), []);
        let lost = Reservation::new(&store.context.memory, what, 64).unwrap();
        let problems = store.validate().unwrap();
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].what.contains(&format!("for {what:?}")), "{problems:?}");
        drop(lost);
    }
    drop(map);
}

#[test]
fn a_map_that_is_written_meanwhile_is_never_called_wrong() {
    let (store, _map) = filled(&Config { memory_limit_bytes: Some(1 << 20), shards: Some(2), ..Config::default() });
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        for seed in 1..3 {
            let (map, done) = (store.join(), &done);
            scope.spawn(move || {
                let mut random = Random(seed);
                while !done.load(std::sync::atomic::Ordering::Relaxed) {
                    let text = format!("key-{}", random.below(3_000));
                    let value = vec![1; random.below(4_000) as usize];
                    map.set(Key::string(&text), bytes_value(&value), Ttl::Of(1 + random.below(20))).unwrap();
                    if random.below(20_000) == 0 {
                        map.clear().unwrap();
                    }
                }
            });
        }
        let problems: Vec<_> = (0..6).flat_map(|_| store.validate().unwrap()).collect();
        // Before anything panics: the others would go on for ever.
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        assert_eq!(problems, []);
    });
    assert_eq!(store.validate().unwrap(), []);
}

/// A large entry is made before its slot is known.
#[test]
fn an_entry_without_a_key_that_was_large_names_its_slot_once_it_is_small() {
    let store = Store::new(&Config { shards: Some(1), ..Config::default() }).unwrap();
    let map = store.join();
    map.insert(bytes_value(b"first"), 0, Ttl::Default).unwrap();
    let handle = map.insert(bytes_value(&[1; 9_000]), 0, Ttl::Default).unwrap().place.handle;
    map.replace(handle, bytes_value(b"small"), Ttl::Default).unwrap();
    assert_eq!(store.validate().unwrap(), []);
}
