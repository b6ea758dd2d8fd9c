//! Numbers that Rust and JavaScript agree on. `lib/layout.js` has the same names; a test compares the two.

use napi_derive::napi;
use serde_json::json;

use crate::store::ValueKind;

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
/// 1 if a write replaced a value, 0 if it made an entry.
pub const REPLACED: usize = 8;
/// How many items of a batch were written.
pub const WRITTEN: usize = 9;

/// Numbers in a row that says all about an entry: STATE to TYPE.
pub const ROW: usize = 8;
/// Index of a value that is a number in a row of a batch: an int32, or a float64 in two places.
pub const NUMBER: usize = 8;
/// Numbers per item in the table of a batch: a row, then the number.
pub const BATCH_ROW: usize = 10;
/// Numbers per entry in the `states` of a walk: a row, then the kind of the key.
pub const WALK_ROW: usize = 9;

/// `walk` gives the keys.
pub const WANT_KEYS: u32 = 1;
/// `walk` gives the values.
pub const WANT_VALUES: u32 = 2;

const _: () = assert!(
    TYPE + 1 == ROW
        && ROW + 1 == WALK_ROW
        && NUMBER == ROW
        && NUMBER.is_multiple_of(2)
        && BATCH_ROW == NUMBER + 2
        && WRITTEN < SCRATCH_LENGTH
);

/// The numbers above and those of the value kinds as JSON text, for the test that compares them with `lib/layout.js`.
#[napi(catch_unwind)]
pub fn layout() -> String {
    let kinds: serde_json::Map<_, _> =
        (0..=u8::MAX).filter_map(ValueKind::from_number).map(|kind| (format!("{kind:?}"), json!(kind as u8))).collect();
    json!({
        "scratch": {
            "STATE": STATE, "VERSION": VERSION, "SHARD": SHARD, "SLOT": SLOT, "GENERATION": GENERATION,
            "CHUNK": CHUNK, "WORD": WORD, "TYPE": TYPE, "REPLACED": REPLACED, "WRITTEN": WRITTEN,
        },
        "scratchLength": SCRATCH_LENGTH,
        "row": ROW,
        "number": NUMBER,
        "batchRow": BATCH_ROW,
        "walkRow": WALK_ROW,
        "kinds": kinds,
    })
    .to_string()
}
