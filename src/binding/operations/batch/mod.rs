//! The operations over many entries in one call. Every argument is read and checked before the first write.
//!
//! A batch has a *table* with a row for each item, in memory that JavaScript shares for the call. What can be said in
//! numbers goes through it in both directions: handles, kinds, numbers as values, places. Only keys and values that are
//! no numbers cross as JavaScript values.

pub mod gather;

use gather::Gathered;

use crate::binding::convert::values::{Space, key, kind, value};
use crate::binding::engine::{Elements, Js};
use crate::binding::environment::{Evaluation, OpenMap, ttl_of};
use crate::binding::failure::{Failure, Outcome};
use crate::binding::layout::{
    BATCH_ROW, GENERATION, IS_HANDLE, ITEM_TTL, NUMBER, PASSED, SHARD, SLOT, STATE, WRITTEN, row,
};
use crate::binding::operation::Call;
use crate::binding::operations::write::hold_type;
use crate::store::{
    BARE_SHAPE, Error, GROUP, Handle, Key, KeyKind, ShapeHold, Target, Ttl, TypeHold, Value, ValueKind, Written,
    fallible,
};

/// The rows of a batch.
struct Table<'s> {
    words: Elements<'s, u32>,
    rows: usize,
}

impl<'s> Table<'s> {
    /// The table with at least `rows` rows that JavaScript passed.
    fn read<const N: usize>(call: &Call<'s, N>, js: Js<'s>, rows: usize) -> Outcome<Table<'s>> {
        let words = call.engine.elements::<u32>(js, call.evaluation.many())?;
        let table = Table { words, rows };
        table.check()?;
        Ok(table)
    }

    /// Refuses a table that is too short, be it because JavaScript ran meanwhile and took its memory away.
    fn check(&self) -> Outcome<()> {
        let is_whole = self.words.len() / BATCH_ROW >= self.rows;
        if is_whole { Ok(()) } else { Err(Failure::Misuse("the table has too few rows")) }
    }

    #[inline]
    fn get(&self, row: usize, column: usize) -> u32 {
        self.words.get(row * BATCH_ROW + column).unwrap_or_default()
    }

    /// The handle of an item that is one.
    #[inline]
    fn handle(&self, row: usize) -> Option<Handle> {
        let at = |column| self.get(row, column);
        (at(IS_HANDLE) != 0).then(|| Handle { shard: at(SHARD), slot: at(SLOT), generation: at(GENERATION) })
    }

    /// How long an item lives: as it asks for itself, or else as all of the batch.
    #[inline]
    fn ttl(&self, row: usize, of_batch: Ttl) -> Ttl {
        let [low, high] = [ITEM_TTL, ITEM_TTL + 1].map(|column| u64::from(self.get(row, column)));
        match high << 32 | low {
            0 => of_batch,
            bits => ttl_of(f64::from_bits(bits)),
        }
    }

    /// The value of an item, if it is said by kind and number alone.
    #[inline]
    fn number<'b>(&self, row: usize, space: &'b mut [u8; 8]) -> Outcome<Result<Value<'b>, ValueKind>> {
        let kind = kind(self.get(row, STATE))?;
        let low = self.get(row, NUMBER).to_le_bytes();
        let len = match kind {
            ValueKind::Undefined | ValueKind::Null | ValueKind::False | ValueKind::True => 0,
            ValueKind::Int => 4,
            ValueKind::Float => 8,
            other => return Ok(Err(other)),
        };
        space[..4].copy_from_slice(&low);
        space[4..].copy_from_slice(&self.get(row, NUMBER + 1).to_le_bytes());
        Ok(Ok(Value { kind, bytes: &space[..len] }))
    }

    /// Where the record of an item lies, and its length.
    #[inline]
    fn record(&self, row: usize) -> [usize; 2] {
        [NUMBER, NUMBER + 1].map(|column| self.get(row, column) as usize)
    }

    /// Keeps the shapes of all records known until they are written. If one is not any more, nothing is written.
    fn hold_shapes<const N: usize>(&self, call: &Call<'_, N>) -> Outcome<Vec<ShapeHold>> {
        let (map, mut space) = (call.map()?, Space::default());
        let (mut holds, mut last) = (Vec::<ShapeHold>::new(), None);
        for row in (0..self.rows).filter(|row| self.get(*row, STATE) == ValueKind::Shaped as u32) {
            let [start, len] = self.record(row);
            let shape = call.evaluation.record(start, len, &mut space)?.shape().unwrap_or(BARE_SHAPE);
            // Most records of a batch have the shape of the one before.
            if last == Some(shape) || holds.iter().any(|hold| hold.number() == shape) {
                continue;
            }
            last = Some(shape);
            match map.local().hold_shape(shape)? {
                Some(hold) => holds.push(hold),
                None if shape == BARE_SHAPE => {}
                None => return Err(Error::ShapeGone.into()),
            }
        }
        Ok(holds)
    }

    /// Records an item's entry. The number of a value that is one is written by [`Gathered::take`].
    #[inline]
    fn put(&self, row: usize, words: &[u32]) {
        self.words.set(row * BATCH_ROW, words);
    }
}

/// Keys and handles of a batch, out of JavaScript's reach.
struct Items {
    /// The bytes of all keys in a row.
    bytes: Vec<u8>,
    items: Vec<Item>,
}

#[derive(Clone, Copy)]
enum Item {
    Key { kind: KeyKind, start: usize, end: usize },
    Handle(Handle),
}

/// Bytes of a key to have room for; more than most need.
const EXPECTED_KEY_BYTES: usize = 24;

impl Items {
    /// Reads an array of keys, in which the items that the table marks are handles.
    fn read<const N: usize>(call: &Call<'_, N>, keys: Js<'_>, table: &Table<'_>) -> Outcome<Items> {
        let count = table.rows;
        let bytes = fallible::vec(count.saturating_mul(EXPECTED_KEY_BYTES))?;
        let mut read = Items { bytes, items: fallible::vec(count)? };
        // Handles are objects, which would cost more to hand over than they say.
        if count > 0 && (0..count).all(|row| table.handle(row).is_some()) {
            read.items.extend((0..count).filter_map(|row| table.handle(row)).map(Item::Handle));
            return Ok(read);
        }
        let mut space = Space::default();
        call.evaluation.many().read(call.engine, keys, count, &mut |engine, index, js| {
            let item = match table.handle(index) {
                Some(handle) => Item::Handle(handle),
                None => read.add_key(key(engine, js, &mut space)?)?,
            };
            read.items.push(item);
            Ok(())
        })?;
        table.check()?;
        Ok(read)
    }

    #[inline]
    fn add_key(&mut self, key: Key<'_>) -> Outcome<Item> {
        let start = self.bytes.len();
        fallible::append(&mut self.bytes, key.bytes())?;
        Ok(Item::Key { kind: key.kind(), start, end: self.bytes.len() })
    }

    /// An item, with its bytes.
    #[inline]
    fn get(&self, index: usize) -> Target<'_> {
        match self.items[index] {
            Item::Key { kind, start, end } => Target::Key(Key::new(kind, &self.bytes[start..end])),
            Item::Handle(handle) => Target::Handle(handle),
        }
    }
}

/// Has the store fetch what the items of a batch need, a group at a time.
struct Foresight<'m> {
    map: &'m OpenMap,
    is_worth_it: bool,
}

impl<'m> Foresight<'m> {
    fn new(map: &'m OpenMap) -> Self {
        Foresight { map, is_worth_it: map.local().is_worth_foreseeing() }
    }

    /// Called with each index, in order, before its item is used.
    #[inline]
    fn reach(&self, index: usize, items: &Items) {
        if self.is_worth_it && index.is_multiple_of(GROUP) {
            self.map.local().foresee((index..items.items.len()).take(GROUP).map(|index| items.get(index)));
        }
    }
}

/// Passes each value of a batch to `write` with its index. `others` are the values that the table does not hold, in
/// order.
fn for_each_value<const N: usize>(
    call: &Call<'_, N>,
    table: &Table<'_>,
    others: Js<'_>,
    mut write: impl FnMut(usize, Value<'_>) -> Outcome<()>,
) -> Outcome<()> {
    const MISSING: Failure = Failure::Misuse("there are fewer values than kinds");
    let count = call.engine.array_len(others)?;
    let mut at = 0;
    let _holds = table.hold_shapes(call)?;
    let mut record_space = Space::default();
    // Up to the next value that is not in the table, whose kind is the answer.
    let mut write_numbers = |at: &mut usize, write: &mut dyn FnMut(usize, Value<'_>) -> Outcome<()>| {
        let mut space = [0; 8];
        while *at < table.rows {
            match table.number(*at, &mut space)? {
                Ok(value) => write(*at, value)?,
                Err(ValueKind::Shaped) => {
                    let [start, len] = table.record(*at);
                    write(*at, call.evaluation.record(start, len, &mut record_space)?)?;
                }
                Err(other) => return Ok(Some(other)),
            }
            *at += 1;
        }
        Ok::<_, Failure>(None)
    };
    if count > 0 {
        let mut space = Space::default();
        call.evaluation.many().read(call.engine, others, count, &mut |engine, _, js| {
            let kind = write_numbers(&mut at, &mut write)?.ok_or(MISSING)?;
            write(at, value(engine, js, kind, &mut space)?)?;
            at += 1;
            Ok(())
        })?;
    }
    match write_numbers(&mut at, &mut write)? {
        None => Ok(()),
        Some(_) => Err(MISSING),
    }
}

/// How often a batch is read again because a commit came in between. Then commits wait until it is read.
const READS: u32 = 4;

/// `getMany(id, items, table)`: as no commit, or all of it, has left the entries.
pub fn get_many<'s>(call: &Call<'s, 3>) -> Outcome<Js<'s>> {
    let (map, engine) = (call.map()?, call.engine);
    let table = Table::read(call, call.argument(2), engine.array_len(call.argument(1))?)?;
    let items = Items::read(call, call.argument(1), &table)?;
    for _ in 0..READS {
        let before = map.local().commits();
        if before.is_some() {
            let gathered = gather(call, &map, &table, &items)?;
            if map.local().commits() == before {
                return gathered.finish();
            }
        }
        std::hint::spin_loop();
    }
    map.local().between_commits(|| gather(call, &map, &table, &items))?.finish()
}

/// Reads all items.
fn gather<'s, 'm>(call: &Call<'s, 3>, map: &OpenMap, table: &Table<'s>, items: &Items) -> Outcome<Gathered<'s, 'm>>
where
    's: 'm,
{
    let mut out = call.evaluation.value_buffer();
    let mut gathered = Gathered::new(call.engine, call.evaluation.many());
    let (foresight, mut found) = (Foresight::new(map), None);
    for index in 0..table.rows {
        foresight.reach(index, items);
        map.local().get_into(items.get(index), &mut out, &mut found)?;
        match &found {
            None => table.put(index, &[0]),
            Some(found) => {
                table.put(index, &row(found.kind as u32, &found.place, found.type_id, out.len()));
                if let Some(number) = gathered.take(found.kind, &out)? {
                    table.put_number(index, number);
                }
            }
        }
    }
    Ok(gathered)
}

impl Table<'_> {
    /// The number that an item's value is.
    #[inline]
    fn put_number(&self, row: usize, number: [u32; 2]) {
        self.words.set(row * BATCH_ROW + NUMBER, &number);
    }
}

impl Evaluation {
    /// Records how many items of a batch were written, and how many were dealt with.
    fn note_progress(&self, written: u32, passed: u32) {
        self.note(WRITTEN, written);
        self.note(PASSED, passed);
    }
}

/// `setMany(id, keys, others, table)`
pub fn set_many<'s>(call: &Call<'s, 4>) -> Outcome<Js<'s>> {
    let ttl = call.evaluation.take_ttl();
    let (map, engine) = (call.map()?, call.engine);
    call.evaluation.note_progress(0, 0);
    let table = Table::read(call, call.argument(3), engine.array_len(call.argument(1))?)?;
    let items = Items::read(call, call.argument(1), &table)?;
    let foresight = Foresight::new(&map);
    for_each_value(call, &table, call.argument(2), |index, value| {
        foresight.reach(index, &items);
        if let Target::Key(key) = items.get(index) {
            map.local().set_into(key, value, table.ttl(index, ttl), &mut None)?;
        }
        call.evaluation.note_progress(index as u32 + 1, index as u32 + 1);
        Ok(())
    })?;
    Ok(Js::NOTHING)
}

/// `updateMany(id, items, others, table)`
pub fn update_many<'s>(call: &Call<'s, 4>) -> Outcome<Js<'s>> {
    let ttl = call.evaluation.take_ttl();
    let (map, engine) = (call.map()?, call.engine);
    call.evaluation.note_progress(0, 0);
    let table = Table::read(call, call.argument(3), engine.array_len(call.argument(1))?)?;
    let items = Items::read(call, call.argument(1), &table)?;
    let (foresight, mut updated) = (Foresight::new(&map), 0_u32);
    for_each_value(call, &table, call.argument(2), |index, value| {
        foresight.reach(index, &items);
        let ttl = table.ttl(index, ttl);
        let written = match items.get(index) {
            Target::Key(key) => map.local().update(key, value, ttl)?,
            Target::Handle(handle) => unless_dead(map.local().replace(handle, value, ttl))?,
        };
        updated += u32::from(written.is_some());
        call.evaluation.note_progress(updated, index as u32 + 1);
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

/// `insertMany(id, count, others, typeName, table)`
pub fn insert_many<'s>(call: &Call<'s, 5>) -> Outcome<Js<'s>> {
    let ttl = call.evaluation.take_ttl();
    let (map, engine) = (call.map()?, call.engine);
    call.evaluation.note_progress(0, 0);
    let table = Table::read(call, call.argument(4), call.number(1)? as usize)?;
    let held = hold_type(engine, &map, call.argument(3))?;
    let type_id = held.as_ref().map_or(0, TypeHold::id);
    for_each_value(call, &table, call.argument(2), |index, value| {
        let written = map.local().insert(value, type_id, ttl)?;
        table.put(index, &row(0, &written.place, type_id, value.bytes.len()));
        call.evaluation.note_progress(index as u32 + 1, index as u32 + 1);
        Ok(())
    })?;
    Ok(Js::NOTHING)
}

/// `deleteMany(id, items, table)`: how many were there, and which, as STATE of their rows.
pub fn delete_many<'s>(call: &Call<'s, 3>) -> Outcome<Js<'s>> {
    let (map, engine) = (call.map()?, call.engine);
    let table = Table::read(call, call.argument(2), engine.array_len(call.argument(1))?)?;
    let items = Items::read(call, call.argument(1), &table)?;
    let (foresight, mut deleted) = (Foresight::new(&map), 0_u32);
    for index in 0..table.rows {
        foresight.reach(index, &items);
        let was_there = u32::from(map.local().delete(items.get(index))?);
        table.put(index, &[was_there]);
        deleted += was_there;
    }
    engine.float(f64::from(deleted))
}

/// `hasMany(id, items, table)`: which are there, as STATE of their rows.
pub fn has_many<'s>(call: &Call<'s, 3>) -> Outcome<Js<'s>> {
    let (map, engine) = (call.map()?, call.engine);
    let table = Table::read(call, call.argument(2), engine.array_len(call.argument(1))?)?;
    let items = Items::read(call, call.argument(1), &table)?;
    let foresight = Foresight::new(&map);
    for index in 0..table.rows {
        foresight.reach(index, &items);
        table.put(index, &[u32::from(map.local().has(items.get(index))?)]);
    }
    Ok(Js::NOTHING)
}
