//! A map beside the others of the process: what it gives, and what it gets.

use super::process::Neighbour;
use super::store::Store;
use crate::store::config::WhenFull;
use crate::store::error::Error;
use crate::store::events::Line;
use crate::store::memory::budget::Use;

impl Store {
    /// Has other maps make room for a write that the limit of the process refused; whether they did.
    pub(super) fn relieve(&self, refused: &Error) -> bool {
        // A function of the user makes room in its own map, or none.
        refused.is_of_process() && !self.context.when_full.asks_caller() && self.process.relieve(refused, Some(self))
    }
}

impl Neighbour for Store {
    fn is_there(&self) -> bool {
        self.context.check().is_ok()
    }

    fn gives_way(&self) -> bool {
        self.context.policy.is_some() && self.context.when_full == WhenFull::Evict
    }

    fn total(&self) -> u64 {
        self.context.memory.total()
    }

    fn entry_bytes(&self) -> u64 {
        self.context.memory.used(Use::Entries)
    }

    fn spare(&self, is_spared: bool) {
        self.context.standing.spare(is_spared);
    }

    fn evict_down_to(&self, bytes: u64) -> u64 {
        // One that ended meanwhile has given all.
        self.context.as_guest(|member| self.evict_to(member, bytes)).unwrap_or(0)
    }

    fn clean_up(&self) {
        while self.context.as_guest(|member| self.purge_expired(member)).is_ok_and(|gone| gone > 0) {}
    }

    fn log(&self, line: &'static Line, numbers: &[(&'static str, u64)]) {
        self.events().log(line, numbers);
    }
}
