//! Words of a map as a `Uint32Array`, so that JavaScript sees whether a copy it keeps is still fresh, and can say that
//! it was read.

use std::sync::Arc;

use crate::binding::engine::{Engine, Js};
use crate::binding::failure::Outcome;
use crate::binding::operation::Call;
use crate::store::{Error, Words};

/// `words(id, chunk)`: the words of a chunk, or `null` if it is gone or the engine refuses foreign memory.
///
/// The array keeps the words allocated after the chunk and the map are gone; they say "not fresh" then.
pub fn words<'s>(call: &Call<'s, 2>) -> Outcome<Js<'s>> {
    let map = call.map()?;
    let Some(words) = map.local().words(call.number(1)?) else { return call.engine.null() };
    share(call.engine, words)
}

/// `changes(id)`: how often each shard changed, the same number of words apart; `null` if there is no memory for it or
/// the engine refuses foreign memory.
pub fn changes<'s>(call: &Call<'s, 1>) -> Outcome<Js<'s>> {
    match call.map()?.local().changes() {
        Ok(words) => share(call.engine, words),
        Err(Error::OutOfMemory { .. } | Error::MemoryLimit { .. }) => call.engine.null(),
        Err(error) => Err(error.into()),
    }
}

/// `commitWord(id)`: one word that is odd while a commit changes entries, and another even number after each; `null` if
/// there is no memory for it or the engine refuses foreign memory.
pub fn commit_word<'s>(call: &Call<'s, 1>) -> Outcome<Js<'s>> {
    match call.map()?.local().commit_word() {
        Ok(words) => share(call.engine, words),
        Err(Error::OutOfMemory { .. } | Error::MemoryLimit { .. }) => call.engine.null(),
        Err(error) => Err(error.into()),
    }
}

/// `hitLog(id)`: where this thread records hits that never come here, for a policy that goes by their order; `null` if
/// it goes by something else or the engine refuses foreign memory. In the first word how many there are, then `slot *
/// shards + shard` of each.
pub fn hit_log<'s>(call: &Call<'s, 1>) -> Outcome<Js<'s>> {
    let map = call.map()?;
    let Some(words) = map.local().hit_log() else { return call.engine.null() };
    share(call.engine, Arc::clone(words))
}

/// `replayHits(id)`: reports the hits in the log to the policy, and empties it.
pub fn replay_hits<'s>(call: &Call<'s, 1>) -> Outcome<Js<'s>> {
    call.map()?.local().replay_hits();
    Ok(Js::NOTHING)
}

fn share(engine: Engine<'_>, words: Arc<Words>) -> Outcome<Js<'_>> {
    let (start, len) = (words.ptr(), words.len());
    // SAFETY: the words stay allocated while an `Arc` of them exists, and the box takes this one along. The store
    // reads and writes them as atomics only, and JavaScript whole aligned words, one load or store each; it only
    // writes access words and its own thread's log, of which the store believes nothing.
    let array = unsafe { engine.external_words(start, len, Box::new(words)) }?;
    array.map_or_else(|| engine.null(), Ok)
}
