//! The thread that keeps the maps of the process below its limit.
//!
//! It is there while there is a limit, and sleeps until the bytes in use pass a threshold. *Low* (80 %): it has all
//! maps remove what has expired, and gives free memory back to the system. *Pressure* (95 %, and whenever a limit was
//! set below what is in use): it has maps evict, some at a time, until 7 % are free. *Normal*: it sleeps. Each change
//! is a log line of every map. The thread is detached and keeps no map and no process alive. Where the system refuses
//! it, writes make room all the same (`process.rs`), and the next limit that is set tries again.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use crate::store::observe::pressure::{Hears, PressureNews, PressureSubscription};
use crate::store::platform::background;
use crate::store::platform::sync::process::{Condvar, Mutex, OnceLock};
use crate::store::platform::sync::{Arc, Weak};

/// After a round in which nothing was freed, the next one waits.
const LEAST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// The thread, or none.
#[derive(Default)]
pub(super) struct Steward {
    bell: Arc<Bell>,
    subscription: OnceLock<PressureSubscription>,
}

/// What it keeps below a limit.
pub(super) trait Kept: Send + Sync {
    /// Reports what has changed, and does a part of what is due. `is_pressed`: whether maps are evicting, until as much
    /// is free as ends the pressure.
    fn look(&self, is_pressed: &mut bool) -> Look;
}

/// Wakes the thread. A leaf: nothing else is locked under it.
#[derive(Default)]
struct Bell {
    state: Mutex<State>,
    rang: Condvar,
}

#[derive(Default)]
struct State {
    /// Changed to `false` by the thread, as its last act.
    has_thread: bool,
    has_rung: bool,
}

impl Hears for Bell {
    fn hear(&self, _: &PressureNews) {
        self.ring();
    }
}

impl Bell {
    fn ring(&self) {
        self.state.lock().has_rung = true;
        self.rang.notify_one();
    }

    /// Waits until it rings, or so long.
    fn wait(&self, pause: Option<Duration>) {
        let mut state = self.state.lock();
        if !state.has_rung {
            match pause {
                Some(pause) => drop(self.rang.wait_for(&mut state, pause)),
                None => self.rang.wait(&mut state),
            }
        }
        state.has_rung = false;
    }

    /// Ends the thread, unless it rang.
    fn is_over(&self) -> bool {
        let mut state = self.state.lock();
        state.has_thread = state.has_rung;
        !state.has_rung
    }
}

impl Drop for Steward {
    /// The process is gone, in a test, and its thread goes as well.
    fn drop(&mut self) {
        self.bell.ring();
    }
}

impl Steward {
    /// Sees to it that there is a thread. `subscribe` has it hear of thresholds.
    pub(super) fn begin(&self, kept: Weak<dyn Kept>, subscribe: impl FnOnce(Arc<dyn Hears>) -> PressureSubscription) {
        self.subscription.get_or_init(|| subscribe(self.bell.clone()));
        let mut state = self.bell.state.lock();
        // Keeps a thread that is about to end, because there was no limit.
        state.has_rung = true;
        if !state.has_thread {
            let bell = Arc::clone(&self.bell);
            state.has_thread = background::start("superdashmap-limit", move || run(&bell, &kept));
        }
    }

    /// What has changed since this was last asked, one at a time.
    pub(super) fn news(&self) -> Option<PressureNews> {
        self.subscription.get()?.take()
    }

    /// Has it look.
    pub(super) fn wake(&self) {
        self.bell.ring();
    }
}

/// The thread.
fn run(bell: &Bell, kept: &Weak<dyn Kept>) {
    let (mut is_pressed, mut pause) = (false, None);
    loop {
        bell.wait(pause);
        let Some(kept) = kept.upgrade() else { return };
        // A map that panics declares itself broken, and gives way no more.
        let done = catch_unwind(AssertUnwindSafe(|| kept.look(&mut is_pressed)));
        pause = match done.unwrap_or(Look::Idle) {
            Look::Unlimited if bell.is_over() => return,
            Look::Content | Look::Unlimited => None,
            Look::Freed => Some(Duration::ZERO),
            Look::Idle => Some(pause.map_or(LEAST_PAUSE, |last| (2 * last).clamp(LEAST_PAUSE, LONGEST_PAUSE))),
        };
    }
}

/// What came of a look.
pub(super) enum Look {
    /// There is nothing to do.
    Content,
    /// There is more to do.
    Freed,
    /// There is more to do, and nothing was freed.
    Idle,
    /// There is no limit.
    Unlimited,
}
