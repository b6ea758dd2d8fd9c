//! Writes that are decided under the lock, by the value that is there.

use super::member::Member;
use super::write::{Draft, SAME_TYPE, Sought, Written};
use super::{Shard, freed};
use crate::store::entry::block;
use crate::store::entry::block::Prepared;
use crate::store::entry::counter;
use crate::store::entry::counter::{Step, Sum};
use crate::store::entry::handle::Handle;
use crate::store::entry::key::Key;
use crate::store::entry::value::{Value, ValueKind};
use crate::store::error::Error;
use crate::store::expiry::life::{RemainingTtl, Ttl};
use crate::store::memory::arena::MAX_BLOCK_BYTES;
use crate::store::observe::removals::Cause;
use crate::store::platform::fallible;

/// The entry of a counter whose key is longer may be a large one, which is made before the lock is taken.
const LONG_KEY_BYTES: usize = 1_024;
/// With its key up to so long, the longest bigint is within a small entry.
const _: () = assert!(LONG_KEY_BYTES + counter::MAX_BYTES + 16 <= MAX_BLOCK_BYTES);

/// A step of a counter.
#[derive(Clone, Copy, Debug)]
pub struct Increment<'a> {
    /// What is added.
    pub step: Step<'a>,
    /// How long an entry lives that it makes.
    pub ttl: Ttl,
    /// Whether a result outside of the bounds is an answer, not an error, and what remains of the entry's life is said.
    pub with_ttl: bool,
}

/// What a step did. The bytes of the value are in the caller's buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Incremented {
    /// What the value is.
    pub kind: ValueKind,
    /// `None` if the value has stayed as it was.
    pub written: Option<Written>,
    /// What remains of the entry's life, if that was asked for.
    pub left: RemainingTtl,
}

impl Default for Incremented {
    /// Of a step that has not been made.
    fn default() -> Self {
        Self { kind: ValueKind::Undefined, written: None, left: RemainingTtl::Forever }
    }
}

impl Shard {
    /// Adds to the number of an entry, whose deadline stays. A missing key gets what the first step leads to. `done`
    /// is written part by part where the caller has it: as a whole it would wait in memory for its parts.
    pub fn increment(
        &self,
        context: &Member<'_>,
        target: Sought<'_>,
        increment: &Increment<'_>,
        out: &mut Vec<u8>,
        done: &mut Incremented,
    ) -> Result<(), Error> {
        // Out here, because what is not used is freed without the lock.
        let (mut prepared, mut first) = (None, None);
        if let Sought::Key(key, _) = target
            && key.len() > LONG_KEY_BYTES
        {
            first = Self::prepare_first(context, key, &increment.step, out)?;
        }
        let answer = self.locked(context, |writer| {
            self.step(writer, context);
            self.with_room(writer, context, size_of::<f64>(), |writer| {
                let number = match target {
                    Sought::Key(key, hash) => self.living_spot(writer, context, &key, hash).map(|spot| spot.slot),
                    Sought::Handle(handle) => {
                        self.living_slot(writer, context, handle)?;
                        Some(handle.slot)
                    }
                };
                let tenant = number.and_then(|number| self.tenant(number));
                let value = tenant.map(|tenant| (tenant.entry.value_kind(), tenant.entry.value_bytes()));
                done.written = None;
                done.kind = match increment.step.add(value, out)? {
                    Sum::Outside(_) if increment.with_ttl => {
                        done.kind = match value {
                            Some((kind, bytes)) => fallible::copy_into(out, bytes).map(|()| kind)?,
                            None => increment.step.initial(out),
                        };
                        done.left = self.left_if_asked(context, number, increment);
                        return Ok(());
                    }
                    Sum::Outside(_) => return Err(increment.step.refusal(out)),
                    Sum::Within(kind) => kind,
                };
                let sum = Value { kind: done.kind, bytes: out };
                match (number, target) {
                    (Some(number), _) => {
                        context.check_value(sum.bytes.len())?;
                        let draft = Draft { key: None, value: sum, type_id: SAME_TYPE, ttl: Ttl::Keep };
                        self.exchange(writer, context, number, &draft, &mut prepared, &mut done.written)?;
                    }
                    (None, Sought::Key(key, hash)) => {
                        Self::check(context, key, sum)?;
                        let draft = Draft { key: Some((key, hash)), value: sum, type_id: 0, ttl: increment.ttl };
                        self.insert(writer, context, &draft, &mut first, &mut done.written)?;
                    }
                    (None, Sought::Handle(_)) => {}
                }
                let Some(written) = &done.written else { return Err(Error::HandleNotFound) };
                done.left = self.left_if_asked(context, Some(written.place.handle.slot), increment);
                Ok(())
            })
        });
        freed::discard(prepared, context);
        freed::discard(first, context);
        answer
    }

    /// Sets another value for a handle's entry, if nothing has changed it since its version was this one.
    pub fn replace_if(
        &self,
        context: &Member<'_>,
        handle: Handle,
        version: u32,
        value: Value<'_>,
        ttl: Ttl,
        written: &mut Option<Written>,
    ) -> Result<(), Error> {
        let draft = Draft { key: None, value, type_id: SAME_TYPE, ttl };
        Self::check(context, Key::KEYLESS, value)?;
        // Out here, because what is not used is freed without the lock.
        let mut prepared = None;
        let answer = self.locked(context, |writer| {
            self.step(writer, context);
            self.with_room(writer, context, value.bytes.len(), |writer| {
                match self.living_slot(writer, context, handle) {
                    Ok(slot) if slot.version() == version => {
                        self.exchange(writer, context, handle.slot, &draft, &mut prepared, written)
                    }
                    // What is dead has changed, too.
                    _ => Ok(()),
                }
            })
        });
        freed::discard(prepared, context);
        answer
    }

    /// Removes a handle's entry, if nothing has changed it since its version was this one. Returns whether it did.
    pub fn remove_if(&self, context: &Member<'_>, handle: Handle, version: u32) -> Result<bool, Error> {
        let mut is_same = false;
        let removed = self.remove(context, Sought::Handle(handle), Cause::Explicit, |tenant| {
            is_same = tenant.slot.version() == version;
            if is_same { Ok(()) } else { Err(Error::HandleNotFound) }
        });
        match removed {
            Ok(removed) => Ok(removed.is_some()),
            Err(Error::HandleNotFound) if !is_same => Ok(false),
            Err(refused) => Err(refused),
        }
    }

    /// The entry of a missing key, if its key is so long that it is not to be copied under the lock.
    fn prepare_first<'c>(
        context: &'c Member<'_>,
        key: Key<'_>,
        step: &Step<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Option<Prepared<'c>>, Error> {
        // What is refused is refused under the lock, where it is known whether there is an entry.
        let Ok(Sum::Within(kind)) = step.add(None, out) else { return Ok(None) };
        let value = Value { kind, bytes: out };
        Self::check(context, key, value)?;
        Prepared::new(key, value, 0, &context.memory)
    }

    /// Refuses what no map and what not this one could hold.
    fn check(context: &Member<'_>, key: Key<'_>, value: Value<'_>) -> Result<(), Error> {
        block::check_size(key, value)?;
        context.check_value(value.bytes.len())?;
        context.check_weight(|| block::weight_bytes(key, value, 0))
    }

    fn left_if_asked(&self, context: &Member<'_>, number: Option<u32>, increment: &Increment<'_>) -> RemainingTtl {
        let asked = number.filter(|_| increment.with_ttl && context.may_expire());
        asked.map_or(RemainingTtl::Forever, |number| self.left(context, number))
    }
}
