//! Scans give each entry once that is there all the while, and draws give each as often as any other.

use std::collections::{HashMap, HashSet};

use super::*;

/// Keys and values.
type Entries = Vec<(Vec<u8>, Vec<u8>)>;

/// What a page of at most `count` entries gives: keys and values, and where to go on.
fn page(map: &Local, place: Place, count: usize, filter: Filter) -> (Entries, Option<Place>) {
    let mut scan = map.scan(place, filter).unwrap();
    let (mut key, mut value, mut entries) = (Vec::new(), Vec::new(), Vec::new());
    while entries.len() < count && scan.next(&mut key, &mut value).unwrap().is_some() {
        entries.push((key.clone(), value.clone()));
    }
    (entries, scan.place())
}

const START: Place = Place { shard: 0, slot: 0 };

fn all(map: &Local, filter: impl Fn() -> Filter) -> Vec<Vec<u8>> {
    let (mut values, mut place) = (Vec::new(), Some(START));
    while let Some(at) = place {
        let (entries, next) = page(map, at, 7, filter());
        values.extend(entries.into_iter().map(|(_, value)| value));
        place = next;
    }
    values.sort();
    values
}

fn store(shards: u32) -> Arc<Store> {
    Store::new(&Config { shards: Some(shards), ..Config::default() }).unwrap()
}

#[test]
fn an_entry_that_is_there_all_the_while_is_given_once() {
    for seed in 0..8 {
        let map = store([1, 2, 16, 256][seed as usize % 4]).join();
        let mut random = Random(seed);
        let (mut next_id, mut live) = (0_u64, HashMap::new());
        let add = |live: &mut HashMap<u64, Handle>, next_id: &mut u64, keyed: bool| {
            let bytes = next_id.to_le_bytes();
            let key = next_id.to_string();
            let written = if keyed {
                map.set(Key::string(&key), bytes_value(&bytes), Ttl::Default).unwrap()
            } else {
                map.insert(bytes_value(&bytes), 0, Ttl::Default).unwrap()
            };
            live.insert(*next_id, written.place.handle);
            *next_id += 1;
        };
        for _ in 0..6 {
            for _ in 0..random.below(500) {
                let is_keyed = next_id % 3 != 0;
                add(&mut live, &mut next_id, is_keyed);
            }
            let mut steady: HashSet<u64> = live.keys().copied().collect();
            let (mut given, mut place) = (HashSet::new(), Some(START));
            while let Some(at) = place {
                let (entries, next) = page(&map, at, 1 + random.below(40) as usize, Filter::default());
                for (_, value) in entries {
                    let id = u64::from_le_bytes(value.try_into().unwrap());
                    assert!(live.contains_key(&id), "seed {seed}: {id} is gone");
                    assert!(given.insert(id), "seed {seed}: {id} comes twice");
                }
                place = next;
                match random.below(8) {
                    0 => (0..random.below(300)).for_each(|_| add(&mut live, &mut next_id, true)),
                    1 | 2 => {
                        let gone: Vec<u64> = live.keys().copied().filter(|_| random.below(6) == 0).collect();
                        for id in gone {
                            assert!(map.delete(live.remove(&id).unwrap()).unwrap());
                            steady.remove(&id);
                        }
                    }
                    3 => {
                        for (id, handle) in live.iter().take(50) {
                            map.replace(*handle, bytes_value(&id.to_le_bytes()), Ttl::Default).unwrap();
                        }
                    }
                    4 => map.store().shrink_to_fit().unwrap(),
                    5 => map.store().reserve(random.below(20_000)).unwrap(),
                    6 if random.below(10) == 0 => {
                        map.clear().unwrap();
                        live.clear();
                        steady.clear();
                    }
                    _ => {}
                }
            }
            let missing: Vec<_> = steady.difference(&given).collect();
            assert!(missing.is_empty(), "seed {seed}: {missing:?} were not given");
        }
    }
}

#[test]
fn a_filter_gives_what_it_names_and_expired_entries_are_not_given() {
    let config = Config { shards: Some(4), manual_clock: true, ..Config::default() };
    let store = Store::new(&config).unwrap();
    let map = store.join();
    for n in 0..100_u64 {
        let (key, bytes) = (format!("{}:{n}", ["user", "page"][n as usize % 2]), n.to_le_bytes());
        let ttl = if n < 10 { Ttl::Of(5) } else { Ttl::Default };
        map.set(Key::string(&key), bytes_value(&bytes), ttl).unwrap();
    }
    let hold = map.hold_type("T").unwrap();
    map.insert(bytes_value(&200_u64.to_le_bytes()), hold.id(), Ttl::Default).unwrap();
    let glob = || Filter { glob: Some(Glob::new(Key::string("user:*")).unwrap()), type_name: None };
    let typed = |name: &str| Filter { glob: None, type_name: Some(name.to_owned()) };
    assert_eq!((all(&map, Filter::default).len(), all(&map, glob).len()), (101, 50));
    assert_eq!((all(&map, || typed("T")), all(&map, || typed("U"))), (vec![200_u64.to_le_bytes().to_vec()], vec![]));
    store.clock().advance(5);
    assert_eq!((all(&map, Filter::default).len(), all(&map, glob).len()), (91, 45));
    let beyond = Place { shard: 4, slot: 0 };
    assert_eq!(page(&map, beyond, 1, Filter::default()), (vec![], None));
    assert_eq!(page(&map, Place { shard: 3, slot: u32::MAX }, 1, Filter::default()), (vec![], None));
    let reads = map.store().stats().operations;
    assert_eq!((reads.hits, reads.misses), (0, 0));
}

#[test]
fn each_entry_is_drawn_as_often_as_any_other() {
    const SEED: u64 = 12;
    // Few entries of many, and a shard with many more than the others: most cells are holes.
    let map = store(4).join();
    let handles: Vec<Handle> = (0..20_000_u64)
        .map(|n| map.insert(bytes_value(&n.to_le_bytes()), 0, Ttl::Default).unwrap().place.handle)
        .collect();
    let kept: Vec<Handle> =
        handles.iter().copied().filter(|handle| handle.slot % if handle.shard == 0 { 3 } else { 40 } == 0).collect();
    for handle in handles.iter().filter(|handle| !kept.contains(handle)) {
        map.delete(*handle).unwrap();
    }
    let mut counts: HashMap<Handle, f64> = HashMap::new();
    let mut random = Random(SEED);
    let draws = kept.len() * 100;
    for _ in 0..draws {
        let seed = random.below(1 << 30) << 32 | random.below(1 << 30);
        *counts.entry(map.draw(seed, |handle| Ok(Some(handle))).unwrap().unwrap()).or_default() += 1.0;
    }
    let squares: f64 = kept.iter().map(|handle| (counts.get(handle).unwrap_or(&0.0) - 100.0).powi(2) / 100.0).sum();
    let freedom = kept.len() as f64 - 1.0;
    // Chi-square is near its mean, with a standard deviation of the root of twice that.
    assert!((squares - freedom).abs() < 5.0 * (2.0 * freedom).sqrt(), "seed {SEED}: {squares} for {freedom}");
}

#[test]
fn nothing_is_drawn_of_an_empty_map_and_nothing_that_has_expired() {
    let config = Config { shards: Some(2), manual_clock: true, ..Config::default() };
    let store = Store::new(&config).unwrap();
    let map = store.join();
    let mut value = Vec::new();
    let mut draw = |seed| map.draw(seed, |handle| map.read_value(handle, &mut value)).unwrap().is_some();
    assert!(!draw(1));
    for n in 0..1_000 {
        map.set(Key::string(&n.to_string()), bytes_value(b"x"), Ttl::Of(5)).unwrap();
    }
    assert!(draw(1));
    map.set(Key::string("stays"), bytes_value(b"y"), Ttl::Default).unwrap();
    store.clock().advance(5);
    assert!((0..100).all(&mut draw), "the one that is left is drawn");
    map.delete(Key::string("stays")).unwrap();
    assert!(!draw(1));
}
