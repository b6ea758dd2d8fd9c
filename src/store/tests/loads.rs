//! Loads: one for each key, leases, what voids them, and what a seat that ends leaves.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::store::map::loads::{Completion, LoadFailure};
use crate::store::map::local::Local;
use crate::store::map::store::Store;
use crate::store::shard::load::{Begun, LEASE_MS, Want};
use crate::store::shard::seat::{Notice, Outcome, Seat};
use crate::store::{Config, Error, Freshness, Key, Limits, Ttl, Value, ValueKind, Wake};

const KEY: Key<'static> = Key::string("key");
const VALUE: Value<'static> = Value { kind: ValueKind::Json, bytes: b"1" };

#[derive(Default)]
struct Bell(AtomicUsize);

impl Wake for Bell {
    fn wake(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A thread that loads.
struct Loader {
    local: Local,
    seat: Arc<Seat>,
    bell: Arc<Bell>,
}

impl Loader {
    fn new(store: &Arc<Store>) -> Self {
        let (local, bell) = (store.join(), Arc::new(Bell::default()));
        let seat = local.loads_seat(Arc::clone(&bell) as Arc<dyn Wake>);
        Self { local, seat, bell }
    }
    fn begin(&self, ticket: u64) -> Begun {
        self.local.begin_load(KEY, &self.seat, ticket, &mut None).unwrap()
    }
    fn own(&self, ticket: u64) -> u64 {
        let Begun::Owned(token) = self.begin(ticket) else { panic!("another load is under way") };
        token
    }
    /// Whether it was owned, and whether it was stored.
    fn complete(&self, token: u64) -> (bool, bool) {
        let completion = Completion {
            key: KEY,
            token,
            value: VALUE,
            is_stored: true,
            ttl: Ttl::Default,
            refresh_ms: None,
            stale_ms: None,
        };
        let mut written = None;
        let was_owned = self.local.complete_load(&completion, &mut written).unwrap();
        (was_owned, written.is_some())
    }
    fn granted(&self) -> (u64, u64) {
        let Some(Notice::Granted(ticket, token)) = self.seat.take() else { panic!("nothing was granted") };
        (ticket, token)
    }
    /// The ticket of a load that was waited for and has brought a value.
    fn loaded(&self) -> u64 {
        let Some(Notice::Ended(ticket, outcome)) = self.seat.take() else { panic!("nothing has ended") };
        let Outcome::Loaded { kind, bytes, .. } = &*outcome else { panic!("{outcome:?}") };
        assert_eq!((*kind, &bytes[..]), (VALUE.kind, VALUE.bytes));
        ticket
    }
    fn is_there(&self) -> bool {
        self.local.has(KEY).unwrap()
    }
}

fn store(config: &Config) -> Arc<Store> {
    Store::new(&Config { manual_clock: true, shards: Some(1), ..config.clone() }).unwrap()
}

fn pair(store: &Arc<Store>) -> [Loader; 2] {
    [Loader::new(store), Loader::new(store)]
}

#[test]
fn one_owns_a_load_and_the_others_wait() {
    let store = store(&Config::default());
    let [one, other] = pair(&store);
    let token = one.own(1);
    assert_eq!((other.begin(7), other.begin(8), one.begin(2)), (Begun::Joined(7), Begun::Joined(7), Begun::Joined(1)));
    assert_eq!(one.complete(token), (true, true));
    assert_eq!((other.loaded(), other.bell.0.load(Ordering::SeqCst)), (7, 1));
    assert!(other.seat.take().is_none() && one.seat.take().is_none());
    assert_eq!((other.begin(9), one.complete(token)), (Begun::Present, (false, false)));
    assert_eq!(store.stats().operations.inserts, 1);
    assert!(store.validate().unwrap().is_empty());
}

#[test]
fn what_is_written_or_deleted_meanwhile_makes_a_load_void() {
    type Change = fn(&Local);
    let changes: [(bool, Change); 8] = [
        (true, |map| assert!(map.set(KEY, VALUE, Ttl::Default).is_ok())),
        (true, |map| assert!(!map.delete(KEY).unwrap())),
        (true, |map| map.clear().unwrap()),
        (true, |map| {
            map.set(Key::string("other"), VALUE, Ttl::Default).unwrap();
            map.clear().unwrap();
        }),
        (false, |map| assert!(!map.touch(KEY, Ttl::Of(5)).unwrap())),
        (false, |map| assert!(map.set(Key::string("other"), VALUE, Ttl::Default).is_ok())),
        (false, |map| assert!(map.update(KEY, VALUE, Ttl::Default).unwrap().is_none())),
        (false, |map| {
            map.set(Key::string("other"), VALUE, Ttl::Default).unwrap();
            assert_eq!(map.evict(1).unwrap(), 1);
        }),
    ];
    for (number, (is_void, change)) in changes.into_iter().enumerate() {
        let store = store(&Config { max_entries: Some(100), ..Config::default() });
        let [one, other] = pair(&store);
        let token = one.own(1);
        assert_eq!(other.begin(1), Begun::Joined(1));
        change(&one.local);
        assert_eq!(one.complete(token), (true, !is_void), "{number}");
        assert_eq!(other.loaded(), 1, "the value is handed out in any case");
    }
}

#[test]
fn a_large_value_that_empties_the_shard_voids_no_load() {
    let store = store(&Config { shards: Some(2), memory_limit_bytes: Some(4 << 20), ..Config::default() });
    let one = Loader::new(&store);
    let token = one.own(1);
    for number in 0..20_000 {
        one.local.set(Key::string(&number.to_string()), VALUE, Ttl::Default).unwrap();
    }
    let large = vec![b'x'; 2 << 20];
    let large = Value { kind: ValueKind::String, bytes: &large };
    // Under several keys, so that each shard is emptied for one.
    for number in 0..8 {
        one.local.set(Key::string(&format!("large {number}")), large, Ttl::Default).unwrap();
    }
    assert_eq!(one.complete(token), (true, true));
}

#[test]
fn an_entry_that_expires_voids_no_load_of_its_key_and_may_be_loaded() {
    let store = store(&Config::default());
    let one = Loader::new(&store);
    one.local.set(KEY, VALUE, Ttl::Of(5)).unwrap();
    assert_eq!(one.begin(1), Begun::Present);
    store.clock().advance(5);
    let token = one.own(2);
    assert_eq!(one.complete(token), (true, true));
}

#[test]
fn a_lease_that_is_over_goes_to_the_first_that_waits() {
    let store = store(&Config::default());
    let [one, other] = pair(&store);
    let third = Loader::new(&store);
    let token = one.own(1);
    assert_eq!((other.begin(1), third.begin(1)), (Begun::Joined(1), Begun::Joined(1)));
    store.advance_clock(LEASE_MS - 1);
    assert!(other.seat.take().is_none());
    store.advance_clock(1);
    let (ticket, next) = other.granted();
    assert_eq!((ticket, third.seat.take().is_none()), (1, true));
    assert_eq!(one.complete(token), (false, false), "it is fenced off");
    // The lease begins anew, and the former owner waits behind the others.
    store.advance_clock(LEASE_MS);
    let (_, last) = third.granted();
    assert_eq!((other.complete(next), third.complete(last)), ((false, false), (true, true)));
    assert_eq!((one.loaded(), other.loaded()), (1, 1));
}

#[test]
fn the_thread_that_waits_for_deadlines_ends_leases() {
    let store = Store::new(&Config::default()).unwrap();
    let [one, other] = pair(&store);
    let held = store.hold_time(false);
    one.own(1);
    assert_eq!(other.begin(1), Begun::Joined(1));
    store.advance_clock(LEASE_MS - 20);
    drop(held);
    let start = std::time::Instant::now();
    while other.bell.0.load(Ordering::SeqCst) == 0 {
        assert!(start.elapsed().as_secs() < 30, "nothing wakes it");
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    other.granted();
}

#[test]
fn a_load_whose_lease_is_over_is_taken_over_by_the_next_that_asks() {
    let store = store(&Config::default());
    let [one, other] = pair(&store);
    let token = one.own(1);
    store.advance_clock(2 * LEASE_MS);
    assert_eq!(other.begin(5), Begun::Joined(5));
    let (ticket, next) = other.granted();
    assert_eq!((ticket, one.complete(token), other.complete(next)), (5, (false, false), (true, true)));
}

#[test]
fn a_seat_that_ends_leaves_its_loads_to_the_first_that_waits() {
    let store = store(&Config::default());
    let [one, other] = pair(&store);
    let third = Loader::new(&store);
    one.own(1);
    assert_eq!((third.begin(3), other.begin(2)), (Begun::Joined(3), Begun::Joined(2)));
    // One that only waits leaves nothing.
    third.local.leave_loads(&third.seat);
    one.local.leave_loads(&one.seat);
    let (ticket, token) = other.granted();
    assert_eq!(ticket, 2);
    other.local.leave_loads(&other.seat);
    assert_eq!(other.complete(token), (false, false));
    assert!(matches!(third.begin(4), Begun::Owned(_)), "nothing is under way");
}

#[test]
fn a_load_ends_when_nothing_waits_for_it() {
    let store = store(&Config::default());
    let [one, other] = pair(&store);
    let token = one.own(1);
    let want = |loader: &Loader, want, token| loader.local.want_load(KEY, &loader.seat, 1, want, token).unwrap();
    assert_eq!(other.begin(1), Begun::Joined(1));
    assert!(want(&one, Want::Nothing, token), "another thread waits");
    assert!(!want(&other, Want::Nothing, 0));
    assert!(matches!(one.seat.take(), Some(Notice::Unwanted(1))));
    assert_eq!((one.complete(token), one.is_there()), ((false, false), false));
    // Alone.
    let token = one.own(1);
    assert!(!want(&one, Want::Nothing, token));
    assert_eq!(one.complete(token), (false, false));
}

#[test]
fn a_turn_that_is_not_taken_goes_to_the_next() {
    let store = store(&Config::default());
    let [one, other] = pair(&store);
    let third = Loader::new(&store);
    one.own(1);
    assert_eq!((other.begin(1), third.begin(1)), (Begun::Joined(1), Begun::Joined(1)));
    one.local.leave_loads(&one.seat);
    // It leaves before it has heard that the load is its own.
    assert!(!other.local.want_load(KEY, &other.seat, 1, Want::Nothing, 0).unwrap());
    let (_, token) = third.granted();
    assert_eq!(third.complete(token), (true, true));
}

#[test]
fn those_that_wait_for_a_void_load_wait_for_the_next_one_when_it_is_handed_over() {
    let store = store(&Config::default());
    let [one, other] = pair(&store);
    let third = Loader::new(&store);
    let void = one.own(1);
    assert_eq!(other.begin(1), Begun::Joined(1));
    one.local.delete(KEY).unwrap();
    let token = third.own(1);
    one.local.leave_loads(&one.seat);
    assert!(other.seat.take().is_none());
    assert_eq!((one.complete(void), third.complete(token)), ((false, false), (true, true)));
    assert_eq!(other.loaded(), 1);
}

#[test]
fn a_failure_and_the_end_of_the_map_reach_those_that_wait() {
    let store = store(&Config::default());
    let [one, other] = pair(&store);
    let token = one.own(1);
    assert_eq!(other.begin(1), Begun::Joined(1));
    assert_eq!(one.local.fail_load(KEY, token, b"why".to_vec()).unwrap(), LoadFailure::Owned);
    let Some(Notice::Ended(1, outcome)) = other.seat.take() else { panic!("nothing has ended") };
    assert!(matches!(&*outcome, Outcome::Failed(why) if why == b"why"));
    assert_eq!(one.local.fail_load(KEY, token, Vec::new()).unwrap(), LoadFailure::NotOwned);
    let token = one.own(1);
    assert_eq!(other.begin(1), Begun::Joined(1));
    store.destroy();
    for loader in [&one, &other] {
        assert!(matches!(loader.seat.take(), Some(Notice::Over)));
        assert!(loader.bell.0.load(Ordering::SeqCst) > 0);
    }
    let completion = Completion {
        key: KEY,
        token,
        value: VALUE,
        is_stored: true,
        ttl: Ttl::Default,
        refresh_ms: None,
        stale_ms: None,
    };
    assert_eq!(one.local.complete_load(&completion, &mut None), Err(Error::Closed));
}

#[test]
fn a_value_that_does_not_fit_leaves_the_load_to_its_owner() {
    let store = store(&Config { max_entries: Some(1), ..Config::default() });
    let one = Loader::new(&store);
    let token = one.own(1);
    let limits = Limits { max_value_bytes: Some(Some(1)), ..Limits::default() };
    store.set_limits(&limits).unwrap();
    let large = Value { kind: ValueKind::Json, bytes: b"12" };
    let completion = Completion {
        key: KEY,
        token,
        value: large,
        is_stored: true,
        ttl: Ttl::Default,
        refresh_ms: None,
        stale_ms: None,
    };
    let refused = one.local.complete_load(&completion, &mut None);
    assert!(matches!(refused, Err(Error::ValueTooLarge { .. })), "{refused:?}");
    assert_eq!(one.complete(token), (true, true));
}

#[test]
fn an_entry_is_loaded_again_when_its_time_has_come() {
    let store = store(&Config::default());
    let [one, other] = pair(&store);
    let token = one.own(1);
    let load = |token| {
        let refresh_ms = Some(100);
        let completion = Completion {
            key: KEY,
            token,
            value: VALUE,
            is_stored: true,
            ttl: Ttl::Default,
            refresh_ms,
            stale_ms: None,
        };
        assert!(one.local.complete_load(&completion, &mut None).unwrap());
    };
    load(token);
    let stamp = || one.local.get(KEY, &mut Vec::new()).unwrap().unwrap().place.stamp;
    let ask = |loader: &Loader, ticket| loader.local.begin_refresh(KEY, 100, &loader.seat, ticket).unwrap();
    let is_fresh = |freshness| matches!(freshness, Freshness::Fresh { .. });
    let before = stamp();
    store.advance_clock(99);
    assert!(is_fresh(ask(&one, 2)) && stamp() == before);
    store.advance_clock(1);
    assert_ne!(stamp(), before, "its copies have ended");
    let Freshness::Owned(token) = ask(&one, 3) else { panic!("it is not time") };
    assert_eq!((ask(&other, 4), store.stats().deadlines), (Freshness::Loading, 0));
    load(token);
    assert!(is_fresh(ask(&other, 5)));
    // What was written otherwise has its time from the first that asks.
    one.local.set(KEY, VALUE, Ttl::Default).unwrap();
    store.advance_clock(500);
    assert!(is_fresh(ask(&one, 6)));
    store.advance_clock(100);
    assert!(matches!(ask(&one, 7), Freshness::Owned(_)));
    // A loader that hangs.
    store.advance_clock(LEASE_MS - 1);
    assert_eq!(ask(&other, 8), Freshness::Loading);
    store.advance_clock(1);
    assert!(matches!(ask(&other, 9), Freshness::Owned(_)));
    one.local.delete(KEY).unwrap();
    assert_eq!(ask(&one, 10), Freshness::Absent);
    assert!(store.validate().unwrap().is_empty());
}

#[test]
fn many_entries_are_due_at_once() {
    let store = store(&Config::default());
    let one = Loader::new(&store);
    for number in 0..2_000 {
        let key = number.to_string();
        one.local.set(Key::string(&key), VALUE, Ttl::Default).unwrap();
        one.local.begin_refresh(Key::string(&key), 1 + number % 3, &one.seat, number).unwrap();
    }
    assert!(store.validate().unwrap().is_empty());
    store.advance_clock(10);
    for number in 0..2_000 {
        let key = number.to_string();
        let freshness = one.local.begin_refresh(Key::string(&key), 1, &one.seat, 5_000 + number).unwrap();
        assert!(matches!(freshness, Freshness::Owned(_)), "{number}: {freshness:?}");
    }
    one.local.leave_loads(&one.seat);
    one.local.clear().unwrap();
    assert!(store.validate().unwrap().is_empty());
}

#[test]
fn threads_that_miss_the_same_keys_load_each_once() {
    const KEYS: u32 = 200;
    let store = Store::new(&Config::default()).unwrap();
    let loads = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let loader = Loader::new(&store);
                let mut awaited = 0;
                for number in 0..KEYS {
                    let name = number.to_string();
                    let key = Key::string(&name);
                    match loader.local.begin_load(key, &loader.seat, u64::from(number), &mut None).unwrap() {
                        Begun::Owned(token) => {
                            loads.fetch_add(1, Ordering::SeqCst);
                            let completion = Completion {
                                key,
                                token,
                                value: VALUE,
                                is_stored: true,
                                ttl: Ttl::Default,
                                refresh_ms: None,
                                stale_ms: None,
                            };
                            assert!(loader.local.complete_load(&completion, &mut None).unwrap());
                        }
                        Begun::Joined(_) => awaited += 1,
                        Begun::Present | Begun::Stale(_) => {}
                    }
                }
                while awaited > 0 {
                    match loader.seat.take() {
                        Some(Notice::Ended(..)) => awaited -= 1,
                        Some(other) => panic!("{other:?}"),
                        None => std::thread::yield_now(),
                    }
                }
            });
        }
    });
    assert_eq!((loads.into_inner(), store.len()), (KEYS as usize, u64::from(KEYS)));
}
