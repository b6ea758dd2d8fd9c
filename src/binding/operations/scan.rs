//! Scans: walks over slots, a page at a time. And an entry drawn at random.

use crate::binding::convert::values::{Space, key};
use crate::binding::engine::{Engine, Js, JsType};
use crate::binding::failure::{Failure, Outcome};
use crate::binding::layout::{
    COUNT, KEY_KIND, KEY_NUMBER, NEXT_SHARD, NEXT_SLOT, NUMBER, ROW, STEP_ROW, WANT_VALUES, row,
};
use crate::binding::operation::Call;
use crate::binding::operations::batch::gather::Gathered;
use crate::binding::operations::write::type_name;
use crate::store::{Filter, Found, Glob, KeyKind, Place};

/// A page ends after the entry with which it has come to so many bytes.
const PAGE_BYTES: usize = 256 * 1_024;

/// `scan(id, shard, slot, count, match, type, table)`: the entries from a slot on, a row for each in `table`, how many
/// there are as COUNT, and where to go on.
pub fn scan<'s>(call: &Call<'s, 7>) -> Outcome<Js<'s>> {
    let (map, engine, many) = (call.map()?, call.engine, call.evaluation.many());
    let from = Place { shard: call.number(1)?, slot: call.number(2)? };
    let table = engine.elements::<u32>(call.argument(6), many)?;
    let count = (call.number(3)? as usize).min(table.len() / STEP_ROW);
    if count == 0 {
        return Err(Failure::Misuse("there is no room for an entry"));
    }
    let folds = map.store().ignores_case();
    let filter =
        Filter { glob: glob(engine, call.argument(4), folds)?, type_name: type_name(engine, call.argument(5))? };
    let (mut key_buffer, mut value_buffer) = (call.evaluation.key_buffer(), call.evaluation.value_buffer());
    let (key_out, value_out) = (&mut *key_buffer, &mut *value_buffer);
    let mut gathered = Gathered::new(engine, many);
    let mut page = map.local().scan(from, filter)?;
    let (mut done, mut bytes) = (0, 0);
    while done < count && bytes < PAGE_BYTES {
        let Some((key_kind, found)) = page.next(key_out, value_out)? else { break };
        bytes += key_out.len() + value_out.len();
        table.set_row(done * STEP_ROW, &take(&mut gathered, key_kind, &found, key_out, Some(&value_out[..]))?);
        done += 1;
    }
    let next = page.place().unwrap_or(Place { shard: map.store().shards(), slot: 0 });
    let cells = gathered.finish()?;
    call.evaluation.note(COUNT, done as u32);
    call.evaluation.note(NEXT_SHARD, next.shard);
    call.evaluation.note(NEXT_SLOT, next.slot);
    Ok(cells)
}

/// `draw(id, low, high, want, table)`: an entry drawn at random by a seed of two halves, in the row of `table`.
pub fn draw<'s>(call: &Call<'s, 5>) -> Outcome<Js<'s>> {
    let (map, engine, many) = (call.map()?, call.engine, call.evaluation.many());
    let seed = u64::from(call.number(2)?) << 32 | u64::from(call.number(1)?);
    let wants_value = call.number(3)? & WANT_VALUES != 0;
    let table = engine.elements::<u32>(call.argument(4), many)?;
    let (mut key_buffer, mut value_buffer) = (call.evaluation.key_buffer(), call.evaluation.value_buffer());
    let (key_out, value_out) = (&mut *key_buffer, &mut *value_buffer);
    let drawn = map.local().draw(seed, |handle| {
        if wants_value {
            map.local().read_step(handle, key_out, value_out)
        } else {
            Ok(map.local().read_key(handle, key_out)?.map(|(key_kind, found, _)| (key_kind, found)))
        }
    })?;
    let mut gathered = Gathered::new(engine, many);
    if let Some((key_kind, found)) = &drawn {
        table.set_row(0, &take(&mut gathered, *key_kind, found, key_out, wants_value.then_some(&value_out[..]))?);
    }
    let cells = gathered.finish()?;
    call.evaluation.note(COUNT, u32::from(drawn.is_some()));
    Ok(cells)
}

/// Takes key and value of an entry, and returns its row.
fn take(
    gathered: &mut Gathered<'_, '_>,
    key_kind: KeyKind,
    found: &Found,
    key: &[u8],
    value: Option<&[u8]>,
) -> Outcome<[u32; STEP_ROW]> {
    let mut words = [0; STEP_ROW];
    let bytes = value.map_or(0, <[u8]>::len);
    words[..ROW].copy_from_slice(&row(found.kind as u32, &found.place, found.type_id, bytes));
    words[KEY_KIND] = key_kind as u32;
    if let Some(number) = gathered.take_key(key_kind, key)? {
        words[KEY_NUMBER..KEY_NUMBER + 2].copy_from_slice(&number);
    }
    if let Some(value) = value
        && let Some(number) = gathered.take_of_walk(found.kind, value)?
    {
        words[NUMBER..NUMBER + 2].copy_from_slice(&number);
    }
    Ok(words)
}

/// The glob in an argument; `None` for `undefined`.
pub fn glob(engine: Engine<'_>, js: Js<'_>, folds: bool) -> Outcome<Option<Glob>> {
    match engine.type_of(js)? {
        JsType::Undefined => Ok(None),
        JsType::String => Ok(Some(Glob::in_case(key(engine, js, &mut Space::default())?, folds)?)),
        _ => Err(Failure::Misuse("a glob is a string")),
    }
}
