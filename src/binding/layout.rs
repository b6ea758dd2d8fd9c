//! Numbers that Rust and JavaScript agree on. `lib/native/layout.js` has the same names; a test compares the two.

use napi_derive::napi;
use serde_json::json;

use crate::store::{Cause, Place, ValueKind};

/// Length of the scratch array in 32-bit words.
pub const SCRATCH_LENGTH: usize = 64;

/// 0 = absent, else the number of the value's kind; after `walk`, the number of entries.
pub const STATE: usize = 0;
/// Value of the entry's version word.
pub const VERSION: usize = 1;
/// Shard of the entry's handle.
pub const SHARD: usize = 2;
/// Slot of the entry's handle.
pub const SLOT: usize = 3;
/// Generation of the entry's handle.
pub const GENERATION: usize = 4;
/// Chunk that holds the entry's version word.
pub const CHUNK: usize = 5;
/// Index of the version word in its chunk.
pub const WORD: usize = 6;
/// Number of the entry's type, 0 for none.
pub const TYPE: usize = 7;
/// Bytes that the value takes in the store.
pub const SIZE: usize = 8;
/// 1 if a write replaced a value, 0 if it made an entry.
pub const REPLACED: usize = 9;
/// How many items of a batch were written.
pub const WRITTEN: usize = 10;
/// How many items of a batch were dealt with, those that were passed over included.
pub const PASSED: usize = 11;
/// How many removals had no room to wait, after those that `takeRemovals` gave.
pub const DROPPED: usize = 12;

/// Index of the ttl that the next write asks for, as a float64: 0 for the map's own, else milliseconds.
pub const SCRATCH_TTL: usize = 31;

/// Numbers in a row that says all about an entry: STATE to SIZE.
pub const ROW: usize = 9;
/// Index of a value that is a number in a row of a batch: an int32, or a float64 in two places. Even, for the float64.
pub const NUMBER: usize = 10;
/// Numbers per item in the table of a batch: a row, then the number.
pub const BATCH_ROW: usize = 12;
/// Numbers per entry in the `states` of a walk: a row, then the kind of the key.
pub const WALK_ROW: usize = 10;
/// Numbers per entry in the `states` of removals: as in a walk, then the cause.
pub const REMOVAL_ROW: usize = 11;

/// In place of a chunk: no copy of this value is to be kept. Its version is 0 then, which none has that may be kept.
pub const UNKEPT: u32 = u32::MAX;

/// `walk` gives the keys.
pub const WANT_KEYS: u32 = 1;
/// `walk` gives the values.
pub const WANT_VALUES: u32 = 2;

const _: () = assert!(
    SIZE + 1 == ROW
        && ROW + 1 == WALK_ROW
        && NUMBER >= ROW
        && NUMBER.is_multiple_of(2)
        && BATCH_ROW == NUMBER + 2
        && WALK_ROW + 1 == REMOVAL_ROW
        && DROPPED < 2 * SCRATCH_TTL
        && 2 * SCRATCH_TTL + 2 <= SCRATCH_LENGTH
);

/// What a row of the scratch array or of `states` says.
#[inline]
pub fn row(state: u32, place: &Place, type_id: u32, size: usize) -> [u32; ROW] {
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

/// The numbers above and those of the value kinds as JSON text, for the test that compares them with `lib/native/layout.js`.
#[napi(catch_unwind)]
pub fn layout() -> String {
    let kinds: serde_json::Map<_, _> =
        (0..=u8::MAX).filter_map(ValueKind::from_number).map(|kind| (format!("{kind:?}"), json!(kind as u8))).collect();
    json!({
        "scratch": {
            "STATE": STATE, "VERSION": VERSION, "SHARD": SHARD, "SLOT": SLOT, "GENERATION": GENERATION,
            "CHUNK": CHUNK, "WORD": WORD, "TYPE": TYPE, "SIZE": SIZE, "REPLACED": REPLACED, "WRITTEN": WRITTEN,
            "PASSED": PASSED, "DROPPED": DROPPED,
        },
        "scratchTtl": SCRATCH_TTL,
        "scratchLength": SCRATCH_LENGTH,
        "row": ROW,
        "number": NUMBER,
        "batchRow": BATCH_ROW,
        "walkRow": WALK_ROW,
        "removalRow": REMOVAL_ROW,
        "unkept": UNKEPT,
        "kinds": kinds,
        "causes": {
            "explicit": Cause::Explicit as u8, "replaced": Cause::Replaced as u8, "evicted": Cause::Evicted as u8,
            "expired": Cause::Expired as u8, "cleared": Cause::Cleared as u8,
        },
    })
    .to_string()
}
