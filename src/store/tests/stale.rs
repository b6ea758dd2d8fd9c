//! Values of expired entries that are kept for loads: found by those alone, counted, and dropped first.

use std::sync::Arc;

use crate::store::map::loads::{Completion, LoadFailure};
use crate::store::map::local::Local;
use crate::store::map::store::Store;
use crate::store::shard::load::{Begun, LEASE_MS};
use crate::store::shard::seat::{Outcome, Seat};
use crate::store::{Cause, Config, Key, Ttl, Value, ValueKind, Wake};

struct Silent;

impl Wake for Silent {
    fn wake(&self) {}
}

struct Loader {
    local: Local,
    seat: Arc<Seat>,
    last: u64,
}

impl Loader {
    fn new(store: &Arc<Store>) -> Self {
        let local = store.join();
        let seat = local.loads_seat(Arc::new(Silent));
        Self { local, seat, last: 0 }
    }
    /// What came of asking for a load, and the stale value that was found.
    fn begin(&mut self, key: &str) -> (Begun, Option<Vec<u8>>) {
        self.last += 1;
        let mut stale = None;
        let begun = self.local.begin_load(Key::string(key), &self.seat, self.last, &mut stale).unwrap();
        let bytes = stale.map(|stale| match stale {
            Outcome::Loaded { bytes, .. } => bytes,
            other => panic!("{other:?}"),
        });
        (begun, bytes)
    }
    fn complete(&mut self, key: &str, token: u64, value: &[u8], ttl_ms: u64, stale_ms: u64) -> bool {
        let completion = Completion {
            key: Key::string(key),
            token,
            value: Value { kind: ValueKind::Buffer, bytes: value },
            is_stored: true,
            ttl: Ttl::Of(ttl_ms),
            refresh_ms: None,
            stale_ms: Some(stale_ms),
        };
        self.local.complete_load(&completion, &mut None).unwrap()
    }
    /// Loads a key that is missing.
    fn load(&mut self, key: &str, value: &[u8], ttl_ms: u64, stale_ms: u64) {
        let (Begun::Owned(token), None) = self.begin(key) else { panic!("{key} is there, or stale") };
        assert!(self.complete(key, token, value, ttl_ms, stale_ms));
    }
}

fn store(config: &Config) -> Arc<Store> {
    Store::new(&Config { manual_clock: true, ..config.clone() }).unwrap()
}

#[test]
fn a_value_is_found_by_loads_alone_until_it_is_over() {
    let store = store(&Config::default());
    let mut one = Loader::new(&store);
    let audience = store.watch_removals(Cause::Expired.bit(), Arc::new(Silent));
    one.load("a", b"first", 10, 50);
    let handle = one.local.place_of(Key::string("a")).unwrap().unwrap().handle;
    store.advance_clock(9);
    assert_eq!((one.begin("a").0, store.stats().stale), (Begun::Present, 0));
    store.advance_clock(1);
    let stats = store.stats();
    assert_eq!((stats.entries, stats.stale, stats.expirations, stats.deadlines), (0, 1, 1, 0));
    assert!(!one.local.has(Key::string("a")).unwrap() && one.local.check(handle).is_err());
    assert_eq!(one.local.get(handle, &mut Vec::new()).unwrap(), None);
    let mut removals = Vec::new();
    audience.take(10, 1_000, &mut removals);
    assert_eq!(removals.len(), 1);
    assert!(store.validate().unwrap().is_empty());
    let (Begun::Stale(Some(token)), Some(bytes)) = one.begin("a") else { panic!("it is gone") };
    assert_eq!(bytes, b"first");
    assert_eq!(one.begin("a"), (Begun::Stale(None), Some(b"first".to_vec())), "one load is under way");
    // It failed: the value goes on.
    assert_eq!(one.local.fail_load(Key::string("a"), token, Vec::new()).unwrap(), LoadFailure::Unheard);
    let (Begun::Stale(Some(token)), Some(_)) = one.begin("a") else { panic!("it is gone") };
    store.advance_clock(49);
    assert!(one.complete("a", token, b"second", 10, 50));
    assert_eq!((store.stats().stale, store.stats().entries), (0, 1));
    store.advance_clock(10 + 49);
    assert_eq!(store.stats().stale, 1);
    store.advance_clock(1);
    assert_eq!((store.stats().stale, one.begin("a").1), (0, None));
    removals.clear();
    audience.take(10, 1_000, &mut removals);
    assert_eq!(removals.len(), 1, "the end of a stale value is no removal");
    assert!(store.validate().unwrap().is_empty());
}

#[test]
fn it_is_over_for_a_load_that_comes_before_it_was_dropped() {
    let store = store(&Config { shards: Some(1), ..Config::default() });
    let mut one = Loader::new(&store);
    one.load("a", b"first", 10, 50);
    store.advance_clock(10);
    // The thread that drops it sleeps.
    store.clock().shift(50);
    assert!(matches!(one.begin("a"), (Begun::Owned(_), None)));
}

#[test]
fn a_write_a_deletion_and_a_clear_drop_it() {
    let changes: [fn(&Local); 3] = [
        |map| assert!(map.set(Key::string("a"), Value::json("1"), Ttl::Default).is_ok()),
        |map| assert!(!map.delete(Key::string("a")).unwrap()),
        |map| map.clear().unwrap(),
    ];
    for change in changes {
        let store = store(&Config { max_entries: Some(100), ..Config::default() });
        let mut one = Loader::new(&store);
        one.load("a", b"first", 10, 50);
        one.load("b", b"other", 10_000, 50);
        store.advance_clock(10);
        let (Begun::Stale(Some(token)), _) = one.begin("a") else { panic!("it is gone") };
        change(&one.local);
        assert_eq!(store.stats().stale, 0);
        let before = one.local.has(Key::string("a")).unwrap();
        one.complete("a", token, b"late", 10, 50);
        assert_eq!(one.local.has(Key::string("a")).unwrap(), before, "the load is void");
        assert!(store.validate().unwrap().is_empty());
    }
}

#[test]
fn it_counts_as_an_entry_and_is_the_first_to_go_in_whichever_shard_it_is() {
    let store = store(&Config { shards: Some(8), max_entries: Some(100), ..Config::default() });
    let mut one = Loader::new(&store);
    for number in 0..40 {
        one.load(&format!("stale {number}"), b"value", 10, 1_000);
    }
    store.advance_clock(10);
    assert_eq!((store.stats().stale, store.len()), (40, 0));
    for number in 0..100_u64 {
        one.local.set(Key::string(&number.to_string()), Value::json("1"), Ttl::Default).unwrap();
        assert_eq!(store.len(), number + 1, "no entry is evicted for another");
        assert_eq!(store.stats().stale, 40.min(99 - number));
    }
    assert_eq!(store.stats().evictions, 0);
    one.local.set(Key::string("one more"), Value::json("1"), Ttl::Default).unwrap();
    assert_eq!((store.len(), store.stats().evictions), (100, 1));
    assert!(store.validate().unwrap().is_empty());
}

#[test]
fn its_bytes_are_counted_and_go_first_where_bytes_are_limited() {
    let store = store(&Config { shards: Some(2), memory_limit_bytes: Some(2 << 20), ..Config::default() });
    let mut one = Loader::new(&store);
    let value = vec![7; 1_000];
    for number in 0..400 {
        one.load(&format!("stale {number}"), &value, 10, 1_000);
    }
    store.advance_clock(10);
    let (stale, used) = (store.stats().stale, store.memory_bytes());
    assert!(stale > 300 && used > stale * 1_000, "{stale} values, {used} bytes");
    let mut written = 0;
    while store.stats().stale > 0 {
        one.local
            .set(Key::string(&written.to_string()), Value { kind: ValueKind::Buffer, bytes: &value }, Ttl::Default)
            .unwrap();
        written += 1;
        assert!(store.memory_bytes() <= 2 << 20);
        // The write that takes the last of them may need more than they had.
        if store.stats().stale > 0 {
            assert_eq!((store.len(), store.stats().evictions), (written, 0));
        }
    }
    assert!(written > 500, "{written}");
    assert!(store.validate().unwrap().is_empty());
    for number in 0..5_000 {
        one.local
            .set(Key::string(&number.to_string()), Value { kind: ValueKind::Buffer, bytes: &value }, Ttl::Default)
            .unwrap();
    }
    assert!(store.stats().evictions > 0 && store.memory_bytes() <= 2 << 20);
    assert!(store.validate().unwrap().is_empty());
}

#[test]
fn evict_takes_it_first() {
    let store = store(&Config { max_entries: Some(100), ..Config::default() });
    let mut one = Loader::new(&store);
    for number in 0..5 {
        one.load(&format!("stale {number}"), b"value", 10, 1_000);
        one.load(&format!("living {number}"), b"value", 1_000, 1_000);
    }
    store.advance_clock(10);
    assert_eq!((one.local.evict(3).unwrap(), store.stats().stale, store.len()), (3, 2, 5));
    assert_eq!((one.local.evict(3).unwrap(), store.stats().stale, store.len()), (3, 0, 4));
    assert!(store.validate().unwrap().is_empty());
}

#[test]
fn a_loader_that_hangs_is_replaced_when_its_lease_is_over() {
    let store = store(&Config::default());
    let mut one = Loader::new(&store);
    one.load("a", b"first", 10, 10 * LEASE_MS);
    store.advance_clock(10);
    let (Begun::Stale(Some(first)), _) = one.begin("a") else { panic!("it is gone") };
    store.advance_clock(LEASE_MS - 1);
    assert_eq!(one.begin("a").0, Begun::Stale(None));
    store.advance_clock(1);
    let (Begun::Stale(Some(second)), Some(_)) = one.begin("a") else { panic!("it is not replaced") };
    assert!(!one.complete("a", first, b"late", 10, 10));
    assert!(one.complete("a", second, b"second", 10, 10));
}

#[test]
fn what_expires_while_it_is_written_is_kept_too_and_a_limit_of_entries_holds() {
    let store = store(&Config { shards: Some(1), max_entries: Some(4), ..Config::default() });
    let mut one = Loader::new(&store);
    for round in 0..50_u64 {
        let key = format!("key {}", round % 6);
        match one.begin(&key) {
            (Begun::Owned(token) | Begun::Stale(Some(token)), _) => {
                assert!(one.complete(&key, token, b"value", 1 + round % 3, 4));
            }
            (begun, _) => assert_eq!(begun, Begun::Present),
        }
        store.advance_clock(round % 2);
        let stats = store.stats();
        assert!(stats.entries + stats.stale <= 4, "{} and {}", stats.entries, stats.stale);
        assert!(store.validate().unwrap().is_empty());
    }
}
