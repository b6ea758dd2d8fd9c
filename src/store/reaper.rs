//! Freeing much at once, off the caller's thread.
//!
//! `clear`, `destroy` and the last `close` take a map's contents out in one step and hand them here; so does whoever lets go of
//! something that takes long to free. What is small is freed on the spot. The rest waits in a queue for one thread, which
//! serves all maps of the process and ends when it has had nothing to do for a while.
//!
//! **Steps.** Debris is freed in steps of some hundred microseconds and goes back into the queue after each. So a write that
//! lacks memory need not wait for the thread to get a processor: it takes the debris of its map out of the queue and does a
//! step itself ([`help`]).
//!
//! **Without a thread.** When the system refuses one, nothing is lost and nobody does all of the work: whoever adds to the
//! queue, lacks memory or writes ([`help_if_stuck`]) does a step, and whoever adds asks for a thread again.
//!
//! What waits counts as used memory, so a limit bounds the queue.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use super::large;
use super::sync::Ordering;
use super::sync::process::{AtomicBool, Condvar, Mutex};

/// Something that takes long to drop, and that counts as used memory until then.
pub trait Debris: Send + 'static {
    /// Roughly how many bytes there are to give back.
    fn bytes(&self) -> usize;
    /// Whether no reader looks at it any more; `None` if that can never be told.
    fn is_unreachable(&self) -> Option<bool>;
    /// Lets it stay where it is for good: memory that a reader may look at is lost rather than freed.
    fn leak(self: Box<Self>);
    /// Frees a part of it, some hundred microseconds' worth. `true`: what is left is quickly dropped.
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

/// Steps done by whoever clears a map: up to half a millisecond.
const FIRST_STEPS: usize = 3;

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

/// What a step leaves.
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
    if is_small && debris.is_unreachable() == Some(true) {
        drop(debris);
        return;
    }
    let mut item = Item { debris: Box::new(debris), is_in_sight: true };
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
    queue.has_thread = std::thread::Builder::new().name("superdashmap-reaper".into()).spawn(run).is_ok();
    IS_STUCK.store(!queue.has_thread, Ordering::Relaxed);
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
            QUEUE.lock().items.push_front(item);
            return Help::Progress;
        }
        Some(Rest::InSight(item)) => {
            QUEUE.lock().items.push_back(item);
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
        Rest::Some(item) => QUEUE.lock().items.push_front(item),
        Rest::InSight(item) => QUEUE.lock().items.push_back(item),
    }
}

/// The thread.
fn run() {
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
                QUEUE.lock().items.push_front(item);
            }
            Rest::InSight(item) => {
                QUEUE.lock().items.push_back(item);
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
