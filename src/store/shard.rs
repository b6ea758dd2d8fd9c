//! A shard: one writer lock and what it guards.
//!
//! Readers take no lock: they find a slot through the index or by its number, check whose it is, and copy. Writers hold the
//! lock for one entry's worth of work. What a writer unlinks goes to the limbo; what is expensive to free is freed after the
//! lock was released. Nothing here calls out.

use super::arena::{Arena, MAX_BLOCK_BYTES};
use super::context::Context;
use super::entry::{self, Entry, Prepared};
use super::error::Error;
use super::events::Level;
use super::handle::{Handle, Place};
use super::index::{Index, IndexWriter, Spot, Tables};
use super::key::{Key, KeyKind};
use super::order::Order;
use super::reclaim::{self, Limbo, Pin};
use super::slab::{self, Directory, Slab, SlabWriter, SlotRef};
use super::sync::{Arc, AtomicU64, Mutex, Ordering};
use super::value::Value;

/// Writes between two looks at how much of the memory for entries is wasted.
const WRITES_PER_LOOK: u32 = 64;
/// Waste up to this part of what lives is left alone: one in 4. Emptying a page copies what lives in it, so it
/// should free more than it copies.
const TOLERATED_WASTE: usize = 4;
/// And so is what the pages that are being filled may waste.
const TOLERATED_WASTE_BYTES: usize = 256 * 1_024;

/// One shard.
#[derive(Debug)]
pub struct Shard {
    number: u32,
    index: Index,
    slab: Slab,
    /// Entries. Written under the lock.
    len: AtomicU64,
    /// Bytes of the entries' blocks. Written under the lock.
    weight_bytes: AtomicU64,
    writer: Mutex<Writer>,
}

/// What the lock guards, beside the writing of what readers see.
#[derive(Debug)]
struct Writer {
    index: IndexWriter,
    slab: SlabWriter,
    order: Order,
    arena: Arena,
    limbo: Limbo<Retired>,
    /// Large entries that may be freed, as soon as the lock is released.
    freed_later: Vec<Entry>,
    /// Writes, for upkeep that is not due with each.
    upkeep: u32,
    /// Whether each write empties a page, until there is none left that is worth it.
    is_compacting: bool,
    /// Index capacities that a table grew or shrank to, to be told as soon as the lock is released.
    resized: Option<usize>,
}

/// Unlinked, but maybe still looked at. Dropping the boxes frees them.
#[derive(Debug)]
enum Retired {
    Entry(Entry),
    Tables(#[expect(dead_code, reason = "kept to be dropped")] Box<Tables>),
    Directory(#[expect(dead_code, reason = "kept to be dropped")] Box<Directory>),
}

/// Everything that was in a shard when it was cleared.
#[derive(Debug)]
#[expect(dead_code, reason = "most of it is kept to be dropped")]
pub struct Contents {
    tables: Option<Box<Tables>>,
    slab: slab::Detached,
    order: Order,
    arena: Arena,
    /// Retired before; the entries among them lie in the same arena.
    retired: Vec<Retired>,
    entries: u64,
    bytes: usize,
    memory: Arc<super::memory::Memory>,
}

/// A slot and the entry that was in it. Good as long as the pin or the lock it was found under.
#[derive(Clone, Copy, Debug)]
pub struct Tenant<'a> {
    /// The entry.
    pub entry: Entry,
    slot: SlotRef<'a>,
    number: u32,
    shard: u32,
}

impl Tenant<'_> {
    /// The handle and the version of the entry; `None` if the slot has another entry by now.
    ///
    /// Generation and version are read between two looks at the same pointer. No block is used again under a pin, so the
    /// tenant was there all the while: the generation is its own, and a version newer than the entry's would have come with a newer pointer.
    #[inline]
    pub fn place(&self) -> Option<Place> {
        let generation = self.slot.generation();
        let version = self.slot.version();
        if self.slot.entry() != Some(self.entry) {
            return None;
        }
        let (chunk, word) = self.slot.word();
        Some(Place { handle: Handle { shard: self.shard, slot: self.number, generation }, version, chunk, word })
    }
}

/// What a write did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// The entry that now holds the value.
    pub place: Place,
    /// Whether there was an entry already.
    pub replaced: bool,
}

/// What a caller wants to be true before it writes under a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Nothing: insert or replace.
    Any,
    /// Write only if the key is there.
    Present,
    /// Write only if the key is not there.
    Absent,
}

/// The entry a caller means.
#[derive(Clone, Copy, Debug)]
pub enum Target<'a> {
    /// The entry of this key, with its tag.
    Key(Key<'a>, u32),
    /// The entry of this handle.
    Handle(Handle),
}

impl Shard {
    /// An empty shard.
    pub fn new(number: u32, context: &Context) -> Self {
        Self {
            number,
            index: Index::new(),
            slab: Slab::new(),
            len: AtomicU64::new(0),
            weight_bytes: AtomicU64::new(0),
            writer: Mutex::new(Writer::new(context)),
        }
    }

    /// Entries.
    pub fn len(&self) -> u64 {
        self.len.load(Ordering::Relaxed)
    }

    /// Bytes of the blocks of live entries.
    pub fn weight_bytes(&self) -> u64 {
        self.weight_bytes.load(Ordering::Relaxed)
    }

    /// Words of the index, entries in it, and bytes that wait to be freed.
    pub fn inventory(&self) -> (usize, usize, usize) {
        let writer = self.writer.lock();
        (self.index.capacity(), writer.index.len(), writer.limbo.bytes())
    }

    /// Finds a key's entry. No lock, unless words of the index keep moving.
    #[inline]
    pub fn find(&self, key: Key<'_>, tag: u32, _pin: &Pin<'_>) -> Option<Tenant<'_>> {
        let tenant = |number| self.tenant(number).filter(|tenant| tenant.entry.has_key(key));
        self.index.find(tag, tenant).unwrap_or_else(|_contended| self.find_locked(key, tag))
    }

    #[cold]
    fn find_locked(&self, key: Key<'_>, tag: u32) -> Option<Tenant<'_>> {
        let _writer = self.writer.lock();
        self.tenant(self.spot(key, tag)?.slot)
    }

    /// Finds a handle's entry, if it is alive. Never takes a lock.
    #[inline]
    pub fn find_handle(&self, handle: Handle, _pin: &Pin<'_>) -> Option<Tenant<'_>> {
        let tenant = self.tenant(handle.slot)?;
        // Pointer before generation: a match proves the tenant.
        (tenant.slot.generation() == handle.generation).then_some(tenant)
    }

    /// Who is in a slot. Under a pin or the lock.
    #[inline]
    fn tenant(&self, number: u32) -> Option<Tenant<'_>> {
        let slot = self.slab.slot(number)?;
        Some(Tenant { entry: slot.entry()?, slot, number, shard: self.number })
    }

    /// Why a handle is dead; `Ok` if it is alive.
    pub fn check_handle(&self, handle: Handle) -> Result<(), Error> {
        let writer = self.writer.lock();
        self.living_slot(&writer, handle).map(|_| ())
    }

    fn living_slot<'a>(&'a self, writer: &Writer, handle: Handle) -> Result<SlotRef<'a>, Error> {
        if handle.generation < writer.slab.base_generation() {
            return Err(Error::HandleInvalidated);
        }
        let slot = self.slab.slot(handle.slot).filter(|slot| slot.entry().is_some()).ok_or(Error::HandleNotFound)?;
        let found = slot.generation();
        if found == handle.generation {
            Ok(slot)
        } else {
            Err(Error::GenerationMismatch { given: handle.generation, found })
        }
    }

    /// Writes a value under a key, if the key's presence is as wanted; `None` if it is not.
    pub fn write_key(
        &self,
        context: &Context,
        key: Key<'_>,
        tag: u32,
        value: Value<'_>,
        wanted: Presence,
    ) -> Result<Option<Written>, Error> {
        entry::check_size(key, value)?;
        let mut prepared = Prepared::new(key, value, 0, &context.memory)?;
        self.locked(context, |writer| {
            self.step(writer, context);
            let present = self.spot(key, tag);
            match (present, wanted) {
                (Some(_), Presence::Absent) | (None, Presence::Present) => Ok(None),
                (Some(spot), _) => {
                    let slot = self.slab.slot(spot.slot).ok_or(Error::Broken)?;
                    self.exchange(writer, context, slot, spot.slot, value, &mut prepared).map(Some)
                }
                (None, _) => self.insert(writer, context, key, Some(tag), value, 0, &mut prepared).map(Some),
            }
        })
    }

    /// Adds an entry that has no key.
    pub fn insert_keyless(&self, context: &Context, value: Value<'_>, type_id: u32) -> Result<Written, Error> {
        entry::check_size(Key::KEYLESS, value)?;
        let mut prepared = Prepared::new(Key::KEYLESS, value, type_id, &context.memory)?;
        self.locked(context, |writer| {
            self.step(writer, context);
            self.insert(writer, context, Key::KEYLESS, None, value, type_id, &mut prepared)
        })
    }

    /// Gives a living entry another value; its key and its type stay.
    pub fn replace(&self, context: &Context, handle: Handle, value: Value<'_>) -> Result<Written, Error> {
        entry::check_size(Key::KEYLESS, value)?;
        self.locked(context, |writer| {
            self.step(writer, context);
            let slot = self.living_slot(writer, handle)?;
            self.exchange(writer, context, slot, handle.slot, value, &mut None)
        })
    }

    /// Removes an entry, after `look` has seen it; `None` if it is not there.
    pub fn remove<T>(
        &self,
        context: &Context,
        target: Target<'_>,
        look: impl FnOnce(Tenant<'_>) -> T,
    ) -> Result<Option<T>, Error> {
        self.locked(context, |writer| {
            self.step(writer, context);
            let (number, spot) = match target {
                Target::Key(key, tag) => match self.spot(key, tag) {
                    Some(spot) => (spot.slot, Some(spot)),
                    None => return Ok(None),
                },
                Target::Handle(handle) => match self.living_slot(writer, handle) {
                    Ok(_) => (handle.slot, None),
                    Err(_) => return Ok(None),
                },
            };
            let Some(tenant) = self.tenant(number) else { return Ok(None) };
            let answer = look(tenant);
            let key = tenant.entry.key();
            let spot = spot.or_else(|| {
                let is_keyed = key.kind != KeyKind::Keyless;
                is_keyed.then(|| self.index.spot(context.hasher.hash(key) as u32, |found| found == number)).flatten()
            });
            self.take_out(writer, context, number, spot);
            Ok(Some(answer))
        })
    }

    /// The entries after this sequence, oldest first, as `(sequence, slot, generation)`; says whether there are more.
    pub fn walk(&self, after: u64, count: usize, scratch: &mut Vec<(u64, u32)>, out: &mut Vec<(u64, Handle)>) -> bool {
        scratch.clear();
        let writer = self.writer.lock();
        let more = writer.order.after(after, count, scratch);
        let handle = |slot: u32| {
            let generation = self.slab.slot(slot).map_or(0, SlotRef::generation);
            Handle { shard: self.number, slot, generation }
        };
        out.extend(scratch.iter().map(|&(sequence, slot)| (sequence, handle(slot))));
        more
    }

    /// Takes everything out, at once for every reader and writer of this shard.
    pub fn detach(&self, context: &Context) -> Option<Contents> {
        let mut guard = self.writer.lock();
        let writer = &mut *guard;
        if writer.slab.capacity() == 0 {
            return None;
        }
        let Some(successor) = writer.slab.successor() else {
            // Generations are used up: entries leave one by one, and their slots retire.
            while let Some(number) = writer.order.oldest() {
                let key =
                    self.tenant(number).map(|tenant| tenant.entry.key()).filter(|key| key.kind != KeyKind::Keyless);
                let spot = key.and_then(|key| self.spot(key, context.hasher.hash(key) as u32));
                self.take_out(writer, context, number, spot);
            }
            return None;
        };
        let fresh = Writer::new(context);
        let old = std::mem::replace(writer, fresh);
        writer.slab = successor;
        writer.freed_later = old.freed_later;
        let bytes = old.arena.bytes() + writer.slab.capacity() as usize;
        let contents = Contents {
            tables: self.index.detach(),
            slab: self.slab.detach(),
            order: old.order,
            arena: old.arena,
            retired: old.limbo.into_items().collect(),
            entries: self.len.swap(0, Ordering::Relaxed),
            bytes,
            memory: Arc::clone(&context.memory),
        };
        self.weight_bytes.store(0, Ordering::Relaxed);
        context.dismiss_entries(contents.entries);
        Some(contents)
    }

    /// Makes the index large enough for this many entries.
    pub fn reserve(&self, context: &Context, entries: usize) -> Result<(), Error> {
        self.locked(context, |writer| {
            if let Some(tables) = writer.index.reserve(&self.index, entries, &context.memory)? {
                writer.retire_tables(context, tables);
            }
            Ok(())
        })
    }

    /// Makes the index as small as its entries allow, frees what waits, if no reader is looking, and starts emptying pages
    /// that are mostly free.
    pub fn shrink_to_fit(&self, context: &Context) -> Result<(), Error> {
        self.locked(context, |writer| {
            if let Some(tables) = writer.index.shrink_to_fit(&self.index, &context.memory) {
                writer.retire_tables(context, tables);
            }
            writer.collect(context);
            writer.is_compacting = true;
            Ok(())
        })
    }

    /// Panics while the lock is held, so that tests can see what the map does about it.
    pub fn panic_under_lock(&self, context: &Context) -> Result<(), Error> {
        self.locked(context, |_| panic!("asked to panic under the lock"))
    }

    /// Runs a write under the lock. A panic in it marks the map as broken; what it may free is freed afterwards.
    fn locked<T>(&self, context: &Context, write: impl FnOnce(&mut Writer) -> Result<T, Error>) -> Result<T, Error> {
        let mut guard = self.writer.lock();
        let broken = BrokenIfPanicking(context);
        context.check()?;
        let answer = write(&mut guard);
        let freed = std::mem::take(&mut guard.freed_later);
        let resized = guard.resized.take();
        drop(broken);
        drop(guard);
        for entry in freed {
            // SAFETY: collected from the limbo, so no reader is left, and large, so it needs no arena.
            unsafe { entry.free_if_large(&context.memory) };
        }
        if let Some(capacity) = resized {
            let fields = [("shard", u64::from(self.number)), ("capacity", capacity as u64)];
            context.events.log(Level::Debug, "index.resized", &fields);
        }
        answer
    }

    fn spot(&self, key: Key<'_>, tag: u32) -> Option<Spot> {
        let is_match = |number| self.slab.slot(number).and_then(SlotRef::entry).is_some_and(|entry| entry.has_key(key));
        self.index.spot(tag, is_match)
    }

    /// The share of upkeep that each write does.
    fn step(&self, writer: &mut Writer, context: &Context) {
        if let Some(tables) = writer.index.step(&self.index) {
            writer.resized = Some(self.index.capacity());
            writer.retire_tables(context, tables);
        }
        writer.upkeep = writer.upkeep.wrapping_add(1);
        if writer.is_compacting || writer.upkeep.is_multiple_of(WRITES_PER_LOOK) {
            let weight = self.weight_bytes.load(Ordering::Relaxed) as usize + writer.limbo.bytes();
            let is_wasteful = writer.arena.bytes() > weight + weight / TOLERATED_WASTE + TOLERATED_WASTE_BYTES;
            let is_due = writer.is_compacting || is_wasteful;
            writer.is_compacting = is_due && self.evacuate(writer, context);
        }
        writer.order.step(|number, position| {
            if let Some(slot) = self.slab.slot(number) {
                slot.set_position(position);
            }
        });
    }

    /// Everything that can fail comes first, so that a refused insertion changes nothing that anybody sees.
    #[expect(clippy::too_many_arguments, reason = "the parts of an entry, and where it goes")]
    fn insert(
        &self,
        writer: &mut Writer,
        context: &Context,
        key: Key<'_>,
        tag: Option<u32>,
        value: Value<'_>,
        type_id: u32,
        prepared: &mut Option<Prepared<'_>>,
    ) -> Result<Written, Error> {
        context.admit_entry()?;
        let made = self.make_entry(writer, context, key, tag.is_some(), value, type_id, prepared);
        let entry = made.inspect_err(|_| context.dismiss_entries(1))?;

        let number = writer.slab.take(&self.slab);
        let slot = self.slab.slot(number).ok_or(Error::Broken)?;
        let position = writer.order.append(context.next_sequence(), number);
        let version = slot.occupy(entry, position);
        if let Some(tag) = tag {
            writer.index.insert(&self.index, tag, number);
        }
        self.count(1, entry.weight_bytes() as i64);
        Ok(Written { place: self.place(slot, number, version), replaced: false })
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of an entry, and where it goes")]
    fn make_entry(
        &self,
        writer: &mut Writer,
        context: &Context,
        key: Key<'_>,
        keyed: bool,
        value: Value<'_>,
        type_id: u32,
        prepared: &mut Option<Prepared<'_>>,
    ) -> Result<Entry, Error> {
        writer.order.make_room()?;
        if keyed {
            let mut replaced = Vec::new();
            let made = writer.index.make_room(&self.index, &context.memory, &mut replaced);
            for tables in replaced {
                writer.retire_tables(context, tables);
            }
            made?;
        }
        let register = |words: &Arc<_>| context.register_words(words);
        if let Some(directory) = writer.slab.make_room(&self.slab, &context.memory, register)? {
            writer.retire(context, Retired::Directory(directory), 0);
        }
        let number = writer.slab.next().to_le_bytes();
        let key = if keyed { key } else { Key { kind: KeyKind::Keyless, bytes: &number } };
        Entry::alloc(key, value, type_id, prepared, &mut writer.arena)
    }

    /// Empties a page that is mostly free, if there is one worth it, so that its memory can serve others.
    fn evacuate(&self, writer: &mut Writer, context: &Context) -> bool {
        let Some(blocks) = writer.arena.set_aside() else { return false };
        for block in blocks {
            // SAFETY: blocks that live in a page hold entries, and nothing is freed before `collect` below.
            let entry = unsafe { Entry::in_block(block) };
            // Without a slot it is retired, and waits for its readers only.
            let Some(slot) = self.slot_of(entry, context) else { continue };
            let Ok(copy) = entry.copy(&mut writer.arena) else { break };
            slot.relocate(copy);
            let _ = writer.limbo.retire(Retired::Entry(entry), entry.weight_bytes());
        }
        writer.collect(context);
        true
    }

    /// The slot that holds this very entry.
    fn slot_of(&self, entry: Entry, context: &Context) -> Option<SlotRef<'_>> {
        let key = entry.key();
        let holds_it = |number: u32| self.slab.slot(number).is_some_and(|slot| slot.entry() == Some(entry));
        let number = if key.kind == KeyKind::Keyless {
            key.bytes.try_into().ok().map(u32::from_le_bytes).filter(|&number| holds_it(number))
        } else {
            self.index.spot(context.hasher.hash(key) as u32, holds_it).map(|spot| spot.slot)
        };
        self.slab.slot(number?)
    }

    fn exchange<'c>(
        &self,
        writer: &mut Writer,
        context: &'c Context,
        slot: SlotRef<'_>,
        number: u32,
        value: Value<'_>,
        prepared: &mut Option<Prepared<'c>>,
    ) -> Result<Written, Error> {
        let old = slot.entry().ok_or(Error::HandleNotFound)?;
        let (key, type_id) = (old.key(), old.type_id());
        if prepared.is_none() {
            // Only a replacement by handle comes without: its key was not known before.
            *prepared = Prepared::new(key, value, type_id, &context.memory)?;
        }
        let entry = Entry::alloc(key, value, type_id, prepared, &mut writer.arena)?;
        let grown = entry.weight_bytes() as i64 - old.weight_bytes() as i64;
        let (old, version) = slot.exchange(entry);
        if let Some(old) = old {
            writer.retire(context, Retired::Entry(old), old.weight_bytes());
        }
        self.count(0, grown);
        Ok(Written { place: self.place(slot, number, version), replaced: true })
    }

    /// Where an entry is that was just written. Under the lock.
    fn place(&self, slot: SlotRef<'_>, number: u32, version: u32) -> Place {
        let (chunk, word) = slot.word();
        let handle = Handle { shard: self.number, slot: number, generation: slot.generation() };
        Place { handle, version, chunk, word }
    }

    fn take_out(&self, writer: &mut Writer, context: &Context, number: u32, spot: Option<Spot>) {
        let Some(slot) = self.slab.slot(number) else { return };
        if let Some(spot) = spot {
            writer.index.remove(&self.index, spot);
            if let Some(tables) = writer.index.shrink(&self.index, &context.memory) {
                writer.retire_tables(context, tables);
            }
        }
        writer.order.remove(slot.position());
        let Some(entry) = slot.vacate() else { return };
        writer.slab.give_back(number, slot);
        self.count(-1, -(entry.weight_bytes() as i64));
        context.dismiss_entries(1);
        writer.retire(context, Retired::Entry(entry), entry.weight_bytes());
    }

    /// Under the lock, so plain loads and stores do.
    fn count(&self, entries: i64, bytes: i64) {
        self.len.store(self.len.load(Ordering::Relaxed).wrapping_add_signed(entries), Ordering::Relaxed);
        let weight = self.weight_bytes.load(Ordering::Relaxed).wrapping_add_signed(bytes);
        self.weight_bytes.store(weight, Ordering::Relaxed);
    }
}

impl Drop for Shard {
    /// Whoever drops a map has taken the contents out before; what is left is what was retired since.
    fn drop(&mut self) {
        let limbo = std::mem::replace(&mut self.writer.get_mut().limbo, Limbo::new());
        let memory = self.writer.get_mut().arena.memory();
        for item in limbo.into_items() {
            if let Retired::Entry(entry) = item {
                // SAFETY: nobody can read a map that is being dropped; small entries go with the arena.
                unsafe { entry.free_if_large(&memory) };
            }
        }
    }
}

impl Writer {
    fn new(context: &Context) -> Self {
        Self {
            index: IndexWriter::new(context.max_load_factor),
            slab: SlabWriter::new(1),
            order: Order::new(Arc::clone(&context.memory)),
            arena: Arena::new(Arc::clone(&context.memory)),
            limbo: Limbo::new(),
            freed_later: Vec::new(),
            upkeep: 0,
            is_compacting: false,
            resized: None,
        }
    }

    /// A table is large and seldom replaced, so it does not wait for others.
    fn retire_tables(&mut self, context: &Context, tables: Box<Tables>) {
        self.retire(context, Retired::Tables(tables), reclaim::BATCH_BYTES);
    }

    fn retire(&mut self, context: &Context, item: Retired, bytes: usize) {
        if self.limbo.retire(item, bytes) {
            self.collect(context);
        }
    }

    /// Frees what was retired and can no longer be seen.
    fn collect(&mut self, context: &Context) {
        let Self { limbo, arena, freed_later, .. } = self;
        limbo.collect(&context.collector, |item| match item {
            Retired::Entry(entry) if entry.size() > MAX_BLOCK_BYTES => freed_later.push(entry),
            // SAFETY: no reader is left, and small entries of this shard come from this arena.
            Retired::Entry(entry) => unsafe { entry.free(arena, &context.memory) },
            Retired::Tables(_) | Retired::Directory(_) => {}
        });
    }
}

impl Contents {
    /// How many entries there were.
    pub fn entries(&self) -> u64 {
        self.entries
    }

    /// Roughly how many bytes there are to give back.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Drop for Contents {
    fn drop(&mut self) {
        // Small entries go with the arena's pages.
        let retired = self.retired.iter().filter_map(|item| match item {
            Retired::Entry(entry) => Some(*entry),
            Retired::Tables(_) | Retired::Directory(_) => None,
        });
        for entry in self.slab.entries().chain(retired) {
            // SAFETY: whoever drops contents has waited for the readers; each entry is in one slot or retired once.
            unsafe { entry.free_if_large(&self.memory) };
        }
    }
}

struct BrokenIfPanicking<'a>(&'a Context);

impl Drop for BrokenIfPanicking<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.mark_broken();
        }
    }
}
