//! Promises that native code settles.
//!
//! JavaScript makes a promise, and an operation [begins](Pending::begin) it here: it gets a number and a [`Notice`],
//! which whatever the promise waits for keeps, in any thread. Once the notice was given, JavaScript is woken, takes the
//! numbers of all that was given notice of ([`Pending::take`]), and asks the operation of each what it came to.
//!
//! What a promise waits with (a job, a place in a queue) is kept here until the promise is [ended](Pending::end), and
//! dropped with it, or with the open map: dropping it has to cancel it. A map that is destroyed gives notice of all.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::binding::failure::{Failure, Outcome};
use crate::store::{Store, Wake};

/// The promises of one open map.
#[derive(Default)]
pub struct Pending {
    promises: RefCell<HashMap<u32, Rc<dyn Any>>>,
    last: Cell<u32>,
    noticed: RefCell<Option<Arc<Noticed>>>,
}

/// Numbers of which notice was given, until they are taken.
struct Noticed {
    numbers: Mutex<BTreeSet<u32>>,
    waker: Arc<dyn Wake>,
}

/// Wakes JavaScript for one promise. Also after the promise was ended, or the environment: then nothing happens.
pub struct Notice {
    noticed: Arc<Noticed>,
    number: u32,
}

impl Wake for Notice {
    fn wake(&self) {
        self.noticed.numbers.lock().insert(self.number);
        self.noticed.waker.wake();
    }
}

/// The map was destroyed.
impl Wake for Noticed {
    fn wake(&self) {
        self.waker.wake();
    }
}

impl Pending {
    /// Begins a promise with what `start` makes of its notice, and returns its number. `waker` wakes JavaScript for
    /// this open map.
    pub fn begin<T: 'static>(
        &self,
        store: &Store,
        waker: impl FnOnce() -> Outcome<Arc<dyn Wake>>,
        start: impl FnOnce(Arc<Notice>) -> Outcome<T>,
    ) -> Outcome<u32> {
        let known = self.noticed.borrow().as_ref().map(Arc::clone);
        let noticed = known.map_or_else(|| self.first(store, waker), Ok)?;
        let number = self.last.get().wrapping_add(1);
        // Used up even if `start` fails: it may have given notice, which must not be about the next promise.
        self.last.set(number);
        let promise = Rc::new(start(Arc::new(Notice { noticed, number }))?);
        let before = self.promises.borrow_mut().insert(number, promise);
        drop(before);
        Ok(number)
    }

    /// What the notices of all promises share, made with the first.
    fn first(&self, store: &Store, waker: impl FnOnce() -> Outcome<Arc<dyn Wake>>) -> Outcome<Arc<Noticed>> {
        let noticed = Arc::new(Noticed { numbers: Mutex::default(), waker: waker()? });
        store.watch_end(&(Arc::clone(&noticed) as Arc<dyn Wake>));
        self.noticed.replace(Some(Arc::clone(&noticed)));
        Ok(noticed)
    }

    /// What a promise waits with.
    pub fn get<T: 'static>(&self, number: u32) -> Outcome<Rc<T>> {
        let promise = self.promises.borrow().get(&number).map(Rc::clone);
        promise.and_then(|promise| promise.downcast().ok()).ok_or(Failure::Misuse("there is no such promise"))
    }

    /// Ends a promise; whether it was there.
    pub fn end(&self, number: u32) -> bool {
        let promise = self.promises.borrow_mut().remove(&number);
        promise.is_some()
    }

    /// Takes at most `count` numbers of which notice was given, the oldest promises first; of a map that was
    /// destroyed, the numbers of all.
    pub fn take(&self, count: usize, is_destroyed: bool) -> Vec<u32> {
        if is_destroyed {
            return self.promises.borrow().keys().copied().collect();
        }
        let noticed = self.noticed.borrow();
        let Some(noticed) = noticed.as_ref() else { return Vec::new() };
        let mut numbers = noticed.numbers.lock();
        std::iter::from_fn(|| numbers.pop_first()).take(count).collect()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.promises.borrow().is_empty()
    }

    /// Ends all.
    pub fn end_all(&self) {
        let promises = self.promises.take();
        drop(promises);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::store::Config;

    #[derive(Default)]
    struct Bell(AtomicUsize);

    impl Wake for Bell {
        fn wake(&self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn begin(pending: &Pending, store: &Store, bell: &Arc<Bell>) -> (u32, Arc<Notice>) {
        let mut given = None;
        let waker = || Ok(Arc::clone(bell) as Arc<dyn Wake>);
        let number = pending.begin(store, waker, |notice| {
            given = Some(Arc::clone(&notice));
            Ok(notice)
        });
        (number.unwrap(), given.unwrap())
    }

    #[test]
    fn each_notice_is_taken_once() {
        let (pending, bell, store) =
            (Pending::default(), Arc::new(Bell::default()), Store::new(&Config::default()).unwrap());
        let begun: Vec<_> = (0..3).map(|_| begin(&pending, &store, &bell)).collect();
        assert!(pending.take(10, false).is_empty());
        for at in [2, 0, 2] {
            let notice = Arc::clone(&begun[at].1);
            std::thread::spawn(move || notice.wake()).join().unwrap();
        }
        assert_eq!(bell.0.load(Ordering::SeqCst), 3);
        assert_eq!(pending.take(1, false), [begun[0].0]);
        assert_eq!(pending.take(10, false), [begun[2].0]);
        assert!(pending.take(10, false).is_empty());
    }

    #[test]
    fn notice_of_a_promise_that_did_not_begin_is_not_about_the_next() {
        let (pending, bell, store) =
            (Pending::default(), Arc::new(Bell::default()), Store::new(&Config::default()).unwrap());
        let waker = || Ok(Arc::clone(&bell) as Arc<dyn Wake>);
        let refused = pending.begin(&store, waker, |notice| -> Outcome<()> {
            notice.wake();
            Err(Failure::Misuse("on purpose"))
        });
        assert!(refused.is_err() && pending.is_empty());
        let (number, _) = begin(&pending, &store, &bell);
        assert!(!pending.take(10, false).contains(&number));
    }

    #[test]
    fn what_a_promise_waits_with_is_dropped_with_it() {
        let (pending, bell, store) =
            (Pending::default(), Arc::new(Bell::default()), Store::new(&Config::default()).unwrap());
        let [(first, one), (second, other)] = [(); 2].map(|()| begin(&pending, &store, &bell));
        assert!(pending.end(first) && !pending.end(first));
        assert_eq!(Arc::strong_count(&one), 1);
        assert!(pending.get::<Arc<Notice>>(first).is_err() && pending.get::<Arc<Notice>>(second).is_ok());
        pending.end_all();
        assert_eq!(Arc::strong_count(&other), 1);
        // A notice that comes late is about nothing.
        other.wake();
        assert!(pending.is_empty());
    }

    #[test]
    fn a_map_that_is_destroyed_gives_notice_of_all() {
        let (pending, bell, store) =
            (Pending::default(), Arc::new(Bell::default()), Store::new(&Config::default()).unwrap());
        let begun = [(); 2].map(|()| begin(&pending, &store, &bell).0);
        store.destroy();
        assert_eq!(bell.0.load(Ordering::SeqCst), 1);
        let mut taken = pending.take(10, store.is_destroyed());
        taken.sort_unstable();
        assert_eq!(taken, begun);
    }
}
