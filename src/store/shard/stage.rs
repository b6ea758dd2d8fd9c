//! What a commit sets aside before it takes any lock of several shards: the blocks of its entries, the entries that a
//! limit counts, and room in the tables of the shards.
//!
//! Each write is staged under the lock of its own shard alone, as a single write does all of its work, and room is made
//! for it in the same way. What was staged belongs to no slot yet and is seen by no reader. Room in tables is not
//! reserved: another writer may take it before the commit has the lock again. The commit then finds that something is
//! missing, and the write is staged once more.
//!
//! A block stays where it is when the shard is cleared meanwhile, with the arena that it came from, so it is known by
//! the *epoch* of the shard: the generation that its slab began with.

use super::member::Member;
use super::retired::Retired;
use super::write::{SAME_TYPE, Sought};
use super::{Shard, Writer, freed};
use crate::store::entry::block;
use crate::store::entry::block::{Entry, Prepared};
use crate::store::entry::key::{Key, KeyKind};
use crate::store::entry::value::Value;
use crate::store::error::Error;
use crate::store::expiry::life::{Span, Ttl};

/// What a commit is about to write.
#[derive(Clone, Copy, Debug)]
pub struct Intent<'a> {
    /// `None` for an entry without a key that is to be inserted.
    pub target: Option<Sought<'a>>,
    /// `None` if the entry is to be removed.
    pub value: Option<Value<'a>>,
    /// The type that the entry has afterwards, 0 for none, or [`SAME_TYPE`].
    pub type_id: u32,
    /// How long the value lives.
    pub ttl: Ttl,
    /// The deadline that follows, as of one moment for all writes of a commit.
    pub span: Option<Span>,
}

impl Intent<'_> {
    /// The type that the entry has afterwards, in place of the one that it has.
    pub(super) fn type_after(&self, old: Option<Entry>) -> u32 {
        if self.type_id == SAME_TYPE { old.map_or(0, Entry::type_id) } else { self.type_id }
    }

    /// Bytes of key and value, as far as they are known.
    pub fn bytes(&self) -> usize {
        let key = match self.target {
            Some(Sought::Key(key, _)) => key.len(),
            _ => 0,
        };
        key + self.value.map_or(0, |value| value.bytes.len())
    }
}

/// What all writes of a commit in one shard need together.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// Writes.
    pub writes: usize,
    /// Entries that are inserted before this write.
    pub inserts: usize,
    /// Whether this is the last write, with which room is made in the tables.
    pub is_last: bool,
    /// Whether any of the entries may get a deadline.
    pub have_deadlines: bool,
}

/// What was set aside for a write.
#[derive(Default)]
pub struct Staged<'c> {
    /// The entry, in a block of the arena, and the epoch of its shard. The block of a large one is in `large`.
    pub(super) small: Option<(Entry, u32)>,
    pub(super) large: Option<Prepared<'c>>,
    /// Whether the entry is one of those that the map may hold.
    pub(super) is_admitted: bool,
    /// Whether there was no entry.
    pub(super) inserts: bool,
}

impl Staged<'_> {
    /// Whether the write will insert an entry, as things stood.
    pub fn inserts(&self) -> bool {
        self.inserts
    }
}

impl Shard {
    /// Sets aside what a write needs. None of the entries in `about` is evicted for it.
    pub fn stage<'c>(
        &self,
        context: &'c Member<'_>,
        intent: &Intent<'_>,
        wanted: &Wanted,
        about: &[Sought<'_>],
        staged: &mut Staged<'c>,
    ) -> Result<(), Error> {
        if let Some(value) = intent.value {
            let key = match intent.target {
                Some(Sought::Key(key, _)) => key,
                _ => Key::KEYLESS,
            };
            block::check_size(key, value)?;
            context.check_value(value.bytes.len())?;
            context.check_weight(|| block::weight_bytes(key, value, intent.type_after(None)))?;
            if staged.large.is_none() && !matches!(intent.target, Some(Sought::Handle(_))) {
                staged.large = Prepared::new(key, value, intent.type_after(None), &context.memory)?;
            }
        }
        // What is not used is freed without the lock.
        let mut outdated = None;
        let done = self.locked(context, |writer| {
            self.step(writer, context);
            let mut stage = |writer: &mut Writer| {
                self.stage_write(writer, context, intent, wanted, staged, &mut outdated)?;
                if wanted.is_last {
                    self.stage_tables(writer, context, wanted, usize::from(staged.inserts))?;
                }
                Ok::<_, Error>(())
            };
            match stage(writer) {
                // What is spared is looked up when there is no room, and not for each write.
                Err(refused) if refused.is_limit() => {
                    self.spare(writer, about);
                    let value_bytes = intent.value.map_or(0, |value| value.bytes.len());
                    let done = self.with_room(writer, context, value_bytes, stage);
                    writer.also_spared.clear();
                    done
                }
                done => done,
            }
        });
        freed::discard(outdated, context);
        done
    }

    fn stage_write<'c>(
        &self,
        writer: &mut Writer,
        context: &'c Member<'_>,
        intent: &Intent<'_>,
        wanted: &Wanted,
        staged: &mut Staged<'c>,
        outdated: &mut Option<Prepared<'c>>,
    ) -> Result<(), Error> {
        let number = match intent.target {
            Some(Sought::Key(key, hash)) => self.living_spot(writer, context, &key, hash).map(|spot| spot.slot),
            // Dead: the commit will find that out.
            Some(Sought::Handle(handle)) => match self.living_slot(writer, context, handle) {
                Ok(_) => Some(handle.slot),
                Err(_) => return Ok(()),
            },
            None => None,
        };
        let Some(value) = intent.value else { return Ok(()) };
        let old = number.and_then(|number| self.tenant(number)).map(|tenant| tenant.entry);
        staged.inserts = old.is_none();
        if staged.inserts && !staged.is_admitted {
            context.admit_entry()?;
            staged.is_admitted = true;
        }
        let number_bytes = number.unwrap_or_default().to_le_bytes();
        let key = self.key_after(intent, old, &number_bytes);
        let type_id = intent.type_after(old);
        self.stage_block(writer, context, (key, value, type_id), staged, outdated)?;
        if let Some(Span { deadline_ms, .. }) = intent.span {
            match number {
                Some(_) if context.keeps_deadline(intent.ttl) => {}
                Some(number) => {
                    self.slab.make_life(number)?;
                    writer.wheel.make_room_for(wanted.writes, number, deadline_ms)?;
                }
                None => writer.wheel.make_room_for(wanted.writes, writer.slab.next(), deadline_ms)?,
            }
        }
        Ok(())
    }

    /// The key that an entry has after a write, in place of the one that it has. `number` is that of its slot.
    pub(super) fn key_after<'k>(&self, intent: &Intent<'k>, old: Option<Entry>, number: &'k [u8; 4]) -> Key<'k> {
        match (intent.target, old) {
            // The first spelling of a key stays.
            (Some(Sought::Key(..)), Some(old)) if self.ignores_case => old.key(),
            (Some(Sought::Key(key, _)), _) => key,
            // A large entry without a key was made before its slot was known, and does not say it.
            (_, Some(old)) if old.key().kind() != KeyKind::Keyless => old.key(),
            _ => Key::new(KeyKind::Keyless, number),
        }
    }

    /// Writes the entry into a block, unless one is at hand.
    pub(super) fn stage_block<'c>(
        &self,
        writer: &mut Writer,
        context: &'c Member<'_>,
        (key, value, type_id): (Key<'_>, Value<'_>, u32),
        staged: &mut Staged<'c>,
        outdated: &mut Option<Prepared<'c>>,
    ) -> Result<(), Error> {
        let epoch = writer.slab.base_generation();
        match staged.small {
            Some((entry, made_in)) if made_in == epoch && entry.type_id() == type_id && self.is_spelled(entry, key) => {
                return Ok(());
            }
            Some(_) => Self::unstage_block(writer, context, staged),
            None => {}
        }
        if staged.large.as_mut().is_some_and(|large| large.type_id() != type_id || !self.respell(large, key)) {
            *outdated = staged.large.take();
        }
        if staged.large.is_none() {
            staged.large = Prepared::new(key, value, type_id, &context.memory)?;
        }
        if staged.large.is_none() {
            staged.small = Some((Entry::alloc_small(key, value, type_id, &mut writer.arena)?, epoch));
        }
        Ok(())
    }

    /// Whether a small entry that was staged has its key as the one has it that it takes the place of.
    pub(super) fn is_spelled(&self, entry: Entry, key: Key<'_>) -> bool {
        !self.has_spellings(key) || entry.key() == key
    }

    /// Makes it so for a large one, which can be changed unless its length is another; whether it is.
    pub(super) fn respell(&self, large: &mut Prepared<'_>, key: Key<'_>) -> bool {
        !self.has_spellings(key) || large.respell(key)
    }

    fn has_spellings(&self, key: Key<'_>) -> bool {
        self.ignores_case && matches!(key.kind(), KeyKind::String | KeyKind::Utf16)
    }

    /// Makes room in the tables of the shard for all entries that are inserted.
    fn stage_tables(
        &self,
        writer: &mut Writer,
        context: &Member<'_>,
        wanted: &Wanted,
        inserts: usize,
    ) -> Result<(), Error> {
        let inserts = wanted.inserts + inserts;
        writer.shapes.make_room_for(wanted.writes)?;
        if inserts > 0 {
            writer.order.make_room_for(inserts)?;
            let mut replaced = Vec::new();
            let made = writer.index.make_room_for(inserts, &self.index, &context.memory, &mut replaced);
            for tables in replaced {
                writer.retire_tables(context, tables);
            }
            made?;
            while writer.slab.coming(&self.slab, inserts).count() < inserts {
                let register = |words: &_| context.words.register(words, Some(self.number));
                if let Some(directory) = writer.slab.add_chunk(&self.slab, &context.memory, register)? {
                    writer.retire(context, Retired::Directory(directory), 0);
                }
            }
            for slot in writer.slab.coming(&self.slab, inserts) {
                if let Some(policy) = &mut writer.policy {
                    policy.make_room(slot)?;
                }
                if wanted.have_deadlines {
                    self.slab.make_life(slot)?;
                    writer.wheel.make_link(slot)?;
                }
            }
        }
        // What is retired above may have emptied its list.
        writer.limbo.make_room_for(wanted.writes);
        Ok(())
    }

    /// Gives back what was staged and not used.
    pub fn unstage(&self, context: &Member<'_>, staged: &mut Staged<'_>) {
        if std::mem::take(&mut staged.is_admitted) {
            context.release_entries(1);
        }
        freed::discard(staged.large.take(), context);
        if staged.small.is_some() {
            // In a map that has ended, the block goes with its arena.
            drop(self.locked(context, |writer| {
                Self::unstage_block(writer, context, staged);
                Ok(())
            }));
            staged.small = None;
        }
    }

    /// Gives back what a commit has set aside and not used, and frees what it has retired.
    pub(super) fn tidy(&self, context: &Member<'_>) -> Result<(), Error> {
        self.locked(context, |writer| {
            writer.order.release_spare();
            writer.collect(context);
            // For the next commit.
            writer.limbo.make_room_for(1);
            Ok(())
        })
    }

    fn unstage_block(writer: &mut Writer, context: &Member<'_>, staged: &mut Staged<'_>) {
        if let Some((entry, epoch)) = staged.small.take()
            && epoch == writer.slab.base_generation()
        {
            // SAFETY: a small entry of this arena, which is the one of this epoch, and was never published.
            unsafe { entry.free(&mut writer.arena, &context.memory) };
        }
    }
}
