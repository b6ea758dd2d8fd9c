//! Reads of a transaction: each is of one moment with all that were before it.
//!
//! **What is there** is known by the version of its word, which changes with each change and never says the same again.
//! It was read under the lock of its shard, so no change was under way. A look at the word later, without a lock, tells
//! that there was none in between, and so that the value was there at every moment since.
//!
//! **What is not there** has no word: it may come and go between two looks. So whoever reads holds the locks of the
//! shards of all that was not there, and finds it missing, while it reads. The moment of the read is one at which these
//! locks are held: the entry is found, what was missing is missing, and the words of all others are looked at after
//! that.

use super::local::Local;
use super::transaction::{Observed, Seen, Transaction};
use crate::store::entry::key::KeyKind;
use crate::store::entry::target::Target;
use crate::store::error::Error;
use crate::store::memory::reclaim::Pin;
use crate::store::platform::fallible;
use crate::store::shard::{Liveness, Shard, Sought, Stillness, Tenant};

/// The locks of some shards. The first is there in any case, and a transaction that found everything needs no other.
struct Held<'a> {
    first: Stillness<'a>,
    #[expect(dead_code, reason = "held until this is dropped")]
    others: Vec<Stillness<'a>>,
}

impl Transaction {
    /// Reads what is there: the value into `out`, and the key into `key_out` if the target is a handle. Dooms the
    /// transaction if something has changed that it read before.
    pub(super) fn observe(
        &mut self,
        map: &Local,
        target: Target<'_>,
        out: &mut Vec<u8>,
        key_out: &mut Option<(KeyKind, Vec<u8>)>,
    ) -> Result<Option<Observed>, Error> {
        let Some((shard, sought)) = map.seek(target) else { return Ok(None) };
        // The locks before the pin: a pin never waits for one.
        let held = self.hold(map, shard.number());
        let pin = map.pin();
        let tenant = match sought {
            Sought::Key(key, hash) => shard.find_still(key, hash as u32, &held.first),
            Sought::Handle(handle) => shard.find_handle(handle, &pin),
        };
        let tenant = tenant.filter(|tenant| is_alive(map, shard, *tenant));
        let found = tenant.map(|tenant| (tenant, tenant.handle(&held.first), tenant.version(&held.first)));
        self.look_again(map, &pin, &held);
        drop(held);
        if !self.changed.is_empty() {
            map.counters().conflicts.add(1);
            return Err(Error::TransactionConflict);
        }
        let Some((tenant, handle, version)) = found else { return Ok(None) };
        fallible::copy_into(out, tenant.entry.value_bytes())?;
        let key = tenant.entry.key();
        if let Target::Handle(_) = target
            && key.kind() != KeyKind::Keyless
        {
            let mut bytes = Vec::new();
            fallible::copy_into(&mut bytes, key.bytes())?;
            *key_out = Some((key.kind(), bytes));
        }
        let kind = tenant.entry.value_kind();
        let is_log_full = map.turn_to_use(shard, &tenant);
        drop(pin);
        if is_log_full {
            map.replay_hits();
        }
        Ok(Some(Observed { kind, handle, version }))
    }

    /// Looks at everything again that was read. Dooms the transaction if something has changed.
    pub(super) fn confirm(&mut self, map: &Local) -> Result<(), Error> {
        let held = self.hold(map, 0);
        let pin = map.pin();
        self.look_again(map, &pin, &held);
        drop((pin, held));
        if self.changed.is_empty() {
            return Ok(());
        }
        map.counters().conflicts.add(1);
        Err(Error::TransactionConflict)
    }

    /// Takes the locks of a shard and of those of all that was not there, in the order of their numbers.
    fn hold<'m>(&self, map: &'m Local, own: u32) -> Held<'m> {
        let shards = map.store().all_shards();
        let mut numbers = Vec::new();
        if self.absent > 0 {
            numbers.extend(self.items.iter().filter(|item| item.seen == Seen::Absent).filter_map(|item| {
                let key = item.key.as_ref()?;
                Some(map.store().shard_of(key.hash).number())
            }));
            numbers.push(own);
            numbers.sort_unstable();
            numbers.dedup();
        }
        let mut numbers = numbers.into_iter();
        let first = shards[numbers.next().unwrap_or(own) as usize].stillness();
        Held { first, others: numbers.map(|number| shards[number as usize].stillness()).collect() }
    }

    /// Notes which items are not as they were.
    fn look_again(&mut self, map: &Local, pin: &Pin<'_>, held: &Held<'_>) {
        let store = map.store();
        for at in 0..self.items.len() {
            let item = &self.items[at];
            let is_same = match (item.seen, &item.key) {
                (Seen::Present { handle, version }, _) => store.shard(handle.shard).is_some_and(|shard| {
                    let tenant = shard.find_handle(handle, pin).filter(|tenant| tenant.is_version(version));
                    tenant.is_some_and(|tenant| is_alive(map, shard, tenant))
                }),
                (Seen::Absent, Some(key)) => {
                    let shard = store.shard_of(key.hash);
                    let tenant = shard.find_still(key.key(), key.hash as u32, &held.first);
                    tenant.is_none_or(|tenant| !is_alive(map, shard, tenant))
                }
                _ => true,
            };
            if !is_same {
                self.changed.push(at);
            }
        }
    }
}

fn is_alive(map: &Local, shard: &Shard, tenant: Tenant<'_>) -> bool {
    let context = &map.store().context;
    !context.may_expire() || shard.liveness(tenant, context) == Liveness::Alive
}
