//! Numbers that Rust and JavaScript agree on. `lib/native/layout.js` is made from this file when the addon is built:
//! the same names, the same sentences.

use napi_derive::napi;
use serde_json::{Value as Json, json};

use crate::store::{
    Cause, EntryLocation, HITS_PER_SAMPLE, KeyKind, Level, LogTarget, MARK_LENGTH, MAX_GLOB_CHARACTERS, Timed,
    ValueKind, What, shard_figure_names,
};

/// Declares constants, and a list of them with their names and sentences for JavaScript.
macro_rules! numbers {
    ($list:ident: $type:ty { $($(#[doc = $doc:literal])+ $name:ident = $value:expr;)+ }) => {
        $($(#[doc = $doc])+ pub const $name: $type = $value;)+
        const $list: &[(&str, &str, u32)] = &[$((stringify!($name), concat!($($doc),+), $value as u32)),+];
    };
}

numbers!(SCRATCH: usize {
    /// 0 = absent, else the number of the value's kind.
    STATE = 0;
    /// Value of the entry's version word.
    VERSION = 1;
    /// Shard of the entry's handle.
    SHARD = 2;
    /// Slot of the entry's handle.
    SLOT = 3;
    /// Generation of the entry's handle.
    GENERATION = 4;
    /// Chunk that holds the entry's version word.
    CHUNK = 5;
    /// Index of the version word in its chunk.
    WORD = 6;
    /// Number of the entry's type, 0 for none.
    TYPE = 7;
    /// Bytes that the value takes in the store.
    SIZE = 8;
    /// 1 if a write replaced a value, 0 if it made an entry.
    REPLACED = 9;
    /// How many items of a batch were written.
    WRITTEN = 10;
    /// How many items of a batch were dealt with, skipped ones included.
    PASSED = 11;
    /// How many removals were dropped for lack of room, after those that `takeRemovals` or `takeChanges` returned.
    DROPPED = 12;
    /// How many rows `walk`, `scan`, `candidates`, `takeRemovals` or `takeChanges` wrote.
    COUNT = 13;
    /// Shard in which a scan goes on; the number of shards at its end.
    NEXT_SHARD = 14;
    /// Slot at which a scan goes on.
    NEXT_SLOT = 15;
    /// What tells the value that `getVersion` returned from those before and after it.
    SEEN_VERSION = 16;
    /// What `takeLoad` took out, one of NOTICE.
    NOTICE = 17;
    /// 1 if more changes may wait behind those that `takeChanges` returned, else 0.
    HAS_MORE = 18;
});

numbers!(SIZES: usize {
    /// Length of the scratch array in 32-bit words, both areas for records included.
    SCRATCH_LENGTH = (RECORDS_OUT + MAX_RECORD_BYTES) / 4;
    /// Where JavaScript writes records, in bytes from the start of the scratch array.
    RECORDS_IN = 256;
    /// Bytes of that area. Those of a batch lie there together.
    RECORD_AREA_BYTES = 256 * 1_024;
    /// Where JavaScript reads a record, in bytes from the start of the scratch array.
    RECORDS_OUT = RECORDS_IN + RECORD_AREA_BYTES;
    /// Bytes of the longest record. A longer value is stored as text.
    MAX_RECORD_BYTES = 64 * 1_024;
    /// Where a record lies is its start in the area, shifted by so many bits, and its length.
    RECORD_LEN_BITS = 17;
    /// Texts of a record up to so many bytes cross as one string. A field that is cut out of it keeps all of it alive.
    JOINED_TEXT_BYTES = 1_024;
    /// Steps of the longest pointer that is followed natively.
    MAX_POINTER_STEPS = 64;
    /// Hits of a near cache for each that is timed, on average, in a map that times operations.
    NEAR_SAMPLING = HITS_PER_SAMPLE;
    /// Numbers that remember what a map has measured, for `latencySince`.
    LATENCY_MARK = MARK_LENGTH;
    /// Characters of the longest glob.
    MAX_GLOB = MAX_GLOB_CHARACTERS;
    /// Index of the ttl of the next write, as a float64: 0 for the map's own, below that for the one that the entry
    /// has, else milliseconds.
    SCRATCH_TTL = 31;
    /// Index of what a counter is incremented by, as a float64, like the five that follow.
    STEP_BY = 24;
    /// Index of the number that a counter begins with.
    STEP_INITIAL = 25;
    /// Index of the least number that a counter may become.
    STEP_MIN = 26;
    /// Index of the greatest number that a counter may become.
    STEP_MAX = 27;
    /// Index of what is not 0 if the ttl is asked for, and of the ttl afterwards.
    STEP_TTL = 28;
    /// Index of the number that a counter is afterwards; of a bigint, 1 if it has changed, else 0.
    STEP_VALUE = 29;
    /// Index of the ticket of a load, as a float64.
    LOAD_TICKET = 20;
    /// Index of the token of a load that is owned, as a float64.
    LOAD_TOKEN = 21;
    /// Numbers in a row that says all about an entry: STATE to SIZE, at the indexes of SCRATCH.
    ROW = 9;
    /// Index of a value that is a number in a row of a batch: an int32, or a float64 in two places. Even, for the
    /// float64.
    NUMBER = 10;
    /// Index in a row of a batch that goes in: 1 for a handle, 0 for a key.
    IS_HANDLE = 9;
    /// Index of the ttl of an item in a row of a batch that goes in: a float64 like that of a write, 0 for that of the
    /// batch.
    ITEM_TTL = 6;
    /// Numbers per item in the table of a batch: a row, whether it is a handle, then the number.
    BATCH_ROW = 12;
    /// Numbers per entry in the `states` of candidates: a row, then the kind of the key.
    WALK_ROW = 10;
    /// Index of the key's kind in a row of a walk; 0 there says that the entry has no key.
    KEY_KIND = 9;
    /// Index in a row of a walk of a key that is a number, as NUMBER has a value. For other keys, and for a value that
    /// is a string, the first number of the two is where it ends in its text, the second one of `IN_TEXT`.
    KEY_NUMBER = 12;
    /// Index in a row of a walk of the entry's sequence number, a float64.
    SEQUENCE = 14;
    /// Index in a row of a walk of what the word of the entry's shard said (`changes`) before the entry was read.
    SEEN = 16;
    /// Numbers per entry in the table of a walk: a row, the kind of the key, value, key, sequence and SEEN.
    STEP_ROW = 18;
    /// Numbers per entry in the `states` of removals: as of candidates, then the cause and the bytes of an omitted
    /// value.
    REMOVAL_ROW = 12;
    /// Index of the cause in a row of a removal: a number of CAUSE, or of `WRITTEN_BY` in a row of a change.
    REMOVED_BY = 10;
    /// Index in a row of a removal of the bytes of a value that was too large to carry; 0 if the value is there.
    OMITTED_BYTES = 11;
    /// Hits of a near cache of which one is sampled, on average, in a map that samples them.
    NEAR_INTERVAL = crate::store::NEAR_INTERVAL as usize;
});

numbers!(SIGNS: u32 {
    /// In place of a chunk: no copy of this value is to be kept. Its version is 0 then, which no kept copy has.
    UNKEPT = u32::MAX;
});

numbers!(WANT: u32 {
    /// `walk` returns the keys.
    WANT_KEYS = 1;
    /// `walk` returns the values.
    WANT_VALUES = 2;
    /// `walk` returns both.
    WANT_ENTRIES = WANT_KEYS | WANT_VALUES;
});

numbers!(BEGUN: u32 {
    /// The key has an entry.
    BEGUN_PRESENT = 0;
    /// The caller owns the load, under the token at `LOAD_TOKEN`.
    BEGUN_OWNED = 1;
    /// There is a load already, which this map knows by the ticket at `LOAD_TICKET`.
    BEGUN_JOINED = 2;
    /// The value of an expired entry is there, and is being loaded. `staleValue` returns it.
    BEGUN_STALE = 3;
    /// The same, where the caller owns the load.
    BEGUN_STALE_OWNED = 4;
});

numbers!(ENDED: u32 {
    /// The load was not the caller's any more: the waiters get nothing, and nothing was stored.
    ENDED_FENCED = 0;
    /// The waiters get the value, and nothing was stored.
    ENDED_UNSTORED = 1;
    /// The value was stored.
    ENDED_STORED = 2;
});

numbers!(FRESHNESS: u32 {
    /// The key has no entry.
    FRESHNESS_ABSENT = 0;
    /// It is not to be loaded yet, and copies that were made before end when it is.
    FRESHNESS_WATCHED = 1;
    /// It is not to be loaded yet.
    FRESHNESS_UNWATCHED = 2;
    /// It is being loaded.
    FRESHNESS_LOADING = 3;
    /// The caller loads it, and owns the load under the token at `LOAD_TOKEN`.
    FRESHNESS_OWNED = 4;
});

numbers!(NEED: u32 {
    /// Nothing waits for a load any more.
    NEED_NOTHING = 0;
    /// Only what runs its loader waits for it.
    NEED_OUTCOME = 1;
    /// Something waits that would run its own loader.
    NEED_TURN = 2;
});

numbers!(NOTICES: u32 {
    /// There is no notice.
    NOTICE_NONE = 0;
    /// The load brought a value.
    NOTICE_LOADED = 1;
    /// The load failed.
    NOTICE_FAILED = 2;
    /// The load is the receiver's, under the token at `LOAD_TOKEN`.
    NOTICE_GRANTED = 3;
    /// The receiver's load has ended, because nothing waits for it.
    NOTICE_UNWANTED = 4;
    /// The map has ended, with all loads.
    NOTICE_OVER = 5;
});

numbers!(IN_TEXT: u32 {
    /// A string goes on in the text of the one before.
    IN_TEXT_GOES_ON = 0;
    /// It is the first of a text, which is the next cell.
    IN_TEXT_BEGINS = 1;
    /// It is the next cell itself.
    IN_TEXT_ALONE = 2;
});

numbers!(STEPPED: u32 {
    /// Nothing was written.
    STEPPED_NOT = 0;
    /// The number was.
    STEPPED_WRITTEN = 1;
    /// The value has to be made anew with the number in it, if it is still the one that was seen.
    STEPPED_TO_BE_MADE = 2;
    /// There is no such entry.
    STEPPED_ABSENT = 3;
});

numbers!(LOAD_FAILURE: u32 {
    /// The load was another's by then.
    LOAD_FAILURE_NOT_OWNED = 0;
    /// It has ended.
    LOAD_FAILURE_OWNED = 1;
    /// So has one in the background, and nothing listens to errors.
    LOAD_FAILURE_UNHEARD = 2;
});

numbers!(WAKE: u32 {
    /// Events, for `drain`.
    WAKE_EVENTS = 0;
    /// Removals, for `takeRemovals`.
    WAKE_REMOVALS = 1;
    /// Pressure, for `takePressure`; the subscription's number comes with it.
    WAKE_PRESSURE = 2;
    /// `takeLoad` has something.
    WAKE_LOADS = 3;
    /// Promises, for `takeNotices`.
    WAKE_PENDING = 4;
    /// Errors that nothing else hears, for `takeUnheard`; the number of the evaluation comes in place of a map's.
    WAKE_UNHEARD = 5;
    /// Changes, for `takeChanges`; the listener's number comes with it.
    WAKE_CHANGES = 6;
});

const _: () = assert!(
    SIZE + 1 == ROW
        && ROW == KEY_KIND
        && ROW == IS_HANDLE
        && IS_HANDLE < NUMBER
        && KEY_KIND + 1 == WALK_ROW
        && WALK_ROW == REMOVED_BY
        && REMOVED_BY + 1 == OMITTED_BYTES
        && OMITTED_BYTES + 1 == REMOVAL_ROW
        && NUMBER >= ROW
        && NUMBER.is_multiple_of(2)
        && BATCH_ROW == NUMBER + 2
        && GENERATION < ITEM_TTL
        && ITEM_TTL + 2 <= SIZE
        && ITEM_TTL.is_multiple_of(2)
        && KEY_NUMBER == NUMBER + 2
        && SEQUENCE == KEY_NUMBER + 2
        && SEEN == SEQUENCE + 2
        && STEP_ROW == SEEN + 2
        && RECORDS_OUT + MAX_RECORD_BYTES == 4 * SCRATCH_LENGTH
        && 8 * (SCRATCH_TTL + 1) <= RECORDS_IN
        && MAX_RECORD_BYTES <= RECORD_AREA_BYTES
        && MAX_RECORD_BYTES < 1 << RECORD_LEN_BITS
        && DROPPED < COUNT
        && COUNT < NEXT_SHARD
        && NEXT_SLOT < SEEN_VERSION
        && SEEN_VERSION < 2 * STEP_BY
        && STEP_VALUE < SCRATCH_TTL
        && 2 * SCRATCH_TTL + 2 <= SCRATCH_LENGTH
);

/// What a near-cache hit has to record, where it is not counted in the access word: nothing.
pub const MARKING_NONE: i32 = 0;
/// The same: the hit itself, in order.
pub const MARKING_ORDER: i32 = -1;

/// What a row of the scratch array or of `states` says.
#[inline]
pub fn row(state: u32, place: &EntryLocation, type_id: u32, size: usize) -> [u32; ROW] {
    let mut row = [0; ROW];
    row[STATE] = state;
    row[SHARD] = place.handle.shard;
    row[SLOT] = place.handle.slot;
    row[GENERATION] = place.handle.generation;
    row[CHUNK] = UNKEPT;
    if let Some(stamp) = place.stamp {
        row[VERSION] = stamp.version();
        row[CHUNK] = stamp.chunk();
        row[WORD] = stamp.word();
    }
    row[TYPE] = type_id;
    row[SIZE] = u32::try_from(size).unwrap_or(u32::MAX);
    row
}

/// Everything above, and the numbers of value kinds, causes and levels, as JSON text. `scripts/layout.js` makes
/// `lib/native/layout.js` of it.
#[napi(catch_unwind)]
pub fn layout() -> String {
    let rows = |list: &[(&str, &str, u32)], prefix: &str| -> Json {
        let named = |(name, doc, value): (&str, &str, u32)| {
            let name = name.strip_prefix(prefix);
            json!({ "name": name, "doc": doc.trim(), "value": value })
        };
        list.iter().copied().map(named).collect()
    };
    let numbered = |names: Vec<(String, u8)>| -> Json {
        names.into_iter().map(|(name, value)| json!({ "name": name, "value": value })).collect()
    };
    let kinds = (0..=u8::MAX).filter_map(ValueKind::from_number).map(|kind| (format!("{kind:?}"), kind as u8));
    let keys = KeyKind::ALL.map(|kind| (format!("{kind:?}"), kind as u8));
    let causes = Cause::ALL.map(|cause| (format!("{cause:?}").to_lowercase(), cause as u8));
    let writes = What::WRITES.map(|what| (format!("{what:?}").to_lowercase(), what.number()));
    let levels = Level::ALL.map(|level| (format!("{level:?}").to_lowercase(), level as u8));
    let targets = LogTarget::ALL.map(|target| (format!("{target:?}").to_lowercase(), target as u8));
    let figures = shard_figure_names().into_iter().zip(0..).map(|(name, at)| (name.to_string(), at));
    json!({
        "SCRATCH": rows(SCRATCH, ""),
        "SIZES": rows(&[SIZES, SIGNS].concat(), ""),
        "WANT": rows(WANT, "WANT_"),
        "IN_TEXT": rows(IN_TEXT, "IN_TEXT_"),
        "STEPPED": rows(STEPPED, "STEPPED_"),
        "LOAD_FAILURE": rows(LOAD_FAILURE, "LOAD_FAILURE_"),
        "WAKE": rows(WAKE, "WAKE_"),
        "BEGUN": rows(BEGUN, "BEGUN_"),
        "ENDED": rows(ENDED, "ENDED_"),
        "FRESHNESS": rows(FRESHNESS, "FRESHNESS_"),
        "NEED": rows(NEED, "NEED_"),
        "NOTICES": rows(NOTICES, "NOTICE_"),
        "KIND": numbered(kinds.collect()),
        "KEY": numbered(keys.into()),
        "MARKING": [{ "name": "None", "value": MARKING_NONE }, { "name": "Order", "value": MARKING_ORDER }],
        "CAUSE": numbered(causes.into()),
        "WRITTEN_BY": numbered(writes.into()),
        "LEVEL": numbered(levels.into()),
        "TARGET": numbered(targets.into()),
        "SHARD_FIGURES": numbered(figures.collect()),
        "TIMED": numbered(Timed::ALL.map(|operation| (operation.name().to_owned(), operation as u8)).into()),
    })
    .to_string()
}
