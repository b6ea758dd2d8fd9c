//! What a map logs: each kind of log line once, with its target, its level, its code and what it means in words.
//!
//! A line's numbers come with each event, as its details: units are in their names.

/// What a log line is about. A subscriber names the targets that it wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum LogTarget {
    /// Calls of a map.
    Operations = 0,
    /// What took longer than it should.
    Performance = 1,
    /// Memory: limits, refused writes, fragmentation.
    Memory = 2,
    /// The map itself: opened, cleared, grown, destroyed, broken.
    Lifecycle = 3,
}

impl LogTarget {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 4] = [Self::Operations, Self::Performance, Self::Memory, Self::Lifecycle];
    /// The bits of all of them.
    pub const ALL_BITS: u32 = (1 << Self::ALL.len()) - 1;

    /// The name, as listeners and the `log` facade have it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Operations => "typedmap.operations",
            Self::Performance => "typedmap.performance",
            Self::Memory => "typedmap.memory",
            Self::Lifecycle => "typedmap.lifecycle",
        }
    }

    /// Its bit in a set of targets.
    pub const fn bit(self) -> u32 {
        1 << self as u32
    }
}

/// How important a log line is, in rising order; a subscriber gets its own level and everything above.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Level {
    /// Steps inside an operation.
    Trace = 0,
    /// What the map does on its own, such as growing.
    Debug = 1,
    /// What a user asked for and happens rarely, such as `clear`.
    Info = 2,
    /// Something was refused or is about to be.
    Warn = 3,
    /// The map can no longer be used.
    Error = 4,
    /// No line has this level: a subscriber that asks for it gets none.
    Off = 5,
}

impl Level {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 6] = [Self::Trace, Self::Debug, Self::Info, Self::Warn, Self::Error, Self::Off];

    /// The level with this number; numbers that no level has mean [`Level::Off`].
    pub fn from_number(number: u32) -> Self {
        Self::ALL.get(number as usize).copied().unwrap_or(Self::Off)
    }
}

/// A kind of log line.
#[derive(Debug, PartialEq, Eq)]
pub struct Line {
    /// What it is about.
    pub target: LogTarget,
    /// How important it is.
    pub level: Level,
    /// What happened, in a stable word such as `map.cleared`.
    pub code: &'static str,
    /// The same in words, without its numbers.
    pub message: &'static str,
}

const fn line(target: LogTarget, level: Level, code: &'static str, message: &'static str) -> Line {
    Line { target, level, code, message }
}

/// The kinds, by the name of their code.
macro_rules! lines {
    ($($name:ident: $target:ident, $level:ident, $code:literal, $message:literal;)*) => {
        $(#[doc = $message] pub static $name: Line = line(LogTarget::$target, Level::$level, $code, $message);)*
        /// All kinds.
        #[cfg(test)]
        pub static ALL: &[&Line] = &[$(&$name),*];
    };
}

lines! {
    CLOCK_HELD: Lifecycle, Info, "clock.held", "A test holds the clock of the map: no entry expires by itself";
    DELETE_SLOW: Performance, Warn, "delete.slow", "A deletion took longer than its target";
    EXPIRY_UNATTENDED: Lifecycle, Warn, "expiry.unattended",
        "No thread could be started that removes expired entries: they are removed when they are met";
    GET_SLOW: Performance, Warn, "get.slow", "A read took longer than its target";
    INDEX_LONG_PROBE: Performance, Warn, "index.long-probe",
        "A key was put far from its place in the index: many keys have the same hash, or the table is very full";
    INDEX_RESIZED: Lifecycle, Debug, "index.resized", "The index of a shard has a new capacity";
    INSERT_SLOW: Performance, Warn, "insert.slow", "An insertion took longer than its target";
    LIMIT_ENTRIES: Memory, Warn, "limit.entries", "A write was refused: the map has as many entries as it may have";
    LIMIT_MEMORY: Memory, Warn, "limit.memory", "A write was refused: there is no memory left for it within the limit";
    LIMIT_PROCESS: Memory, Warn, "limit.process",
        "A write was refused: there is no memory left for it within the limit of the process";
    LOAD_RUNNING: Performance, Warn, "load.running", "A loader runs longer than its target, and has not ended";
    LOAD_SLOW: Performance, Warn, "load.slow", "A loader took longer than its target";
    MAP_BROKEN: Lifecycle, Error, "map.broken", "A panic interrupted a write: the map answers no calls until recovered";
    MAP_CLEARED: Lifecycle, Info, "map.cleared", "All entries were removed";
    MAP_CLOSED: Lifecycle, Debug, "map.closed", "A thread closed the map";
    MAP_DESTROYED: Lifecycle, Info, "map.destroyed", "The map was destroyed for all threads";
    MAP_OPENED: Lifecycle, Debug, "map.opened", "A thread opened the map";
    MAP_RECOVERED: Lifecycle, Warn, "map.recovered", "The map was recovered, and answers calls again";
    MAP_UNRECOVERED: Lifecycle, Error, "map.unrecovered", "A recovery failed: the map is broken as before";
    MEMORY_FRAGMENTED: Memory, Warn, "memory.fragmented",
        "More than a quarter of the memory that is set aside for entries holds none";
    MEMORY_PRESSURE: Memory, Warn, "memory.pressure", "More than 90 % of the memory limit is in use";
    MEMORY_RELIEVED: Memory, Info, "memory.relieved", "Less than 88 % of the memory limit is in use again";
    MEMORY_UNOWNED: Memory, Error, "memory.unowned", "More memory was released than was reserved: its counts are wrong";
    PROCESS_LOW: Memory, Info, "process.low", "More than 80 % of the memory limit of the process is in use";
    PROCESS_NORMAL: Memory, Info, "process.normal",
        "Less than 78 % of the memory limit of the process is in use again, or there is no limit any more";
    PROCESS_PRESSURE: Memory, Warn, "process.pressure",
        "More than 95 % of the memory limit of the process is in use: maps are evicting";
    REFRESH_FAILED: Lifecycle, Warn, "refresh.failed", "A refresh in the background failed: the entry keeps its value";
    SET_SLOW: Performance, Warn, "set.slow", "A write took longer than its target";
    SHARD_CONTENDED: Performance, Warn, "shard.contended", "A write waited long for another thread in its shard";
    SHARD_SKEWED: Performance, Info, "shard.skewed",
        "One shard has several times its share of the writes: a few keys are written far more often than others";
    THREAD_ENDED: Lifecycle, Info, "thread.ended", "A thread ended that had the map open";
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_kind_has_a_code_of_its_own_and_a_sentence() {
        let codes: HashSet<_> = ALL.iter().map(|line| line.code).collect();
        assert_eq!(codes.len(), ALL.len());
        for Line { code, message, level, .. } in ALL {
            assert!(message.starts_with(char::is_uppercase) && !message.ends_with('.'), "{code}: {message}");
            assert_ne!(*level, Level::Off, "{code}");
        }
    }
}
