//! Freeing much at once, off the caller's thread.
//!
//! `clear`, `destroy` and the last `close` take a map's contents out in one step and hand them here; so does each
//! caller that drops something that takes long to free. What is small is freed on the spot. The rest waits in a queue
//! for one thread, which serves all maps of the process and ends when it has had nothing to do for a while.
//!
//! **Steps.** Debris is freed in steps of some hundred microseconds and goes back into the queue after each. So a
//! write that lacks memory need not wait for the thread to get a processor: it takes the debris of its map out of the
//! queue and does a step itself ([`help`]).
//!
//! **Turns.** The thread puts what has more behind what waits, so that the shards of a map become less together. Their
//! pages lie between each other's: of one shard alone, the system would get back one page of 4 KB with each call, and
//! each such call interrupts the other threads of the process. In turns, a call gives back whole stretches: a tenth of
//! the calls (57,700 and 5,300 for the same maps), and inserts beside it take 23 where they took 29 ms.
//!
//! **Without a thread.** When the system refuses one, nothing is lost and no caller does all of the work: each that
//! adds to the queue, lacks memory or writes ([`help_if_stuck`]) does a step, and each that adds asks for a thread
//! again.
//!
//! What waits counts as used memory, so a limit bounds the queue.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use super::large;
use crate::store::platform::background;
use crate::store::platform::sync::Ordering;
use crate::store::platform::sync::process::{AtomicBool, Condvar, Mutex};

/// Something that takes long to drop, and that counts as used memory until then.
pub trait Debris: Send + 'static {
    /// Roughly how many bytes there are to give back.
    fn bytes(&self) -> usize;
    /// Whether no reader looks at it any more; `None` if that can never be known.
    fn is_unreachable(&self) -> Option<bool>;
    /// Lets it stay where it is for good: memory that a reader may look at is lost rather than freed.
    fn leak(self: Box<Self>);
    /// Frees a part of it, some hundred microseconds' worth. `true`: what remains is quickly dropped.
    fn free_some(&mut self) -> bool {
        true
    }
    /// The map that it was a part of: the address of its memory accounting.
    fn owner(&self) -> usize;
}

/// What came of an offer to help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Help {
    /// A part was freed, or the thread is about to free one.
    Progress,
    /// Nothing can be freed before a reader is done.
    Blocked,
}

/// Readers are done within microseconds.
const POLL: Duration = Duration::from_micros(100);

/// Up to this much is dropped by the caller.
const INLINE_BYTES: usize = 1 << 20;

/// Steps done by the caller that clears a map, for each shard: up to a tenth of a millisecond.
const FIRST_STEPS: usize = 1;

/// How often the thread gives a part of the free memory back to the system after a step: more than a step frees.
/// Steps themselves omit that, because a write that lacks memory does some, and wants it free, not gone.
const RELEASES_PER_STEP: usize = 4;

/// How long the thread stays without debris. Starting one takes some tens of microseconds of the caller's time.
const LINGER: Duration = Duration::from_secs(1);

static QUEUE: Mutex<Queue> = Mutex::new(Queue { items: VecDeque::new(), has_thread: false });
static ARRIVAL: Condvar = Condvar::new();
/// Whether something waits and there is no thread for it.
static IS_STUCK: AtomicBool = AtomicBool::new(false);

struct Queue {
    items: VecDeque<Item>,
    /// Invariant: changed to `false` by the thread, as its last act.
    has_thread: bool,
}

struct Item {
    debris: Box<dyn Debris>,
    /// Whether a reader may still look at it.
    is_in_sight: bool,
}

/// What remains after a step.
enum Rest {
    Nothing,
    /// There is more to do.
    Some(Item),
    /// A reader may still look at it.
    InSight(Item),
}

impl Item {
    /// Frees a part. A panic on the way leaks the rest: half of something is not dropped twice.
    fn step(mut self) -> Rest {
        if self.is_in_sight {
            match self.debris.is_unreachable() {
                None => {
                    self.debris.leak();
                    return Rest::Nothing;
                }
                Some(false) => return Rest::InSight(self),
                Some(true) => self.is_in_sight = false,
            }
        }
        match catch_unwind(AssertUnwindSafe(|| self.debris.free_some())) {
            Ok(false) => Rest::Some(self),
            Ok(true) => {
                drop(catch_unwind(AssertUnwindSafe(|| drop(self))));
                Rest::Nothing
            }
            Err(_) => {
                self.debris.leak();
                Rest::Nothing
            }
        }
    }
}

/// Drops the debris once no reader looks at it: here if it is small, else in the background.
pub fn dispose(debris: impl Debris) {
    dispose_after(0, debris);
}

/// The same, but what the first steps free is free when this returns: for debris whose steps are short.
pub fn dispose_and_begin(debris: impl Debris) {
    dispose_after(FIRST_STEPS, debris);
}

fn dispose_after(steps: usize, debris: impl Debris) {
    let is_small = debris.bytes() <= INLINE_BYTES;
    let is_in_sight = match debris.is_unreachable() {
        None => return Box::new(debris).leak(),
        Some(true) if is_small => return drop(debris),
        Some(is_unreachable) => !is_unreachable,
    };
    let mut item = Item { debris: Box::new(debris), is_in_sight };
    for _ in 0..steps {
        item = match item.step() {
            Rest::Nothing => return,
            Rest::InSight(item) => return enqueue(item),
            Rest::Some(item) => item,
        };
    }
    enqueue(item);
}

fn enqueue(item: Item) {
    let mut queue = QUEUE.lock();
    queue.items.push_back(item);
    if queue.has_thread {
        ARRIVAL.notify_one();
        return;
    }
    queue.has_thread = background::start("superdashmap-reaper", run);
    IS_STUCK.store(!queue.has_thread, Ordering::Relaxed);
}

/// An item whose step is done waits for the next, before all others or after them.
fn put_back(item: Item, is_next: bool) {
    let mut queue = QUEUE.lock();
    let at = if is_next { 0 } else { queue.items.len() };
    queue.items.insert(at, item);
    // Another helper that found the queue empty meanwhile has taken it for done.
    if !queue.has_thread {
        IS_STUCK.store(true, Ordering::Relaxed);
    }
}

/// Frees a part of what the map left behind that `owner` stands for, or gives the thread that is at it a moment.
pub fn help(owner: usize) -> Help {
    let mut queue = QUEUE.lock();
    let found = queue.items.iter().position(|item| item.debris.owner() == owner);
    let item = found.and_then(|at| queue.items.remove(at));
    drop(queue);
    match item.map(Item::step) {
        Some(Rest::Nothing) => return Help::Progress,
        Some(Rest::Some(item)) => {
            put_back(item, true);
            return Help::Progress;
        }
        Some(Rest::InSight(item)) => {
            put_back(item, false);
            std::thread::sleep(POLL);
            return Help::Blocked;
        }
        None => std::thread::sleep(POLL),
    }
    Help::Progress
}

/// Frees a part of what waits if there is no thread for it. Costs a load otherwise.
#[inline]
pub fn help_if_stuck() {
    if IS_STUCK.load(Ordering::Relaxed) {
        help_stuck();
    }
}

#[cold]
fn help_stuck() {
    let Some(item) = QUEUE.lock().items.pop_front() else {
        IS_STUCK.store(false, Ordering::Relaxed);
        return;
    };
    match item.step() {
        Rest::Nothing => {}
        Rest::Some(item) => put_back(item, true),
        Rest::InSight(item) => put_back(item, false),
    }
}

/// The thread.
fn run() {
    large::give_back_while_freeing();
    // How many in a row are in sight of a reader.
    let mut in_sight = 0;
    while let Some((item, waiting)) = next() {
        match item.step() {
            Rest::Nothing => {
                in_sight = 0;
                if waiting == 0 {
                    large::release_all();
                }
            }
            Rest::Some(item) => {
                in_sight = 0;
                put_back(item, false);
                (0..RELEASES_PER_STEP).for_each(|_| large::release_surplus());
            }
            Rest::InSight(item) => {
                put_back(item, false);
                in_sight += 1;
                if in_sight > waiting {
                    std::thread::sleep(POLL);
                    in_sight = 0;
                }
            }
        }
    }
}

/// The next item, and how many wait behind it. `None`: no thread from here on.
fn next() -> Option<(Item, usize)> {
    let mut queue = QUEUE.lock();
    loop {
        if let Some(item) = queue.items.pop_front() {
            return Some((item, queue.items.len()));
        }
        if ARRIVAL.wait_for(&mut queue, LINGER).timed_out() && queue.items.is_empty() {
            queue.has_thread = false;
            return None;
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicUsize};
    use std::sync::{Arc, mpsc};
    use std::thread::{self, ThreadId};

    use super::*;

    /// Sends the id of the thread that freed a part.
    struct Parts {
        left: usize,
        owner: usize,
        is_reachable: Arc<AtomicBool>,
        freed_by: mpsc::Sender<ThreadId>,
        /// How many of its kind exist.
        alive: Arc<AtomicUsize>,
    }

    impl Debris for Parts {
        fn bytes(&self) -> usize {
            INLINE_BYTES + 1
        }
        fn is_unreachable(&self) -> Option<bool> {
            Some(!self.is_reachable.load(Ordering::SeqCst))
        }
        fn free_some(&mut self) -> bool {
            self.left -= 1;
            self.freed_by.send(thread::current().id()).unwrap();
            self.left == 0
        }
        fn owner(&self) -> usize {
            self.owner
        }
        fn leak(self: Box<Self>) {
            std::mem::forget(*self);
        }
    }

    impl Drop for Parts {
        fn drop(&mut self) {
            self.alive.fetch_sub(1, Ordering::SeqCst);
        }
    }

    fn parts(count: usize, is_reachable: bool) -> (Parts, mpsc::Receiver<ThreadId>) {
        static OWNERS: AtomicUsize = AtomicUsize::new(1);
        let (freed_by, freed) = mpsc::channel();
        let owner = OWNERS.fetch_add(1, Ordering::SeqCst);
        let is_reachable = Arc::new(AtomicBool::new(is_reachable));
        (Parts { left: count, owner, is_reachable, freed_by, alive: Arc::new(AtomicUsize::new(1)) }, freed)
    }

    #[test]
    fn whoever_hands_debris_over_frees_a_bounded_part() {
        let (debris, freed) = parts(1_000, false);
        let alive = Arc::clone(&debris.alive);
        dispose_and_begin(debris);
        // The channel ends when the debris is gone.
        let by_caller = freed.iter().filter(|by| *by == thread::current().id()).count();
        assert!(by_caller <= 8, "{by_caller} steps of 1,000");
        assert_eq!(alive.load(Ordering::SeqCst), 0);
    }

    #[test]
    fn what_a_reader_sees_stays_and_whoever_helps_is_told() {
        let (debris, freed) = parts(50, true);
        let (owner, is_reachable) = (debris.owner, Arc::clone(&debris.is_reachable));
        dispose(debris);
        // The thread looks at it now and then, and helpers do not find it meanwhile.
        while help(owner) != Help::Blocked {}
        assert!(freed.try_recv().is_err());
        is_reachable.store(false, Ordering::SeqCst);
        assert_eq!(freed.iter().count(), 50);
    }

    #[test]
    fn what_waits_is_freed_in_turns() {
        const STEPS: usize = 20;
        struct Turn {
            name: char,
            left: usize,
            may_begin: Arc<AtomicBool>,
            taken: mpsc::Sender<char>,
        }
        impl Debris for Turn {
            fn bytes(&self) -> usize {
                INLINE_BYTES + 1
            }
            fn is_unreachable(&self) -> Option<bool> {
                Some(self.may_begin.load(Ordering::SeqCst))
            }
            fn owner(&self) -> usize {
                0
            }
            fn leak(self: Box<Self>) {
                std::mem::forget(*self);
            }
            fn free_some(&mut self) -> bool {
                self.taken.send(self.name).unwrap();
                self.left -= 1;
                self.left == 0
            }
        }
        let (taken, turns) = mpsc::channel();
        let may_begin = Arc::new(AtomicBool::new(false));
        for name in ['a', 'b'] {
            dispose(Turn { name, left: STEPS, may_begin: Arc::clone(&may_begin), taken: taken.clone() });
        }
        drop(taken);
        may_begin.store(true, Ordering::SeqCst);
        let turns: Vec<_> = turns.iter().collect();
        assert_eq!(turns.len(), 2 * STEPS);
        assert!(turns.windows(2).all(|pair| pair[0] != pair[1]), "{turns:?}");
    }

    #[test]
    fn debris_that_can_never_be_freed_is_left_alone() {
        struct Unknown(Arc<AtomicUsize>);
        impl Debris for Unknown {
            fn bytes(&self) -> usize {
                INLINE_BYTES + 1
            }
            fn is_unreachable(&self) -> Option<bool> {
                None
            }
            fn owner(&self) -> usize {
                0
            }
            fn leak(self: Box<Self>) {
                self.0.fetch_add(1, Ordering::SeqCst);
                std::mem::forget(*self);
            }
        }
        let leaked = Arc::new(AtomicUsize::new(0));
        dispose(Unknown(Arc::clone(&leaked)));
        assert_eq!(leaked.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn without_a_thread_each_does_a_step_and_nothing_is_lost() {
        // As after a refusal: the queue of this test's own.
        let (debris, freed) = parts(10, false);
        let mut item = Item { debris: Box::new(debris), is_in_sight: true };
        for step in 1..10 {
            let Rest::Some(rest) = item.step() else { panic!("it went after {step} steps") };
            item = rest;
        }
        assert!(matches!(item.step(), Rest::Nothing));
        assert_eq!(freed.iter().filter(|by| *by == thread::current().id()).count(), 10);
    }
}
