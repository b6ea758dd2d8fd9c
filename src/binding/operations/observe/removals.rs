//! Removals on their way to JavaScript: entries that were removed from the map, with key and value as they were. What
//! is said in `alarm.rs` of environments that end holds here, too.

use napi_derive::napi;

use crate::binding::convert::values::{key_to_js, value_to_js};
use crate::binding::engine::{Js, VALUES_PER_CALL};
use crate::binding::environment::{Environment, OpenMap, Waiting};
use crate::binding::failure::{Failure, Outcome};
use crate::binding::layout::{
    COUNT, DROPPED, KEY_KIND, OMITTED_BYTES, REMOVAL_ROW, REMOVED_BY, ROW, WAKE_REMOVALS, row,
};
use crate::binding::operation::{Call, within};
use crate::store::{EntryLocation, Report};

/// Starts, changes or ends what this evaluation hears of removals: those of which the bit `1 << cause` is set in
/// `causes`.
#[napi(catch_unwind)]
pub fn listen_removals(env: &napi::Env, id: u32, causes: u32) -> napi::Result<()> {
    within(env, "onEvict", id, |engine, evaluation| {
        let map = evaluation.map(id)?;
        let mut audience = map.audience.borrow_mut();
        match &*audience {
            _ if causes == 0 => *audience = None,
            Some(audience) => audience.set_causes(causes),
            None => {
                map.check()?;
                let waiting = Waiting { id, what: WAKE_REMOVALS, number: 0 };
                let waker = Environment::of(engine)?.waker(engine, waiting)?;
                *audience = Some(map.store().watch_removals(causes, waker));
            }
        }
        drop(audience);
        evaluation.note_listening(engine, &map)
    })
}

/// `takeRemovals(id, count, states, bytes)`: takes out what waits, at most `count`, and no more once keys and values
/// have so many bytes. Two cells for each, key and value; its row in `states`, how many there are as COUNT, and how
/// many found no room after them as DROPPED.
pub fn take_removals<'s>(call: &Call<'s, 4>) -> Outcome<Js<'s>> {
    let map = call.map()?;
    let (count, bytes) = (call.number(1)? as usize, call.number(3)? as usize);
    let (cells, dropped) = hand_over(call, &map, call.argument(2), count, |removals| {
        Ok(map.audience.borrow().as_ref().map_or(0, |audience| audience.take(count, bytes, removals)))
    })?;
    call.evaluation.note(DROPPED, u32::try_from(dropped).unwrap_or(u32::MAX));
    Ok(cells)
}

/// Hands over at most `count` reports that `take` takes out: two cells for each, its row in `states`, and how many
/// there are as COUNT. Returns what `take` did, too.
pub(super) fn hand_over<'s, T, const N: usize>(
    call: &Call<'s, N>,
    map: &OpenMap,
    states: Js<'s>,
    count: usize,
    take: impl FnOnce(&mut Vec<Report>) -> Outcome<T>,
) -> Outcome<(Js<'s>, T)> {
    let (engine, many) = (call.engine, call.evaluation.many());
    let states = engine.elements::<u32>(states, many)?;
    if states.len() / REMOVAL_ROW < count {
        return Err(Failure::Misuse("there is no room for so many removals"));
    }
    let mut reports = Vec::new();
    let taken = take(&mut reports)?;
    // Written before `append` runs JavaScript, which could take the memory away.
    for (index, report) in reports.iter().enumerate() {
        let place = EntryLocation { handle: report.handle, stamp: None };
        let mut words = [0; REMOVAL_ROW];
        let size = report.value().len();
        words[..ROW].copy_from_slice(&row(report.value_kind as u32, &place, report.type_id, size));
        words[KEY_KIND] = report.key_kind as u32;
        words[REMOVED_BY] = u32::from(report.what.number());
        words[OMITTED_BYTES] = u32::try_from(report.omitted_bytes).unwrap_or(u32::MAX);
        states.set(index * REMOVAL_ROW, &words);
    }
    let cells = engine.array()?;
    for reports in reports.chunks(VALUES_PER_CALL / 2) {
        engine.scoped(|engine| {
            let mut read = Vec::with_capacity(reports.len() * 2);
            for report in reports {
                read.push(key_to_js(engine, report.key_kind, report.key())?);
                read.push(match report.omitted_bytes {
                    0 => value_to_js(engine, report.value_kind, report.value())?,
                    _ => engine.undefined()?,
                });
            }
            many.append(engine, cells, &read)
        })?;
    }
    call.evaluation.note(COUNT, reports.len() as u32);
    let (types, shapes): (Vec<_>, Vec<_>) =
        reports.into_iter().map(|report| (report.type_hold, report.shape_hold)).unzip();
    map.keep_types(types.into_iter().flatten().collect());
    map.keep_shapes(shapes.into_iter().flatten().collect());
    Ok((cells, taken))
}
