//! Version words of a map as a `Uint32Array`, so that JavaScript sees whether a copy it keeps is still fresh.

use super::call::{Call, Js};
use super::error::Outcome;

/// `words(id, chunk)`: the version words of a chunk, or `null` if it is gone or the engine refuses foreign memory.
///
/// The array keeps the words allocated after the chunk and the map are gone; they say "not fresh" then.
pub fn words<'s>(call: &Call<'s, 2>) -> Outcome<Js<'s>> {
    let map = call.map()?;
    let Some(words) = map.local().words(call.number(1)?) else { return call.engine.null() };
    let (start, len) = (words.ptr(), words.len());
    // SAFETY: the words stay allocated while an `Arc` of them exists, and the box takes this one along. The store reads
    // and writes them as atomics only, and JavaScript only reads them: whole aligned words, one load each.
    let array = unsafe { call.engine.external_words(start, len, Box::new(words)) }?;
    array.map_or_else(|| call.engine.null(), Ok)
}
