//! What the binding keeps for one evaluation of the package's JavaScript.
//!
//! A thread evaluates it once, or many times: each test file of some runners does, and so does each bundle that
//! contains it. Each evaluation has maps, a scratch array and error classes of its own. Its raw operations are
//! functions of its own too, and the address of its state is their data.
//!
//! The engine decides how long an evaluation lives: each of its functions holds one count of its state and is the only
//! thing that keeps what JavaScript handed over. So an evaluation that no program can reach any more is collected as a
//! whole, and its maps are closed. Only an evaluation that listens to a map is kept from that.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};
use std::ops::{Deref, DerefMut, Range};
use std::rc::Rc;
use std::sync::{Arc, Weak};

use super::alarm::Waiting;
use super::gauges::Gauges;
use super::holds::Holds;
use super::open_map::OpenMap;
use super::roster::Roster;
use super::scratch::Scratch;
use super::watched::Watched;
use crate::binding::convert::values::{Space, value_to_js};
use crate::binding::engine::{Engine, Js, Kept, Many};
use crate::binding::failure::{Failure, Outcome};
use crate::binding::layout::{JOINED_TEXT_BYTES, REPLACED, SIZE, STATE, WAKE_UNHEARD, row};
use crate::store::{
    Desk, EntryLocation, Error, Found, Level, Record, Store, Ttl, Unheard, Value, ValueKind, Wake, Written, log_lines,
};

/// Maps that were closed, of which is still known which they were.
const CLOSED_KEPT: usize = 64;

/// The state of one evaluation. Only the thread of its environment ever sees it.
pub struct Evaluation {
    /// The evaluations of this environment, this one included.
    roster: Rc<Roster<Evaluation>>,
    holds: Rc<Holds>,
    maps: RefCell<HashMap<u32, Rc<OpenMap>, BuildHasherDefault<IdHasher>>>,
    /// The map of `maps` that was used last, with its id: most programs go on with it. Invariant: emptied before a map
    /// leaves `maps`.
    last: RefCell<Option<(u32, Rc<OpenMap>)>>,
    /// Ids that no map has had.
    ids: RefCell<Range<u32>>,
    /// Its own number, which no map has.
    number: u32,
    /// Maps that are watched without being held open.
    watched: Watched,
    /// Where errors of the maps go that nothing listens to, once a map was opened.
    desk: OnceCell<Arc<Desk>>,
    /// Maps that were closed here last, by their ids then, for errors of calls that come too late.
    closed: RefCell<VecDeque<(u32, Weak<Store>)>>,
    /// How many of the maps are listened to, and the process as one of them.
    listened: Cell<usize>,
    /// Its subscriptions to the memory of all maps of the process.
    pub process: Gauges,
    /// Whether the process is counted among what is listened to.
    counts_process: Cell<bool>,
    scratch: Scratch,
    handed: Handed,
    /// Where values are copied to on their way out of the store.
    value_buffer: Cell<Vec<u8>>,
    /// The same for keys.
    key_buffer: Cell<Vec<u8>>,
}

/// What JavaScript handed over. Only the functions of the evaluation keep it.
struct Handed {
    make_error: Kept,
    on_wake: Kept,
    many: Many,
}

/// Ids count up from 1, so they need no scrambling, only the high bits that the table also looks at.
#[derive(Default)]
struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u32((self.0 as u32) << 8 | u32::from(*byte));
        }
    }
    fn write_u32(&mut self, id: u32) {
        self.0 = u64::from(id).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

impl Evaluation {
    /// Takes over what JavaScript hands in: `makeError, onWake, spread, append`.
    pub fn create(
        engine: Engine<'_>,
        roster: &Rc<Roster<Evaluation>>,
        holds: &Rc<Holds>,
        scratch: Scratch,
        given: &[Js<'_>; 5],
    ) -> Outcome<Rc<Evaluation>> {
        let [make_error, on_wake, spread, append, _] = *given;
        let handed = Handed {
            make_error: engine.keep_weakly(make_error)?,
            on_wake: engine.keep_weakly(on_wake)?,
            many: Many::new(engine, spread, append)?,
        };
        roster.add(|mut ids| Evaluation {
            roster: Rc::clone(roster),
            holds: Rc::clone(holds),
            maps: RefCell::default(),
            last: RefCell::default(),
            number: ids.next().unwrap_or_default(),
            ids: RefCell::new(ids),
            watched: Watched::default(),
            desk: OnceCell::new(),
            closed: RefCell::default(),
            listened: Cell::new(0),
            process: Gauges::default(),
            counts_process: Cell::new(false),
            scratch,
            handed,
            value_buffer: Cell::default(),
            key_buffer: Cell::default(),
        })
    }

    /// The number that stands for the evaluation where an operation is about none of its maps.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// An object that stands for the realm of this evaluation's code, and no other.
    pub fn realm<'s>(&self, engine: Engine<'s>) -> Outcome<Js<'s>> {
        engine.prototype_of(engine.kept(&self.handed.make_error)?)
    }

    /// The map that was opened as `id`.
    #[inline]
    pub fn map(&self, id: u32) -> Outcome<Rc<OpenMap>> {
        match &*self.last.borrow() {
            Some((last, map)) if *last == id => return Ok(Rc::clone(map)),
            _ => {}
        }
        self.find_map(id)
    }

    #[cold]
    fn find_map(&self, id: u32) -> Outcome<Rc<OpenMap>> {
        let map = self.maps.borrow().get(&id).map(Rc::clone).ok_or(Failure::Store(Error::Closed))?;
        let before = self.last.replace(Some((id, Rc::clone(&map))));
        drop(before);
        Ok(map)
    }

    /// Forgets which map was used last, because maps end.
    fn forget_last(&self) {
        let last = self.last.take();
        drop(last);
    }

    /// All maps that are open, with their ids.
    pub fn maps(&self) -> Vec<(u32, Rc<OpenMap>)> {
        self.maps.borrow().iter().map(|(id, map)| (*id, Rc::clone(map))).collect()
    }

    /// Adds a map and returns its id, which no other map of this environment ever had or will have. `waker` makes what
    /// wakes the evaluation.
    pub fn add(self: &Rc<Self>, map: OpenMap, waker: impl FnOnce(Waiting) -> Outcome<Arc<dyn Wake>>) -> Outcome<u32> {
        let id = self.next_id()?;
        map.put_desk(id, self.desk(waker)?);
        self.holds.add(&map);
        self.put(id, map);
        Ok(id)
    }

    fn desk(&self, waker: impl FnOnce(Waiting) -> Outcome<Arc<dyn Wake>>) -> Outcome<&Arc<Desk>> {
        if let Some(desk) = self.desk.get() {
            return Ok(desk);
        }
        let waker = waker(Waiting { id: self.number, what: WAKE_UNHEARD, number: 0 })?;
        Ok(self.desk.get_or_init(|| Arc::new(Desk::new(waker))))
    }

    /// Takes the errors that nothing listens to.
    pub fn take_unheard(&self) -> Vec<Unheard> {
        self.desk.get().map(|desk| desk.take()).unwrap_or_default()
    }

    /// Watches a map without holding it open, and its log lines; returns the id that it has during visits.
    pub fn watch(self: &Rc<Self>, store: &Arc<Store>, level: Level, targets: u32) -> Outcome<u32> {
        let id = self.next_id()?;
        self.watched.add(id, store, level, targets);
        Ok(id)
    }

    /// Opens a watched map until [`Evaluation::leave`]. Whether it is still there.
    pub fn visit(&self, id: u32) -> bool {
        let Some(map) = self.watched.visit(id) else { return false };
        self.put(id, map);
        true
    }

    /// Ends a visit. Does nothing to a map that was opened.
    pub fn leave(&self, id: u32) {
        if !self.watched.has(id) {
            return;
        }
        let Some(map) = self.take(id) else { return };
        self.watched.leave(id, &map);
    }

    /// Ends a watch.
    pub fn unwatch(&self, id: u32) {
        self.leave(id);
        self.watched.remove(id);
    }

    /// An id that no map had.
    fn next_id(self: &Rc<Self>) -> Outcome<u32> {
        let next = self.ids.borrow_mut().next();
        next.map_or_else(|| self.more_ids(), Ok)
    }

    /// Has a map be the one of an id.
    fn put(&self, id: u32, map: OpenMap) {
        self.forget_last();
        let before = self.maps.borrow_mut().insert(id, Rc::new(map));
        drop(before);
    }

    /// Continues with new ids: returns the first, and keeps the others.
    fn more_ids(self: &Rc<Self>) -> Outcome<u32> {
        let ids = self.roster.more_ids(self)?;
        self.ids.replace(ids.start + 1..ids.end);
        Ok(ids.start)
    }

    /// Gives up a map because its user said so; whether it was open.
    pub fn close(&self, engine: Engine<'_>, id: u32) -> Outcome<bool> {
        let Some(map) = self.take(id) else { return Ok(false) };
        self.holds.close(&map);
        self.end_listening(engine, &map)?;
        let mut closed = self.closed.borrow_mut();
        if closed.len() == CLOSED_KEPT {
            closed.pop_front();
        }
        closed.push_back((id, Arc::downgrade(map.store())));
        Ok(true)
    }

    /// The map that was closed here as `id`, if something else still has it open.
    pub fn closed(&self, id: u32) -> Option<Arc<Store>> {
        self.closed.borrow().iter().rev().find(|(closed, _)| *closed == id)?.1.upgrade()
    }

    /// Gives up a map because nothing can reach it. The thread keeps a map with a name, if this was the last of its
    /// opens.
    pub fn abandon(&self, engine: Engine<'_>, id: u32) -> Outcome<()> {
        let Some(map) = self.take(id) else { return Ok(()) };
        map.stop_listening();
        self.end_listening(engine, &map)?;
        self.holds.abandon(map);
        Ok(())
    }

    fn take(&self, id: u32) -> Option<Rc<OpenMap>> {
        self.forget_last();
        self.maps.borrow_mut().remove(&id)
    }

    /// Closes all maps, when the environment ends. Other threads are told of it.
    pub(super) fn close_all(&self) {
        self.process.end();
        self.forget_last();
        let maps = self.maps.take();
        for map in maps.values().filter(|map| map.name().is_some()) {
            map.store().events().log(&log_lines::THREAD_ENDED, &[]);
        }
        drop(maps);
    }

    /// Records that a map was listened to or no longer is. As long as one is, the evaluation must not be collected:
    /// what happens to the map in other threads has to reach its listeners.
    pub fn note_listening(&self, engine: Engine<'_>, map: &OpenMap) -> Outcome<()> {
        self.count_listening(engine, map.is_listened_to(), &map.counted_as_listened)
    }

    /// The same of the memory of the process.
    pub fn note_process(&self, engine: Engine<'_>) -> Outcome<()> {
        self.count_listening(engine, !self.process.is_empty(), &self.counts_process)
    }

    fn end_listening(&self, engine: Engine<'_>, map: &OpenMap) -> Outcome<()> {
        self.count_listening(engine, false, &map.counted_as_listened)
    }

    fn count_listening(&self, engine: Engine<'_>, is_listened_to: bool, is_counted: &Cell<bool>) -> Outcome<()> {
        if is_counted.replace(is_listened_to) == is_listened_to {
            return Ok(());
        }
        let before = self.listened.get();
        self.listened.set(if is_listened_to { before + 1 } else { before - 1 });
        match self.listened.get() {
            0 => engine.let_go(&self.handed.on_wake),
            1 if is_listened_to => engine.hold(&self.handed.on_wake),
            _ => Ok(()),
        }
    }

    /// The error object for a number and details.
    pub fn make_error<'s>(&self, engine: Engine<'s>, number: u16, details: &str) -> Outcome<Js<'s>> {
        let make_error = engine.kept(&self.handed.make_error)?;
        engine.call(make_error, &[engine.int(i32::from(number))?, engine.text(details.as_bytes())?])
    }

    /// What moves many values at once.
    pub fn many(&self) -> &Many {
        &self.handed.many
    }

    /// Has JavaScript look for what waits, if it still listens.
    pub fn wake(&self, engine: Engine<'_>, waiting: Waiting) -> Outcome<()> {
        let Waiting { id, what, number } = waiting;
        if self.listened.get() == 0 && what != WAKE_UNHEARD {
            return Ok(());
        }
        let arguments =
            [engine.float(f64::from(id))?, engine.float(f64::from(what))?, engine.float(f64::from(number))?];
        // Held while something listens; an error that nothing listens to does not keep it.
        let Ok(on_wake) = engine.kept(&self.handed.on_wake) else { return Ok(()) };
        engine.call(on_wake, &arguments).map(|_| ())
    }

    /// Room for a value, to be given back on drop.
    #[inline]
    pub fn value_buffer(&self) -> Buffer<'_> {
        Buffer { bytes: self.value_buffer.take(), home: &self.value_buffer }
    }

    /// Room for a key, to be given back on drop.
    pub fn key_buffer(&self) -> Buffer<'_> {
        Buffer { bytes: self.key_buffer.take(), home: &self.key_buffer }
    }

    /// Writes `value` to `index` of the scratch array.
    #[inline]
    pub fn note(&self, index: usize, value: u32) {
        self.scratch.write(index, &[value]);
    }

    /// Takes the ttl of the running write, so that the next write does not inherit it.
    #[inline]
    pub fn take_ttl(&self) -> Ttl {
        ttl_of(self.scratch.take_ttl())
    }

    /// Records that there is no such entry.
    #[inline]
    pub fn note_absent(&self) {
        self.note(STATE, 0);
    }

    /// Records what was found and where; `size` is that of the value.
    #[inline]
    pub fn note_found(&self, found: &Found, size: usize) {
        self.scratch.write(STATE, &row(found.kind as u32, &found.place, found.type_id, size));
    }

    /// Records only where an entry is, without its value.
    #[inline]
    pub fn note_place(&self, place: &EntryLocation) {
        self.scratch.write(STATE, &row(0, place, 0, 0));
    }

    /// Records what was written where; `size` is that of the value.
    #[inline]
    pub fn note_written(&self, written: &Written, size: usize) {
        self.scratch.write(STATE, &row(0, &written.place, 0, size));
        self.note(REPLACED, u32::from(written.replaced));
    }

    /// Records what was written where and of what kind, for a copy that is kept.
    #[inline]
    pub fn note_kept(&self, kind: ValueKind, written: &Written, size: usize) {
        self.scratch.write(STATE, &row(kind as u32, &written.place, 0, size));
        self.note(REPLACED, u32::from(written.replaced));
    }

    /// The scratch array, for what has places of its own there.
    #[inline]
    pub fn scratch(&self) -> &Scratch {
        &self.scratch
    }

    /// Hands what was found to JavaScript: the value as result, the rest in the scratch array.
    #[inline]
    pub fn give<'s>(&self, engine: Engine<'s>, found: Option<&Found>, bytes: &[u8]) -> Outcome<Js<'s>> {
        let Some(found) = found else {
            self.note_absent();
            return Ok(Js::NOTHING);
        };
        self.note_found(found, bytes.len());
        if found.kind == ValueKind::Shaped {
            self.give_record(engine, bytes)
        } else {
            value_to_js(engine, found.kind, bytes)
        }
    }

    /// Hands a value to JavaScript that is no entry's: its kind and size in the scratch array.
    pub fn give_value<'s>(&self, engine: Engine<'s>, kind: ValueKind, bytes: &[u8]) -> Outcome<Js<'s>> {
        self.note(STATE, kind as u32);
        self.note(SIZE, bytes.len() as u32);
        if kind == ValueKind::Shaped { self.give_record(engine, bytes) } else { value_to_js(engine, kind, bytes) }
    }

    /// Records that a part of a record is what was found, and its size.
    pub fn note_part(&self, size: usize) {
        self.note(STATE, ValueKind::Shaped as u32);
        self.note(SIZE, size as u32);
    }

    /// Puts a record where JavaScript reads it; the result is the string of its texts, nothing if they are long.
    #[inline]
    pub fn give_record<'s>(&self, engine: Engine<'s>, bytes: &[u8]) -> Outcome<Js<'s>> {
        let tail = Record::split(bytes).map_or(&[][..], |record| record.tail);
        if !self.scratch.put_record(bytes) {
            return Err(Failure::Misuse("a stored record is too long"));
        }
        if tail.is_empty() || tail.len() > JOINED_TEXT_BYTES { Ok(Js::NOTHING) } else { engine.latin1(tail) }
    }

    /// Copies a record that JavaScript has written to `space`.
    #[inline]
    pub fn record<'b>(&self, start: usize, len: usize, space: &'b mut Space) -> Outcome<Value<'b>> {
        let bytes = self.scratch.with_record(start, len, |record| space.copy(record))??;
        Ok(Value { kind: ValueKind::Shaped, bytes })
    }

    /// Records what was written, in the scratch array.
    #[inline]
    pub fn give_written(&self, written: Option<&Written>, value: Value<'_>) -> Js<'static> {
        if let Some(written) = written {
            self.note_written(written, value.bytes.len());
        }
        Js::NOTHING
    }
}

/// The ttl that JavaScript asks for by a number.
#[inline]
pub fn ttl_of(ttl_ms: f64) -> Ttl {
    if ttl_ms == f64::INFINITY {
        Ttl::Never
    } else if ttl_ms > 0.0 {
        Ttl::Of(ttl_ms as u64)
    } else if ttl_ms < 0.0 {
        Ttl::Keep
    } else {
        Ttl::Default
    }
}

/// A byte vector that is lent out, so that a read needs no allocation. A read inside a read (a getter in an array of
/// keys can cause one) finds an empty one and is slower, nothing else.
pub struct Buffer<'e> {
    bytes: Vec<u8>,
    home: &'e Cell<Vec<u8>>,
}

/// Room that a buffer may keep. One read of a huge value must not pin as much in each thread for good.
const KEPT_BYTES: usize = 1024 * 1024;

impl Deref for Buffer<'_> {
    type Target = Vec<u8>;
    fn deref(&self) -> &Vec<u8> {
        &self.bytes
    }
}

impl DerefMut for Buffer<'_> {
    fn deref_mut(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }
}

impl Drop for Buffer<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.bytes.capacity() <= KEPT_BYTES {
            self.home.set(std::mem::take(&mut self.bytes));
        }
    }
}

impl Drop for Evaluation {
    /// What nothing can reach gives up its maps as each of them would alone.
    fn drop(&mut self) {
        self.roster.remove(self);
        self.forget_last();
        for (_, map) in self.maps.take() {
            map.stop_listening();
            self.holds.abandon(map);
        }
    }
}
