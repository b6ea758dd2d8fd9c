//! Changes on their way to JavaScript: entries that came, that have another value, or that were removed. What is said
//! in `alarm.rs` of environments that end holds here, too.

use super::removals::hand_over;
use crate::binding::engine::{Engine, Js};
use crate::binding::environment::{Environment, OpenMap, Waiting};
use crate::binding::failure::{Failure, Outcome};
use crate::binding::layout::{DROPPED, HAS_MORE, WAKE_CHANGES};
use crate::binding::operation::Call;
use crate::binding::operations::scan::glob;

/// `listenChanges(id, wanted, match)`: starts to listen to what has its bit `1 << number` set in `wanted`, a number of
/// CAUSE or of `WRITTEN_BY`, and to the keys that a glob matches. Returns a number for the two functions below.
pub fn listen_changes<'s>(call: &Call<'s, 3>) -> Outcome<Js<'s>> {
    let (map, engine) = (call.map()?, call.engine);
    let (id, wanted) = (call.number(0)?, call.number(1)?);
    map.check()?;
    let glob = glob(engine, call.argument(2), map.store().ignores_case())?;
    let number = map.changes.add(|number| {
        let waker = Environment::of(engine)?.waker(engine, Waiting { id, what: WAKE_CHANGES, number })?;
        Ok(map.store().watch_changes(wanted, glob, waker))
    })?;
    note_listening(engine, id, &map)?;
    engine.float(f64::from(number))
}

/// `takeChanges(id, number, count, states, bytes)`: takes out what waits for a listener, as `takeRemovals` does, and
/// says as `HAS_MORE` whether there may be more.
pub fn take_changes<'s>(call: &Call<'s, 5>) -> Outcome<Js<'s>> {
    let (map, number) = (call.map()?, call.number(1)?);
    let (count, bytes) = (call.number(2)? as usize, call.number(4)? as usize);
    let (cells, taken) =
        hand_over(call, &map, call.argument(3), count, |reports| map.changes.take(number, count, bytes, reports))?;
    call.evaluation.note(DROPPED, u32::try_from(taken.dropped).unwrap_or(u32::MAX));
    call.evaluation.note(HAS_MORE, u32::from(taken.has_more));
    Ok(cells)
}

/// `endChanges(id, number)`: ends one.
pub fn end_changes<'s>(call: &Call<'s, 2>) -> Outcome<Js<'s>> {
    let map = call.map()?;
    map.changes.remove(call.number(1)?);
    note_listening(call.engine, call.number(0)?, &map)?;
    call.engine.undefined()
}

/// Tells the evaluation, which must not be collected while it listens.
fn note_listening(engine: Engine<'_>, id: u32, map: &OpenMap) -> Outcome<()> {
    let evaluation = Environment::of(engine)?.evaluation(id).ok_or(Failure::Misuse("the map is not open"))?;
    evaluation.note_listening(engine, map)
}
