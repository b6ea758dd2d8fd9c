//! What a shard knows of one entry: where it is, what it costs, when it expires, and how its policy sees it.

use super::context::Context;
use super::room::Marks;
use super::{Shard, Sought, Tenant, Writer};
use crate::store::config::WhenFull;
use crate::store::entry::handle::Handle;
use crate::store::entry::key::KeyKind;
use crate::store::entry::value::ValueKind;
use crate::store::eviction::{Policy, Standing};
use crate::store::expiry::life::{LifeRef, Span};

/// All that is known of an entry at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// Where it is, and since when.
    pub handle: Handle,
    /// How often its word changed.
    pub version: u32,
    /// Words of the index that a look for its key reads; `None` for an entry without a key.
    pub probe_length: Option<usize>,
    /// Whether the index is being moved to another table.
    pub is_migrating: bool,
    /// Bytes of its key.
    pub key_bytes: usize,
    /// Bytes of its value as it is stored.
    pub value_bytes: usize,
    /// What the value is.
    pub value_kind: ValueKind,
    /// Bytes of its block.
    pub weight_bytes: usize,
    /// Its type, 0 for none.
    pub type_id: u32,
    /// Its deadline on the map's clock, if it has one.
    pub span: Option<Span>,
    /// Where it stands with the policy, if the map has one.
    pub standing: Option<Standing>,
    /// Whether it would be the next of its shard to be evicted.
    pub is_next: bool,
}

impl Shard {
    /// What is known of an entry; `None` if it is not there. Takes the lock and counts as no read.
    pub fn explain(&self, context: &Context, sought: Sought<'_>) -> Option<Explanation> {
        let writer = &*self.writer.lock();
        let number = match sought {
            Sought::Key(key, hash) => self.spot(&key, hash as u32)?.slot,
            Sought::Handle(handle) => handle.slot,
        };
        let tenant = self.tenant(number)?;
        let generation = tenant.slot.generation();
        let is_another = matches!(sought, Sought::Handle(handle) if handle.generation != generation);
        if is_another || self.is_over(context, tenant) {
            return None;
        }
        let (entry, key) = (tenant.entry, tenant.entry.key());
        let hash_of = |slot| self.policy_hash(context, slot);
        let standing =
            |policy: &dyn Policy| policy.has(number).then(|| policy.standing(number, &Marks(&self.slab), &hash_of));
        Some(Explanation {
            handle: Handle { shard: self.number, slot: number, generation },
            version: tenant.slot.version(),
            probe_length: (key.kind() != KeyKind::Keyless).then(|| self.probe_length(context, tenant)),
            is_migrating: self.index.is_migrating(),
            key_bytes: if key.kind() == KeyKind::Keyless { 0 } else { key.len() },
            value_bytes: entry.value_len(),
            value_kind: entry.value_kind(),
            weight_bytes: entry.weight_bytes(),
            type_id: entry.type_id(),
            span: self.slab.life(number).and_then(LifeRef::span),
            standing: writer.policy.as_deref().and_then(standing),
            is_next: self.next_to_be_evicted(writer, context) == Some(number),
        })
    }

    /// The hash of the key of an entry; for one without a key, another number of its own.
    pub fn hash_of(&self, context: &Context, tenant: &Tenant<'_>) -> u64 {
        self.policy_hash(context, tenant.number)
    }

    pub(super) fn probe_length(&self, context: &Context, tenant: Tenant<'_>) -> usize {
        let tag = context.hasher.hash(tenant.entry.key()) as u32;
        let spot = self.index.spot(tag, |found| found == tenant.number);
        spot.map_or(0, |spot| self.index.probe_length(tag, spot))
    }

    /// What would be evicted first for want of room: what has expired before anything else, then what the policy
    /// chooses. `None` where nothing is.
    fn next_to_be_evicted(&self, writer: &Writer, context: &Context) -> Option<u32> {
        let expired = || {
            let slot = writer.wheel.soonest()?;
            writer.wheel.deadline_of(slot).filter(|&deadline_ms| deadline_ms <= context.clock.now_ms()).map(|_| slot)
        };
        match context.when_full {
            WhenFull::Reject => None,
            WhenFull::Evict | WhenFull::EvictIdle { .. } => expired().or_else(|| self.foreseen_victim(writer, context)),
            _ => expired(),
        }
    }
}
