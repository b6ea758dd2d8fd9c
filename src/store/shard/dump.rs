//! The internals of a shard in words, for bug reports. Shows keys, shortened, and no values.

use std::fmt::Write;

use super::context::Context;
use super::{Shard, Writer};
use crate::store::entry::key::{Key, KeyKind};
use crate::store::expiry::life::LifeRef;
use crate::store::slab::slots::SlotRef;

/// Bytes of a key that are shown.
const SHOWN_BYTES: usize = 32;

impl Shard {
    /// Counts of the shard, and its first `most` slots from `from` on, a line for each. Takes the lock.
    pub fn dump(&self, context: &Context, from: u32, most: u32) -> String {
        let writer = &*self.writer.lock_uncounted();
        let mut out = String::new();
        // Writing to a text never fails.
        #[expect(clippy::let_underscore_must_use, reason = "see above")]
        let _ = self.dump_counts(&mut out, writer, context);
        let end = from.saturating_add(most).min(writer.slab.capacity());
        for number in from..end {
            let Some(slot) = self.slab.slot(number) else { break };
            #[expect(clippy::let_underscore_must_use, reason = "see above")]
            let _ = self.dump_slot(&mut out, writer, context, number, slot);
        }
        if end < writer.slab.capacity() {
            #[expect(clippy::let_underscore_must_use, reason = "see above")]
            let _ = writeln!(out, "{} slots more", writer.slab.capacity() - end);
        }
        out
    }

    fn dump_counts(&self, out: &mut String, writer: &Writer, context: &Context) -> std::fmt::Result {
        let (evicted, expired, deadlines) = self.departures();
        let locks = self.lock_counts();
        writeln!(out, "shard {} of {}", self.number, context.shards)?;
        writeln!(
            out,
            "entries: {}, {} bytes, {deadlines} with a deadline; {evicted} evicted, {expired} expired",
            self.len(),
            self.weight_bytes()
        )?;
        writeln!(
            out,
            "index: {} of {} words, migrating: {}",
            writer.index.len(),
            self.index.capacity(),
            self.index.is_migrating()
        )?;
        writeln!(
            out,
            "slots: {} of {} were given, generations from {} on",
            writer.slab.fresh(),
            writer.slab.capacity(),
            writer.slab.base_generation()
        )?;
        writeln!(
            out,
            "order: {} entries; retired: {} bytes; records: {}",
            writer.order.len(),
            writer.limbo.bytes(),
            writer.shapes.records()
        )?;
        if let (Some(kind), Some(policy)) = (context.policy, &writer.policy) {
            writeln!(out, "policy: {kind}, {} entries, {} bytes", policy.len(), policy.bytes())?;
        }
        writeln!(
            out,
            "lock: taken {} times, waited for {} times, {} ns in all",
            locks.acquisitions, locks.waits, locks.waited_ns
        )
    }

    fn dump_slot(
        &self,
        out: &mut String,
        writer: &Writer,
        context: &Context,
        number: u32,
        slot: SlotRef<'_>,
    ) -> std::fmt::Result {
        write!(out, "slot {number}: generation {}, version {}", slot.generation(), slot.version())?;
        let Some(tenant) = self.tenant(number) else { return writeln!(out, ", vacant") };
        let entry = tenant.entry;
        write!(out, ", key ")?;
        show_key(out, entry.key())?;
        write!(out, ", {} of {} bytes", entry.value_kind().noun(), entry.value_len())?;
        write!(out, ", block of {} bytes", entry.weight_bytes())?;
        if entry.type_id() != 0 {
            write!(out, ", type {}", entry.type_id())?;
        }
        if let Some(deadline_ms) = self.slab.life(number).and_then(LifeRef::deadline_ms) {
            write!(out, ", expires in {} ms", deadline_ms.saturating_sub(context.clock.now_ms()))?;
        }
        if entry.key().kind() != KeyKind::Keyless {
            write!(out, ", probe of {}", self.probe_length(context, tenant))?;
        }
        if let Some(sequence) = writer.order.sequence_at(slot.position()) {
            write!(out, ", sequence {sequence}")?;
        }
        writeln!(out)
    }
}

/// Writes a key so that it stays on its line.
fn show_key(out: &mut String, key: Key<'_>) -> std::fmt::Result {
    let shown = &key.bytes()[..key.len().min(SHOWN_BYTES)];
    let rest = if shown.len() < key.len() { "…" } else { "" };
    match key.kind() {
        KeyKind::Keyless => write!(out, "none"),
        KeyKind::String => write!(out, "{:?}{rest}", String::from_utf8_lossy(shown)),
        KeyKind::Int => {
            let bytes = <[u8; 4]>::try_from(key.bytes()).unwrap_or_default();
            write!(out, "{}", i32::from_le_bytes(bytes))
        }
        KeyKind::Float => {
            let bytes = <[u8; 8]>::try_from(key.bytes()).unwrap_or_default();
            write!(out, "{}", f64::from_le_bytes(bytes))
        }
        kind => {
            write!(out, "{kind:?} ")?;
            shown.iter().try_for_each(|byte| write!(out, "{byte:02x}"))?;
            write!(out, "{rest}")
        }
    }
}
