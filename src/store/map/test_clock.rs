//! The time of a map in the hands of a test.
//!
//! The expiry thread sleeps by the clock, and a clock that a test moves would wake it some time later. So the thread
//! that moves the clock removes what is due itself, all of it, and wakes the other afterwards. That takes as long as it
//! takes: a test wants to go on when it is done. Each step holds a lock no longer than one of the expiry thread's.

use super::store::Store;
use crate::store::events::lines;
use crate::store::expiry::thread::{Attendance, Expires};
use crate::store::platform::clock::HeldClock;
use crate::store::platform::sync::Arc;

/// The time of a map in hand, until it is dropped.
pub struct HeldTime {
    _clock: HeldClock,
    /// Where the store is told of time when the map is used, and not before: no copies are kept that would have to end
    /// in between.
    late: Option<Arc<Attendance>>,
}

impl Drop for HeldTime {
    fn drop(&mut self) {
        if let Some(attendance) = &self.late {
            attendance.in_time();
        }
    }
}

impl Store {
    /// Stops the map's time where it is, for all threads. `is_late`: time may have passed of which the store is not
    /// told yet, because no thread has used the map since.
    pub fn hold_time(&self, is_late: bool) -> HeldTime {
        let clock = self.clock().hold();
        let late = is_late.then(|| Arc::clone(&self.context.attendance));
        if let Some(attendance) = &late {
            attendance.too_late();
            self.unattended(false);
        }
        self.events().log(&lines::CLOCK_HELD, &[]);
        HeldTime { _clock: clock, late }
    }

    /// Moves a time that is held. When this returns, every entry whose deadline has passed is removed.
    pub fn advance_clock(&self, by_ms: u64) {
        let clock = self.clock();
        if !clock.shift(by_ms) {
            return;
        }
        let now_ms = clock.now_ms();
        while self.expire(now_ms).is_some_and(|next_ms| next_ms <= now_ms) {}
        // For the deadline that comes next.
        clock.notify();
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::store::config::Config;
    use crate::store::entry::key::Key;
    use crate::store::entry::value::{Value, ValueKind};
    use crate::store::expiry::life::{RemainingTtl, Ttl};

    const VALUE: Value<'static> = Value { kind: ValueKind::Json, bytes: b"1" };

    fn map(config: &Config) -> Arc<Store> {
        Store::new(&Config { shards: Some(8), ..config.clone() }).unwrap()
    }

    #[test]
    fn what_is_due_is_gone_when_the_clock_was_moved() {
        // Each time more than one step of each shard.
        const DUE: u64 = 6_000;
        let store = Store::new(&Config { shards: Some(1), ..Config::default() }).unwrap();
        let local = store.join();
        let held = store.hold_time(false);
        for key in 0..5 * DUE {
            local.set(Key::string(&key.to_string()), VALUE, Ttl::Of(1 + key % 5)).unwrap();
        }
        for passed in 1..=5 {
            store.advance_clock(1);
            let stats = store.stats();
            assert_eq!((stats.entries, stats.expirations), ((5 - passed) * DUE, passed * DUE));
            assert_eq!(stats.deadlines, stats.entries);
        }
        drop(held);
    }

    #[test]
    fn time_stands_still_and_then_goes_on_from_there() {
        let store = map(&Config::default());
        let local = store.join();
        local.set(Key::string("before"), VALUE, Ttl::Of(3_600_000)).unwrap();
        let ttl = |key| local.ttl_of(Key::string(key)).unwrap();
        let held = store.hold_time(false);
        let Some(RemainingTtl::Ms(left_ms)) = ttl("before") else { panic!("it is there") };
        local.set(Key::string("during"), VALUE, Ttl::Of(20)).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(30));
        assert_eq!(ttl("before"), Some(RemainingTtl::Ms(left_ms)));
        assert_eq!(ttl("during"), Some(RemainingTtl::Ms(20)));
        store.advance_clock(19);
        assert_eq!(ttl("during"), Some(RemainingTtl::Ms(1)));
        drop(held);
        // The thread that waited for the clock sleeps by it again.
        while store.len() == 2 {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        let Some(RemainingTtl::Ms(later_ms)) = ttl("before") else { panic!("it is there") };
        assert!(later_ms < left_ms && later_ms > 20, "{later_ms}");
        store.advance_clock(1_000_000);
        assert_eq!(store.len(), 1, "a clock that runs is not moved");
    }

    #[test]
    fn while_time_is_told_of_late_no_copies_are_kept_of_what_may_expire() {
        let store = map(&Config::default());
        let local = store.join();
        let written = |key, ttl| local.set(Key::string(key), VALUE, ttl).unwrap().place;
        let read = |key| local.get(Key::string(key), &mut Vec::new()).unwrap().unwrap().place.stamp;
        written("before", Ttl::Of(3_600_000));
        written("forever", Ttl::Default);
        let (kept, lasting) = (read("before").unwrap(), read("forever").unwrap());
        let [one, other] = [store.hold_time(true), store.hold_time(true)];
        drop(store.hold_time(false));
        for held in [one, other] {
            assert_eq!(read("before"), None);
            assert_eq!(written("during", Ttl::Of(10)).stamp, None);
            assert_eq!(read("forever"), Some(lasting));
            drop(held);
        }
        // The thread is there all the time, and the copies of before have ended.
        assert!(read("before").is_some_and(|stamp| stamp != kept));
    }

    #[test]
    fn a_read_that_slides_is_seen_by_a_clock_that_is_moved() {
        let store = map(&Config { sliding: Some(true), ..Config::default() });
        let local = store.join();
        let held = store.hold_time(false);
        local.set(Key::string("read"), VALUE, Ttl::Of(10)).unwrap();
        local.set(Key::string("not"), VALUE, Ttl::Of(10)).unwrap();
        store.advance_clock(9);
        local.get(Key::string("read"), &mut Vec::new()).unwrap();
        store.advance_clock(9);
        assert_eq!(store.len(), 1);
        store.advance_clock(1);
        assert!(store.is_empty());
        drop(held);
    }
}
