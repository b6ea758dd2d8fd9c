//! Transactions: their reads are of one moment, and their writes are made at once or not at all.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::*;
use crate::store::map::commit::{MOST_ATTEMPTS, UNSTAGED};

const ACCOUNTS: u64 = 8;
const BALANCE: i32 = 1_000;
const TRANSFERS: u64 = if cfg!(any(tsan, miri)) { 50 } else { 3_000 };

/// Something that others do meanwhile.
type Change = fn(&Local);

fn int(number: i32) -> [u8; 4] {
    number.to_le_bytes()
}

fn value(bytes: &[u8; 4]) -> Value<'_> {
    Value { kind: ValueKind::Int, bytes }
}

fn account(number: u64) -> String {
    format!("account:{number}")
}

fn balance(out: &[u8]) -> i32 {
    i32::from_le_bytes(out.try_into().unwrap())
}

fn read(transaction: &mut Transaction, map: &Local, key: &str) -> Result<Option<i32>, Error> {
    let mut out = Vec::new();
    let found = transaction.get(map, Target::Key(Key::string(key)), &mut out)?;
    Ok(found.map(|_| balance(&out)))
}

fn write(transaction: &mut Transaction, map: &Local, key: &str, number: i32) -> Result<(), Error> {
    transaction.set(map, Target::Key(Key::string(key)), value(&int(number)), Ttl::Default)
}

fn set(map: &Local, key: &str, number: i32) -> Handle {
    map.set(Key::string(key), value(&int(number)), Ttl::Default).unwrap().place.handle
}

fn get(map: &Local, key: &str) -> Option<i32> {
    let mut out = Vec::new();
    map.get(Key::string(key), &mut out).unwrap().map(|_| balance(&out))
}

/// Runs `work` in transactions until one is committed; how many it took.
fn until_committed(map: &Local, mut work: impl FnMut(&mut Transaction) -> Result<(), Error>) -> usize {
    for attempts in 1.. {
        let mut transaction = Transaction::default();
        match work(&mut transaction).and_then(|()| transaction.commit(map)) {
            Ok(()) => return attempts,
            Err(Error::TransactionConflict) => {}
            Err(refused) => panic!("{refused}"),
        }
    }
    unreachable!()
}

#[test]
fn a_transaction_sees_its_own_writes_and_others_see_them_after_the_commit() {
    let store = Store::new(&Config::default()).unwrap();
    let map = store.join();
    let b = set(&map, "b", 2);
    set(&map, "c", 3);
    let mut transaction = Transaction::default();
    write(&mut transaction, &map, "a", 1).unwrap();
    transaction.set(&map, Target::Handle(b), value(&int(20)), Ttl::Default).unwrap();
    assert!(transaction.delete(&map, Target::Key(Key::string("c"))).unwrap());
    assert!(!transaction.delete(&map, Target::Key(Key::string("c"))).unwrap());
    let inserted = transaction.insert(&map, value(&int(4)), None, Ttl::Default).unwrap();
    assert_eq!(read(&mut transaction, &map, "a"), Ok(Some(1)));
    assert_eq!(read(&mut transaction, &map, "b"), Ok(Some(20)), "by key what was written by handle");
    assert_eq!(read(&mut transaction, &map, "c"), Ok(None));
    let mut out = Vec::new();
    assert_eq!(transaction.get(&map, Target::Handle(inserted), &mut out), Ok(Some(ValueKind::Int)));
    assert_eq!(balance(&out), 4);
    assert_eq!((get(&map, "a"), get(&map, "b"), get(&map, "c"), map.len()), (None, Some(2), Some(3), 2));
    transaction.commit(&map).unwrap();
    assert_eq!((get(&map, "a"), get(&map, "b"), get(&map, "c"), map.len()), (Some(1), Some(20), None, 3));
    let place = transaction.inserted().next().unwrap().unwrap();
    assert!(map.get(place.handle, &mut out).unwrap().is_some());
    assert_eq!(balance(&out), 4);
    assert_eq!(store.validate().unwrap(), []);
}

#[test]
fn nothing_is_written_when_something_changed_that_was_read() {
    let store = Store::new(&Config::default()).unwrap();
    let map = store.join();
    let changes: [(&str, Change); 6] = [
        ("the same value", |map| _ = set(map, "read", 1)),
        ("deleted", |map| assert!(map.delete(Key::string("read")).unwrap())),
        ("deleted and set again", |map| {
            map.delete(Key::string("read")).unwrap();
            set(map, "read", 1);
        }),
        ("cleared", |map| map.clear().unwrap()),
        ("cleared and set again", |map| {
            map.clear().unwrap();
            set(map, "read", 1);
        }),
        ("what was not there", |map| _ = set(map, "absent", 1)),
    ];
    for (what, change) in changes {
        map.clear().unwrap();
        set(&map, "read", 1);
        let mut transaction = Transaction::default();
        assert_eq!(read(&mut transaction, &map, "read"), Ok(Some(1)));
        assert_eq!(read(&mut transaction, &map, "absent"), Ok(None));
        write(&mut transaction, &map, "written", 1).unwrap();
        change(&map);
        assert_eq!(transaction.commit(&map), Err(Error::TransactionConflict), "{what}");
        assert_eq!(get(&map, "written"), None, "{what}");
        assert_eq!(transaction.conflicts().count(), 1, "{what}");
        assert_eq!(read(&mut transaction, &map, "read"), Err(Error::TransactionConflict), "{what}: it is over");
    }
    assert_eq!(store.validate().unwrap(), []);
}

#[test]
fn a_read_is_refused_that_would_be_of_another_moment_than_those_before() {
    let store = Store::new(&Config::default()).unwrap();
    let map = store.join();
    set(&map, "a", 1);
    set(&map, "b", 1);
    let mut transaction = Transaction::default();
    assert_eq!(read(&mut transaction, &map, "a"), Ok(Some(1)));
    set(&map, "a", 2);
    set(&map, "b", 2);
    assert_eq!(read(&mut transaction, &map, "b"), Err(Error::TransactionConflict));
    // Of what was missing, too, which has no version.
    let mut transaction = Transaction::default();
    assert_eq!(read(&mut transaction, &map, "c"), Ok(None));
    set(&map, "c", 2);
    assert_eq!(read(&mut transaction, &map, "b"), Err(Error::TransactionConflict));
}

#[test]
fn transfers_keep_the_sum_and_no_transaction_sees_another_one() {
    for config in [
        Config { shards: Some(1), ..Config::default() },
        Config { shards: Some(4), ..Config::default() },
        Config { shards: Some(4), ttl_ms: Some(3_600_000), ..Config::default() },
    ] {
        let store = Store::new(&config).unwrap();
        let map = store.join();
        (0..ACCOUNTS).for_each(|number| _ = set(&map, &account(number), BALANCE));
        let is_over = &AtomicBool::new(false);
        thread::scope(|scope| {
            let watch = store.join();
            scope.spawn(move || {
                while !is_over.load(Ordering::Relaxed) {
                    let mut sum = 0;
                    until_committed(&watch, |transaction| {
                        sum = 0;
                        for number in 0..ACCOUNTS {
                            sum += read(transaction, &watch, &account(number))?.unwrap_or_default();
                        }
                        Ok(())
                    });
                    assert_eq!(sum, BALANCE * ACCOUNTS as i32);
                }
            });
            let transfer: Vec<_> = (0..3)
                .map(|seed| {
                    let map = store.join();
                    scope.spawn(move || {
                        let mut random = Random(seed);
                        for _ in 0..TRANSFERS {
                            let (from, to) = (account(random.below(ACCOUNTS)), account(random.below(ACCOUNTS)));
                            let amount = random.below(100) as i32;
                            until_committed(&map, |transaction| {
                                // An empty account is deleted: a missing one has nothing.
                                for (key, change) in [(&from, -amount), (&to, amount)] {
                                    match read(transaction, &map, key)?.unwrap_or_default() + change {
                                        0 => _ = transaction.delete(&map, Target::Key(Key::string(key)))?,
                                        sum => write(transaction, &map, key, sum)?,
                                    }
                                }
                                Ok(())
                            });
                        }
                    })
                })
                .collect();
            for thread in transfer {
                thread.join().unwrap();
            }
            is_over.store(true, Ordering::Relaxed);
        });
        let sum: i32 = (0..ACCOUNTS).map(|number| get(&map, &account(number)).unwrap_or_default()).sum();
        assert_eq!(sum, BALANCE * ACCOUNTS as i32);
        assert_eq!(store.validate().unwrap(), []);
    }
}

#[test]
fn a_full_map_evicts_for_a_commit_but_nothing_that_the_commit_is_about() {
    const ENTRIES: u64 = 256;
    for eviction in [
        PolicyKind::Lru,
        PolicyKind::Lfu,
        PolicyKind::Fifo,
        PolicyKind::Sieve,
        PolicyKind::S3Fifo,
        PolicyKind::WTinyLfu,
    ] {
        for shards in [1, 4] {
            let config = Config {
                shards: Some(shards),
                max_entries: Some(ENTRIES),
                eviction: Some(eviction),
                ..Config::default()
            };
            let store = Store::new(&config).unwrap();
            let map = store.join();
            (0..2 * ENTRIES).for_each(|number| _ = set(&map, &account(number), BALANCE));
            let present: Vec<_> = (0..2 * ENTRIES).filter(|&number| get(&map, &account(number)).is_some()).collect();
            let mut transaction = Transaction::default();
            for number in &present[..100] {
                assert_eq!(read(&mut transaction, &map, &account(*number)), Ok(Some(BALANCE)));
            }
            (0..100).for_each(|number| write(&mut transaction, &map, &format!("new:{number}"), 1).unwrap());
            transaction.commit(&map).unwrap();
            for number in &present[..100] {
                assert_eq!(get(&map, &account(*number)), Some(BALANCE), "{eviction}");
            }
            assert!((0..100).all(|number| get(&map, &format!("new:{number}")) == Some(1)), "{eviction}");
            assert!(map.len() <= ENTRIES);
            assert_eq!(store.validate().unwrap(), []);
        }
    }
}

#[test]
fn a_commit_that_finds_no_room_writes_nothing_and_gives_everything_back() {
    let config =
        Config { shards: Some(4), max_entries: Some(100), when_full: Some(WhenFull::Reject), ..Config::default() };
    let store = Store::new(&config).unwrap();
    let map = store.join();
    (0..90).for_each(|number| _ = set(&map, &account(number), BALANCE));
    let mut transaction = Transaction::default();
    write(&mut transaction, &map, &account(1), 1).unwrap();
    (0..20).for_each(|number| write(&mut transaction, &map, &format!("new:{number}"), 1).unwrap());
    assert_eq!(transaction.commit(&map), Err(Error::EntryLimit { limit: 100 }));
    assert_eq!((get(&map, &account(1)), map.len()), (Some(BALANCE), 90));
    assert_eq!(store.validate().unwrap(), []);
    // It can be committed once there is room.
    (50..90).for_each(|number| assert!(map.delete(Key::string(&account(number))).unwrap()));
    transaction.commit(&map).unwrap();
    assert_eq!((get(&map, &account(1)), map.len()), (Some(1), 70));
    assert_eq!(store.validate().unwrap(), []);
    drop((transaction, map));
    let left = settled_bytes(&store);
    assert!(left > 0);
}

#[test]
fn the_largest_transaction_is_committed_and_a_larger_one_refused() {
    for (shards, ttl_ms) in [(1, None), (16, None), (1, Some(60_000))] {
        let store = Store::new(&Config { shards: Some(shards), ttl_ms, ..Config::default() }).unwrap();
        let map = store.join();
        let mut transaction = Transaction::default();
        (0..MAX_TRANSACTION_KEYS).for_each(|n| write(&mut transaction, &map, &account(n as u64), 1).unwrap());
        let refused = write(&mut transaction, &map, "one more", 1).unwrap_err();
        assert_eq!(refused.code(), 1030, "{refused}");
        transaction.commit(&map).unwrap();
        assert_eq!(map.len(), MAX_TRANSACTION_KEYS as u64);
        assert_eq!(store.validate().unwrap(), []);
        let mut transaction = Transaction::default();
        let large = vec![1; MAX_TRANSACTION_BYTES / 2];
        let key = Target::Key(Key::string("large"));
        transaction.set(&map, key, bytes_value(&large), Ttl::Default).unwrap();
        transaction.set(&map, key, bytes_value(&large), Ttl::Default).unwrap();
        let other = Target::Key(Key::string("other"));
        assert_eq!(transaction.set(&map, other, bytes_value(&large), Ttl::Default).unwrap_err().code(), 1030);
        transaction.commit(&map).unwrap();
        assert_eq!(map.len(), MAX_TRANSACTION_KEYS as u64 + 1);
        assert_eq!(store.validate().unwrap(), []);
        assert_eq!(MOST_ATTEMPTS.get(), 1, "all that is needed under the locks was there");
    }
}

#[test]
fn a_commit_of_few_writes_takes_what_the_shards_have_at_hand() {
    let store = Store::new(&Config::default()).unwrap();
    let map = store.join();
    let commit = |round: u64, inserts: bool| {
        let mut transaction = Transaction::default();
        for n in 0..4 {
            let number = if inserts { 1_000 + 4 * round + n } else { (4 * round + n) % 100 };
            write(&mut transaction, &map, &account(number), round as i32).unwrap();
        }
        transaction.commit(&map).unwrap();
    };
    (0..100).for_each(|n| _ = set(&map, &account(n), 0));
    UNSTAGED.set(Some(0));
    commit(0, false);
    assert_eq!(UNSTAGED.get(), Some(0), "what commits of the map have in common is made when the first is staged");
    (0..100).for_each(|round| commit(round, false));
    // Some have upkeep to do, or need a page.
    assert!((80..=100).contains(&UNSTAGED.get().unwrap()), "{:?} of 100", UNSTAGED.get());
    UNSTAGED.set(Some(0));
    (0..100).for_each(|round| commit(round, true));
    assert!(UNSTAGED.get() > Some(0));
    assert_eq!((get(&map, &account(3)), get(&map, &account(1_399)), map.len()), (Some(75), Some(99), 500));
    assert_eq!(store.validate().unwrap(), []);
}

/// Without others, a commit finds under its locks what it has staged, whatever the map and the writes are.
#[test]
fn a_commit_begins_again_for_others_alone() {
    let seed = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(|| {
        std::time::SystemTime::UNIX_EPOCH.elapsed().map_or(1, |elapsed| elapsed.subsec_nanos().into())
    });
    println!("SEED={seed}");
    let mut random = Random(seed);
    let policies = [
        None,
        Some(PolicyKind::Lru),
        Some(PolicyKind::Lfu),
        Some(PolicyKind::Sieve),
        Some(PolicyKind::S3Fifo),
        Some(PolicyKind::WTinyLfu),
    ];
    for eviction in policies {
        let config = Config {
            shards: Some(1 << random.below(3)),
            eviction,
            max_entries: eviction.map(|_| 3_000),
            ..Config::default()
        };
        let store = Store::new(&config).unwrap();
        let map = store.join();
        let kept = bytes_value(&[7; 3_000]);
        for _ in 0..200 {
            UNSTAGED.set((random.below(2) == 0).then_some(0));
            let mut transaction = Transaction::default();
            // Seventeen deadlines of one commit may crowd where none was before.
            let ttl_ms = 1_000_000 + random.below(8) * 1_000;
            for _ in 0..=random.below(64) {
                let key = account(random.below(4_000));
                let key = Target::Key(Key::string(&key));
                let ttl = if random.below(3) == 0 { Ttl::Of(ttl_ms) } else { Ttl::Default };
                match random.below(6) {
                    0 => _ = transaction.delete(&map, key).unwrap(),
                    1 => _ = transaction.insert(&map, value(&int(1)), None, ttl).unwrap(),
                    2 => transaction.set(&map, key, kept, ttl).unwrap(),
                    _ => transaction.set(&map, key, value(&int(1)), ttl).unwrap(),
                }
            }
            transaction.commit(&map).unwrap();
        }
        assert_eq!(store.validate().unwrap(), [], "SEED={seed}");
        assert_eq!(MOST_ATTEMPTS.get(), 1, "{eviction:?}, SEED={seed}");
    }
}
