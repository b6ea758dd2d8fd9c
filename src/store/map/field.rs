//! Steps of counters inside of objects.

use std::ops::Deref;

use super::compare::MOST_READS;
use super::local::Local;
use crate::store::entry::counter::NumberStep;
use crate::store::entry::fields::Layout;
use crate::store::entry::pointer::Pointer;
use crate::store::entry::shapes::numbers::BUILT_IN;
use crate::store::entry::splice;
use crate::store::entry::target::KeyOrHandle;
use crate::store::entry::value::{Value, ValueKind};
use crate::store::error::Error;
use crate::store::expiry::life::{RemainingTtl, Ttl};
use crate::store::shard::Written;
use crate::store::slab::location::EntryLocation;

/// A step of a counter inside of an object.
#[derive(Clone, Copy, Debug)]
pub struct FieldStep<'a> {
    /// Where the number is.
    pub at: Pointer<'a>,
    /// What is added.
    pub step: NumberStep,
    /// Whether a sum outside of the bounds is an answer, not an error, and what remains of the entry's life is said.
    pub with_ttl: bool,
    /// Bytes of the longest record that may be written.
    pub longest_record: usize,
}

/// What such a step did.
#[derive(Clone, Copy, Debug)]
pub struct FieldStepped {
    /// The number afterwards; the one that is to be written, if the caller has to write it.
    pub number: f64,
    /// What became of it.
    pub outcome: FieldOutcome,
    /// What remains of the entry's life, if that was asked for.
    pub left: RemainingTtl,
}

/// What became of a step.
#[derive(Clone, Copy, Debug)]
pub enum FieldOutcome {
    /// The number was written, as a part of a value of this kind and of so many bytes.
    Written(Written, ValueKind, usize),
    /// It has stayed as it was.
    Unchanged,
    /// The value has to be made anew by the caller, if it is still of this version: it has no such field yet, or would
    /// be a record that is too long.
    ToBeMade(EntryLocation, u32),
    /// There is no such entry.
    Absent,
}

impl Local {
    /// Adds to a number inside of the value of an entry, whose deadline stays. `layout_of` says what the number of a
    /// shape means, `None` if no entry has it any more. `out` and `next` are room for the value before and after.
    ///
    /// As for [`Local::compare_and_set`], the value is copied, and the next one made, without a lock; and all of it is
    /// done again if something has changed the entry meanwhile.
    pub fn increment_field<'t, L: Deref<Target = Layout>>(
        &self,
        target: impl KeyOrHandle<'t>,
        field: &FieldStep<'_>,
        out: &mut Vec<u8>,
        next: &mut Vec<u8>,
        mut layout_of: impl FnMut(u32) -> Result<Option<L>, Error>,
    ) -> Result<FieldStepped, Error> {
        let FieldStep { step, with_ttl, .. } = field;
        let left = |of: Option<EntryLocation>| -> Result<RemainingTtl, Error> {
            match of.filter(|_| *with_ttl) {
                Some(place) => Ok(self.ttl_of(place.handle)?.unwrap_or(RemainingTtl::Ms(0))),
                None => Ok(RemainingTtl::Forever),
            }
        };
        let mut reads_in_vain = 0;
        loop {
            let seen = self.peek_version(target, out)?;
            let mut spot = None;
            if let Some((found, _)) = seen {
                let value = Value { kind: found.kind, bytes: out };
                let shape = value.shape().filter(|shape| *shape != BUILT_IN);
                let layout = shape.map(&mut layout_of).transpose()?.flatten();
                if shape.is_some() && layout.is_none() {
                    reads_in_vain += 1;
                    if reads_in_vain == MOST_READS {
                        return Err(Error::Broken);
                    }
                    continue;
                }
                spot = splice::find(value, layout.as_deref(), field.at)?;
            }
            let before = spot.map(|spot| spot.number);
            let (sum, is_within) = step.sum(before)?;
            // As JSON has it: 0 for -0.
            let number = sum + 0.0;
            let place = seen.map(|(found, _)| found.place);
            if !is_within {
                if !with_ttl {
                    return Err(step.refusal(number));
                }
                let number = before.unwrap_or(step.initial);
                return Ok(FieldStepped { number, outcome: FieldOutcome::Unchanged, left: left(place)? });
            }
            let Some((found, version)) = seen else {
                return Ok(FieldStepped { number, outcome: FieldOutcome::Absent, left: left(None)? });
            };
            let to_be_made = FieldOutcome::ToBeMade(found.place, version);
            let Some(spot) = spot else {
                return Ok(FieldStepped { number, outcome: to_be_made, left: left(place)? });
            };
            spot.write(Value { kind: found.kind, bytes: out }, number, next)?;
            if found.kind == ValueKind::Shaped && next.len() > field.longest_record {
                return Ok(FieldStepped { number, outcome: to_be_made, left: left(place)? });
            }
            let value = Value { kind: found.kind, bytes: next };
            if let Some(written) = self.replace_within("increment", found.place.handle, version, value, Ttl::Keep)? {
                let outcome = FieldOutcome::Written(written, found.kind, next.len());
                return Ok(FieldStepped { number, outcome, left: left(place)? });
            }
        }
    }
}
