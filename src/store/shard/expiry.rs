//! Deadlines of the entries of a shard: setting them, and removing what is due.

use super::super::error::Error;
use super::context::Context;
use super::member::Member;
use super::{Shard, Sought, Writer};
use crate::store::entry::handle::Handle;
use crate::store::expiry::life::{LifeRef, RemainingTtl, Span, Ttl};
use crate::store::observe::removals::Cause;
use crate::store::platform::sync::{Ordering, unlock_fairly};
use crate::store::slab::slots::SlotRef;

/// What a look at the timer wheel found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Due {
    /// Entries that the wheel said were due. Reads may have prolonged some of them.
    pub seen: usize,
    /// Entries that expired.
    pub expired: usize,
}

impl Shard {
    /// No deadline in this shard is before this; `u64::MAX` if there is none.
    #[inline]
    pub fn next_deadline_ms(&self) -> u64 {
        self.next_deadline_ms.load(Ordering::Relaxed)
    }

    /// When something is to be done in this shard because time passes, at the latest: an entry expires or is to be
    /// loaded again, or a load is handed over.
    pub fn next_due_ms(&self) -> u64 {
        self.next_deadline_ms().min(self.next_lease_ms()).min(self.next_refresh_ms()).min(self.next_stale_end_ms())
    }

    /// What remains of a tenant's life. Under a pin or the lock.
    pub fn left(&self, context: &Context, number: u32) -> RemainingTtl {
        let deadline_ms = self.slab.life(number).and_then(LifeRef::deadline_ms);
        deadline_ms.map_or(RemainingTtl::Forever, |deadline_ms| {
            RemainingTtl::Ms(deadline_ms.saturating_sub(context.clock.now_ms()))
        })
    }

    /// Begins the life of a tenant anew after a read. The tenant was found under a pin that still holds.
    pub fn prolong(&self, context: &Context, handle: Handle) {
        if let Some(life) = self.slab.life(handle.slot) {
            life.prolong(context.clock.now_ms(), handle.generation);
        }
    }

    /// Begins an entry's life anew: with its own time to live, unless another is asked for. Returns whether it is
    /// there.
    pub fn touch(&self, context: &Member<'_>, target: Sought<'_>, ttl: Ttl) -> Result<bool, Error> {
        self.locked(context, |writer| {
            self.step(writer, context);
            self.with_room(writer, context, 0, |writer| {
                let number = match target {
                    Sought::Key(key, hash) => self.living_spot(writer, context, &key, hash).map(|spot| spot.slot),
                    Sought::Handle(handle) => self.living_slot(writer, context, handle).ok().map(|_| handle.slot),
                };
                let Some(number) = number else { return Ok(false) };
                writer.spared = Some(number);
                let own = self.slab.life(number).and_then(LifeRef::span);
                let ttl = own.filter(|_| ttl == Ttl::Default).map_or(ttl, |span| Ttl::Of(span.ttl_ms));
                let span = context.span(ttl, || context.clock.now_ms());
                // With its first deadline, an entry may become one whose copies must not be kept: those that are kept
                // end.
                let ends_copies = own.is_none() && span.is_some() && !context.keeps_expiring_copies();
                let change = self.slab.slot(number).filter(|_| ends_copies).map(SlotRef::change);
                let renewed = self
                    .schedule_tenant(writer, context, number, span)
                    .map(|life| life.is_none_or(|(life, generation)| life.renew(span, generation)));
                if let Some(change) = change {
                    let _ = change.settle(self.slab.life(number));
                }
                if !renewed? {
                    // A reader has found meanwhile that it is over.
                    self.expire_one(writer, context, number);
                    return Ok(false);
                }
                if let Some(policy) = &mut writer.policy {
                    policy.hit(number);
                }
                Ok(true)
            })
        })
    }

    /// Ends the copies of all entries that have a deadline, a chunk of slots at a time.
    pub fn end_expiring_copies(&self) {
        for chunk in 0.. {
            let _writer = self.writer.lock();
            if !self.slab.end_expiring_copies(chunk) {
                return;
            }
        }
    }

    /// Sets a slot's deadline in the wheel, or none. The slot's life is the caller's to set.
    pub(super) fn schedule(
        &self,
        writer: &mut Writer,
        context: &Member<'_>,
        number: u32,
        span: Option<Span>,
    ) -> Result<(), Error> {
        match span {
            Some(Span { deadline_ms, .. }) => {
                // The life first: its memory is there when the wheel has accepted.
                self.slab.make_life(number)?;
                writer.wheel.schedule(number, deadline_ms)?;
                context.expect_expiry();
                if deadline_ms < self.next_deadline_ms() {
                    self.next_deadline_ms.store(deadline_ms, Ordering::Relaxed);
                }
            }
            None if context.may_expire() => writer.wheel.cancel(number),
            None => return Ok(()),
        }
        self.deadlines.store(writer.wheel.len() as u64, Ordering::Relaxed);
        Ok(())
    }

    /// Takes out at most `limit` entries that the wheel says are due. What is due next stands in
    /// [`Shard::next_deadline_ms`] afterwards.
    ///
    /// The caller comes back for more at once, so a writer that waits for the lock gets it next.
    pub fn expire_due(&self, context: &Member<'_>, now_ms: u64, limit: usize) -> Result<Due, Error> {
        self.locked_until(unlock_fairly, context, |writer| {
            let due = self.expire(writer, context, now_ms, limit);
            self.next_deadline_ms.store(writer.wheel.next_deadline_ms().unwrap_or(u64::MAX), Ordering::Relaxed);
            Ok(due)
        })
    }

    /// The same under the lock.
    pub(super) fn expire(&self, writer: &mut Writer, context: &Member<'_>, now_ms: u64, limit: usize) -> Due {
        if writer.wheel.len() == 0 {
            return Due::default();
        }
        let mut due = std::mem::take(&mut writer.due);
        writer.wheel.advance(now_ms, limit, &mut due);
        let (seen, mut expired) = (due.len(), 0);
        for number in due.drain(..) {
            let later =
                self.slab.life(number).and_then(LifeRef::deadline_ms).filter(|&deadline_ms| deadline_ms > now_ms);
            // A read has prolonged it without telling the wheel. If the wheel has no memory for that, it ends here.
            if later.is_some_and(|deadline_ms| writer.wheel.schedule(number, deadline_ms).is_ok()) {
                continue;
            }
            self.expire_one(writer, context, number);
            expired += 1;
        }
        writer.due = due;
        self.deadlines.store(writer.wheel.len() as u64, Ordering::Relaxed);
        Due { seen, expired }
    }

    /// Removes an entry whose deadline is over.
    pub(super) fn expire_one(&self, writer: &mut Writer, context: &Member<'_>, number: u32) {
        let kept = match self.tenant(number) {
            Some(tenant) if writer.stale_for.len() > 0 => self.copy_for_loads(writer, context, tenant),
            _ => None,
        };
        self.leave(writer, context, number, Cause::Expired);
        if let Some(kept) = kept {
            self.keep_for_loads(writer, context, kept);
        }
        self.expired.store(self.expired.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::super::{Draft, Liveness, Presence};
    use super::*;
    use crate::store::config::Config;
    use crate::store::entry::key::Key;
    use crate::store::entry::value::Value;

    /// A thread that read the clock a millisecond before another one, and is slower, must not bring back what that one
    /// found to be over.
    #[test]
    fn what_a_read_found_to_be_over_is_not_prolonged_by_a_late_one() {
        let config = Config { seed: Some(1), manual_clock: true, sliding: Some(true), ..Config::default() };
        let context = Context::new(&config);
        let shard = Shard::new(0, &context);
        let key = Key::string("k");
        let hash = context.hasher.hash(key);
        let participant = context.collector.join();
        let member = Member::new(&context, &participant);
        let draft = Draft { key: Some((key, hash)), value: Value::json("1"), type_id: 0, ttl: Ttl::Of(100) };
        let mut written = None;
        shard.write_key(&member, &draft, Presence::Any, &mut written).unwrap();
        let written = written.unwrap();
        context.clock.advance(100);
        {
            let pin = context.collector.pin(&participant);
            let Ok(Some(tenant)) = shard.find(key, hash as u32, &pin) else { panic!("it is there") };
            let life = shard.slab.life(tenant.number()).unwrap();
            assert_eq!(shard.liveness(tenant, &context), Liveness::Over);
            life.prolong(context.clock.now_ms() - 1, written.place.handle.generation);
            assert_eq!(shard.liveness(tenant, &context), Liveness::Over);
        }
        drop(shard.detach(&member, Cause::Cleared));
        context.collector.leave(&participant);
    }
}

#[cfg(all(test, loom))]
mod model {
    use super::super::{Draft, Liveness, Presence};
    use super::*;
    use crate::store::config::{Config, TtlOnUpdate};
    use crate::store::entry::key::Key;
    use crate::store::entry::value::Value;
    use crate::store::platform::sync::Arc;

    /// An entry whose deadline is over is replaced, which takes it out and fills its slot again, while it is read.
    /// Without the store, which would start a thread for the deadline.
    #[test]
    fn an_entry_whose_deadline_is_over_is_not_read() {
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = Some(2);
        builder.check(|| {
            let config = Config { seed: Some(1), manual_clock: true, ..Config::default() };
            let context = Arc::new(Context::new(&config));
            let shard = Arc::new(Shard::new(0, &context));
            let key = Key::string("k");
            let hash = context.hasher.hash(key);
            let (writer, reader) = (context.collector.join(), context.collector.join());
            let write = |value, ttl| {
                let draft = Draft { key: Some((key, hash)), value: Value::json(value), type_id: 0, ttl };
                shard.write_key(&Member::new(&context, &writer), &draft, Presence::Any, &mut None).unwrap();
            };
            write("1", Ttl::Of(10));
            context.clock.advance(10);
            let thread = {
                let (context, shard) = (Arc::clone(&context), Arc::clone(&shard));
                loom::thread::spawn(move || {
                    let pin = context.collector.pin(&reader);
                    if let Ok(Some(tenant)) = shard.find(key, hash as u32, &pin)
                        && shard.liveness(tenant, &context) == Liveness::Alive
                    {
                        assert_eq!(tenant.entry.value_bytes(), b"2");
                    }
                    drop(pin);
                    context.collector.leave(&reader);
                })
            };
            write("2", Ttl::Never);
            thread.join().unwrap();
            drop(shard.detach(&Member::new(&context, &writer), Cause::Cleared));
            context.collector.leave(&writer);
        });
    }

    /// A deadline passes amid a write, and a reader looks before the write has settled the version word: no copy of
    /// the value may be kept afterwards, for the reader has reported it as gone.
    fn a_reader_keeps_a_write_from_being_settled(first: Ttl, second: Ttl) {
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = Some(2);
        builder.check(move || {
            let ttl_on_update = Some(TtlOnUpdate::Keep);
            let config = Config { seed: Some(1), manual_clock: true, ttl_on_update, ..Config::default() };
            let context = Arc::new(Context::new(&config));
            let shard = Arc::new(Shard::new(0, &context));
            let key = Key::string("k");
            let hash = context.hasher.hash(key);
            let (writer, reader) = (context.collector.join(), context.collector.join());
            let member = Member::new(&context, &writer);
            let write = |value, ttl| {
                let draft = Draft { key: Some((key, hash)), value: Value::json(value), type_id: 0, ttl };
                let mut written = None;
                shard.write_key(&member, &draft, Presence::Any, &mut written).unwrap();
                written.unwrap().place.handle
            };
            let handle = write("1", first);
            let thread = {
                let (context, shard) = (Arc::clone(&context), Arc::clone(&shard));
                loom::thread::spawn(move || {
                    context.clock.advance(10);
                    let pin = context.collector.pin(&reader);
                    let tenant = shard.find_handle(handle, &pin);
                    let is_over = tenant.is_some_and(|tenant| shard.liveness(tenant, &context) == Liveness::Over);
                    drop(pin);
                    context.collector.leave(&reader);
                    is_over
                })
            };
            let is_same = write("2", second) == handle;
            let is_over = thread.join().unwrap();
            let stamp = shard.slab.slot(handle.slot).and_then(SlotRef::stamp);
            assert!(!(is_over && is_same && stamp.is_some()));
            drop(shard.detach(&member, Cause::Cleared));
            context.collector.leave(&writer);
        });
    }

    #[test]
    fn a_new_deadline_that_has_passed_is_not_settled() {
        a_reader_keeps_a_write_from_being_settled(Ttl::Never, Ttl::Of(10));
    }

    #[test]
    fn an_old_deadline_that_has_passed_is_not_settled() {
        a_reader_keeps_a_write_from_being_settled(Ttl::Of(10), Ttl::Default);
    }

    /// A write to an entry begins before its deadline, and a reader finds in the middle of it that the deadline has
    /// passed. What that reader reported as gone does not come back, under its key a new entry may.
    #[test]
    fn a_write_does_not_bring_back_what_a_reader_found_to_be_over() {
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = Some(2);
        builder.check(|| {
            let config = Config { seed: Some(1), manual_clock: true, ..Config::default() };
            let context = Arc::new(Context::new(&config));
            let shard = Arc::new(Shard::new(0, &context));
            let key = Key::string("k");
            let hash = context.hasher.hash(key);
            let (writer, reader) = (context.collector.join(), context.collector.join());
            let member = Member::new(&context, &writer);
            let write = |value, ttl| {
                let draft = Draft { key: Some((key, hash)), value: Value::json(value), type_id: 0, ttl };
                let mut written = None;
                shard.write_key(&member, &draft, Presence::Any, &mut written).unwrap();
                written.unwrap().place.handle
            };
            let first = write("1", Ttl::Of(10));
            let thread = {
                let (context, shard) = (Arc::clone(&context), Arc::clone(&shard));
                loom::thread::spawn(move || {
                    context.clock.advance(10);
                    let pin = context.collector.pin(&reader);
                    let is_gone = loop {
                        let Some(tenant) = shard.find_handle(first, &pin) else { break true };
                        match shard.liveness(tenant, &context) {
                            Liveness::Alive => break false,
                            Liveness::Over => break true,
                            // The writer was faster: its value is looked at.
                            Liveness::Gone => {}
                        }
                    };
                    drop(pin);
                    context.collector.leave(&reader);
                    is_gone
                })
            };
            let second = write("2", Ttl::Never);
            let is_gone = thread.join().unwrap();
            assert_eq!(second != first, is_gone);
            assert_eq!(shard.check_handle(&context, first).is_err(), is_gone);
            assert_eq!(shard.check_handle(&context, second), Ok(()));
            drop(shard.detach(&member, Cause::Cleared));
            context.collector.leave(&writer);
        });
    }
}
