//! The operations over many entries in one call. Every argument is read and checked before the first write.

use super::call::{CHUNK, Call, Elements, Engine, Js, JsType};
use super::convert::{Space, key, kind, value, value_to_js};
use super::env::row;
use super::error::{Failure, Outcome};
use super::hot::type_id;
use super::layout::{ROW, WRITTEN};
use crate::store::{Error, Found, Handle, Key, KeyKind, Value, ValueKind, Written};

/// Keys and handles of a batch, out of JavaScript's reach.
struct Items {
    /// The bytes of all keys in a row.
    bytes: Vec<u8>,
    items: Vec<Item>,
}

enum Item {
    Key { kind: KeyKind, start: usize, end: usize },
    Handle(Handle),
}

/// An item again, with its bytes.
enum Target<'b> {
    Key(Key<'b>),
    Handle(Handle),
}

impl Items {
    /// Reads an array of keys, in which the items that `is_handle` marks are handles in `coordinates` instead.
    fn read<const N: usize>(
        call: &Call<'_, N>,
        keys: Js<'_>,
        coordinates: Js<'_>,
        is_handle: Js<'_>,
    ) -> Outcome<Items> {
        let engine = call.engine;
        let count = engine.array_len(keys)?;
        let handles = match engine.type_of(is_handle)? {
            JsType::Undefined => None,
            _ => Some((engine.elements::<u8>(is_handle)?, engine.elements::<u32>(coordinates)?)),
        };
        let mut read = Items { bytes: Vec::new(), items: Vec::with_capacity(count) };
        let mut space = Space::default();
        call.environment.many()?.read(engine, keys, count, &mut |engine, index, js| {
            let item = match &handles {
                Some((marks, coordinates)) if marks.get(index) == Some(1) => {
                    Item::Handle(handle_at(coordinates, index)?)
                }
                _ => read.add_key(key(engine, js, &mut space)?),
            };
            read.items.push(item);
            Ok(())
        })?;
        Ok(read)
    }

    fn add_key(&mut self, key: Key<'_>) -> Item {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(key.bytes);
        Item::Key { kind: key.kind, start, end: self.bytes.len() }
    }

    fn len(&self) -> usize {
        self.items.len()
    }

    fn get(&self, index: usize) -> Target<'_> {
        match self.items[index] {
            Item::Key { kind, start, end } => Target::Key(Key { kind, bytes: &self.bytes[start..end] }),
            Item::Handle(handle) => Target::Handle(handle),
        }
    }
}

fn handle_at(coordinates: &Elements<'_, u32>, index: usize) -> Outcome<Handle> {
    let at = |offset| coordinates.get(index * 3 + offset).ok_or(Failure::Misuse("coordinates are missing"));
    Ok(Handle { shard: at(0)?, slot: at(1)?, generation: at(2)? })
}

/// The kinds of a batch of values, all of them known.
fn read_kinds(engine: Engine<'_>, kinds: Js<'_>, count: usize) -> Outcome<Vec<ValueKind>> {
    let kinds = engine.elements::<u8>(kinds)?;
    if kinds.len() != count {
        return Err(Failure::Misuse("there are not as many kinds as items"));
    }
    (0..count).map(|index| kind(kinds.get(index).unwrap_or_default().into())).collect()
}

/// Where the states of a batch go, if anybody wants them.
fn optional_states<'s>(engine: Engine<'s>, states: Js<'s>) -> Outcome<Option<Elements<'s, u32>>> {
    match engine.type_of(states)? {
        JsType::Undefined => Ok(None),
        _ => engine.elements(states).map(Some),
    }
}

fn state_of(found: &Found) -> [u32; ROW] {
    row(found.kind as u32, &found.place, found.type_id)
}

fn state_after(written: &Written) -> [u32; ROW] {
    row(0, &written.place, 0)
}

/// Reads the values of a batch, and gives each to `write` with its index.
fn for_each_value<const N: usize>(
    call: &Call<'_, N>,
    values: Js<'_>,
    kinds: &[ValueKind],
    mut write: impl FnMut(usize, Value<'_>) -> Outcome<()>,
) -> Outcome<()> {
    let mut space = Space::default();
    call.environment.many()?.read(call.engine, values, kinds.len(), &mut |engine, index, js| {
        write(index, value(engine, js, kinds[index], &mut space)?)
    })
}

/// `getMany(id, keys, coordinates, isHandle, states)`
pub fn get_many<'s>(call: &Call<'s, 5>) -> Outcome<Js<'s>> {
    let (map, engine, many) = (call.map()?, call.engine, call.environment.many()?);
    let items = Items::read(call, call.argument(1), call.argument(2), call.argument(3))?;
    let states = engine.elements::<u32>(call.argument(4))?;
    let values = engine.array()?;
    let absent = engine.undefined()?;
    let mut out = call.environment.value_buffer();
    for start in (0..items.len()).step_by(CHUNK) {
        engine.scoped(|engine| {
            let mut read = Vec::with_capacity(CHUNK);
            for index in start..items.len().min(start + CHUNK) {
                let found = match items.get(index) {
                    Target::Key(key) => map.local().get(key, &mut out)?,
                    Target::Handle(handle) => map.local().get_by_handle(handle, &mut out)?,
                };
                states.set(index * ROW, &found.as_ref().map_or([0; ROW], state_of));
                read.push(match &found {
                    Some(found) => value_to_js(engine, found.kind, &out)?,
                    None => absent,
                });
            }
            many.append(engine, values, &read)
        })?;
    }
    Ok(values)
}

/// `setMany(id, keys, values, kinds, states)`
pub fn set_many<'s>(call: &Call<'s, 5>) -> Outcome<Js<'s>> {
    let (map, engine) = (call.map()?, call.engine);
    call.environment.note(WRITTEN, 0);
    let items = Items::read(call, call.argument(1), Js::NOTHING, engine.undefined()?)?;
    let kinds = read_kinds(engine, call.argument(3), items.len())?;
    let states = optional_states(engine, call.argument(4))?;
    for_each_value(call, call.argument(2), &kinds, |index, value| {
        let Target::Key(key) = items.get(index) else { return Ok(()) };
        let written = map.local().set(key, value)?;
        if let Some(states) = &states {
            states.set(index * ROW, &state_after(&written));
        }
        call.environment.note(WRITTEN, index as u32 + 1);
        Ok(())
    })?;
    Ok(Js::NOTHING)
}

/// `updateMany(id, keys, coordinates, isHandle, values, kinds)`
pub fn update_many<'s>(call: &Call<'s, 6>) -> Outcome<Js<'s>> {
    let (map, engine) = (call.map()?, call.engine);
    call.environment.note(WRITTEN, 0);
    let items = Items::read(call, call.argument(1), call.argument(2), call.argument(3))?;
    let kinds = read_kinds(engine, call.argument(5), items.len())?;
    let mut updated = 0_u32;
    for_each_value(call, call.argument(4), &kinds, |index, value| {
        let written = match items.get(index) {
            Target::Key(key) => map.local().update(key, value)?,
            Target::Handle(handle) => unless_dead(map.local().replace(handle, value))?,
        };
        updated += u32::from(written.is_some());
        call.environment.note(WRITTEN, updated);
        Ok(())
    })?;
    engine.float(f64::from(updated))
}

/// A handle that has no entry any more is what a batch passes over.
fn unless_dead(written: Result<Written, Error>) -> Outcome<Option<Written>> {
    match written {
        Ok(written) => Ok(Some(written)),
        Err(
            Error::HandleNotFound
            | Error::HandleInvalidated
            | Error::GenerationMismatch { .. }
            | Error::InvalidShardIndex { .. },
        ) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// `insertMany(id, values, kinds, typeName, states)`
pub fn insert_many<'s>(call: &Call<'s, 5>) -> Outcome<Js<'s>> {
    let (map, engine) = (call.map()?, call.engine);
    call.environment.note(WRITTEN, 0);
    let count = engine.array_len(call.argument(1))?;
    let kinds = read_kinds(engine, call.argument(2), count)?;
    let type_id = type_id(engine, &map, call.argument(3))?;
    let states = engine.elements::<u32>(call.argument(4))?;
    for_each_value(call, call.argument(1), &kinds, |index, value| {
        let written = map.local().insert(value, type_id)?;
        states.set(index * ROW, &row(0, &written.place, type_id));
        call.environment.note(WRITTEN, index as u32 + 1);
        Ok(())
    })?;
    Ok(Js::NOTHING)
}

/// `deleteMany(id, keys, coordinates, isHandle)`
pub fn delete_many<'s>(call: &Call<'s, 4>) -> Outcome<Js<'s>> {
    let map = call.map()?;
    let items = Items::read(call, call.argument(1), call.argument(2), call.argument(3))?;
    let mut deleted = 0_u32;
    for index in 0..items.len() {
        let gone = match items.get(index) {
            Target::Key(key) => map.local().delete(key)?,
            Target::Handle(handle) => map.local().delete_handle(handle)?,
        };
        deleted += u32::from(gone);
    }
    call.engine.float(f64::from(deleted))
}
