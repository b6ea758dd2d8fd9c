//! Names of the types of entries. Entries hold a number instead.
//!
//! A name is known as long as an entry has it, or a thread is about to insert one or to report one that was removed
//! ([`TypeHold`]). Numbers are not assigned twice, so an old number leads to its own name or to none. The last few
//! names without entries stay, because a program that inserts and removes one entry of a type does so again.
//!
//! Names come from users, so they are hashed with a secret key, bounded in length and in number, and counted as memory
//! of the map: a limit refuses them like everything else.

use std::collections::HashMap;

use crate::store::error::Error;
use crate::store::memory::budget::{Memory, Reservation, Use};
use crate::store::platform::fallible;
use crate::store::platform::sync::process::AtomicU64;
use crate::store::platform::sync::{Arc, Mutex, Ordering, RwLock};

/// The longest name.
pub const MAX_NAME_BYTES: usize = 4_096;
/// The most names at a time.
const MAX_TYPES: usize = 1 << 16;
/// Names without entries that stay.
const IDLE_TYPES: usize = 64;
/// What a name takes beside its bytes: itself twice, with counters, and half of what an allocator adds.
const NAME_BYTES: usize = size_of::<Named>() + 64;
/// What a place in both tables takes, with those that stay empty.
const PLACE_BYTES: usize = 2 * (size_of::<(Arc<str>, Arc<Named>)>() + size_of::<(u32, Arc<Named>)>() + 2);
/// Places of the first tables.
const FIRST_PLACES: usize = 8;

/// Refuses a name that is too long.
pub fn check_name(option: &'static str, bytes: usize, most: usize) -> Result<(), Error> {
    if bytes <= most {
        return Ok(());
    }
    let allowed = format!("a name of at most {most} bytes");
    Err(Error::InvalidOption { option, given: format!("one of {bytes} bytes"), allowed })
}

/// The types of one map.
#[derive(Debug)]
pub struct Types {
    table: RwLock<Table>,
    /// Numbers of types that lost their last entry; some may have got one again.
    idle: Mutex<Vec<u32>>,
}

#[derive(Debug)]
struct Table {
    by_name: HashMap<Arc<str>, Arc<Named>>,
    by_id: HashMap<u32, Arc<Named>>,
    /// Names that the tables have room for.
    room: usize,
    last_id: u32,
    held: Reservation,
}

#[derive(Debug)]
struct Named {
    id: u32,
    name: Arc<str>,
    /// Entries and holds.
    users: AtomicU64,
}

/// As long as this lives, its type is known.
#[derive(Debug)]
#[must_use = "without a hold, a type without entries may be forgotten"]
pub struct TypeHold {
    types: Arc<Types>,
    id: u32,
}

impl TypeHold {
    /// The type's number.
    pub fn id(&self) -> u32 {
        self.id
    }
}

impl Drop for TypeHold {
    fn drop(&mut self) {
        self.types.leave(self.id);
    }
}

impl Types {
    /// None yet.
    pub fn new(memory: &Arc<Memory>) -> Self {
        let table = Table {
            by_name: HashMap::new(),
            by_id: HashMap::new(),
            room: 0,
            last_id: 0,
            held: Reservation::empty(memory, Use::Types),
        };
        Self { table: RwLock::new(table), idle: Mutex::new(Vec::new()) }
    }

    /// The type of this name, which becomes known if it is not.
    pub fn hold(self: &Arc<Self>, name: &str) -> Result<TypeHold, Error> {
        if let Some(hold) = self.hold_known(name) {
            return Ok(hold);
        }
        check_name("type", name.len(), MAX_NAME_BYTES)?;
        let mut table = self.table.write();
        if let Some(hold) = self.hold_in(&table, name) {
            return Ok(hold);
        }
        let mut added = table.add(name);
        if added.is_err() {
            self.forget_idle(&mut table);
            added = table.add(name);
        }
        Ok(TypeHold { types: Arc::clone(self), id: added? })
    }

    /// The type of this name, if it is known.
    pub fn hold_known(self: &Arc<Self>, name: &str) -> Option<TypeHold> {
        self.hold_in(&self.table.read(), name)
    }

    /// Under the table's lock, so the type is not being forgotten.
    fn hold_in(self: &Arc<Self>, table: &Table, name: &str) -> Option<TypeHold> {
        let named = table.by_name.get(name)?;
        named.users.fetch_add(1, Ordering::Relaxed);
        Some(TypeHold { types: Arc::clone(self), id: named.id })
    }

    /// The same of a type that is known already. `None` for 0, which is no type.
    pub fn hold_again(self: &Arc<Self>, id: u32) -> Option<TypeHold> {
        (id != 0 && self.enter(id)).then(|| TypeHold { types: Arc::clone(self), id })
    }

    /// An entry of this type came. Whether the type is known.
    pub fn enter(&self, id: u32) -> bool {
        let table = self.table.read();
        let named = table.by_id.get(&id);
        named.inspect(|named| {
            named.users.fetch_add(1, Ordering::Relaxed);
        });
        named.is_some()
    }

    /// An entry was removed. A type that was never known is ignored.
    pub fn leave(&self, id: u32) {
        let less = |users: u64| users.checked_sub(1);
        let table = self.table.read();
        let Some(named) = table.by_id.get(&id) else { return };
        if named.users.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less) != Ok(1) {
            return;
        }
        drop(table);
        let mut idle = self.idle.lock();
        // Without memory to remember it, it stays known until an entry of it is inserted and removed again.
        let more = (IDLE_TYPES + 1).saturating_sub(idle.len()).max(1);
        if fallible::reserve(&mut idle, more).is_ok() {
            idle.push(id);
        }
        let is_crowded = idle.len() > IDLE_TYPES;
        drop(idle);
        if is_crowded {
            self.forget_idle(&mut self.table.write());
        }
    }

    fn forget_idle(&self, table: &mut Table) {
        for id in self.idle.lock().drain(..) {
            table.forget_if_unused(id);
        }
    }

    /// The number of a name, if it is known.
    #[cfg(test)]
    fn id(&self, name: &str) -> Option<u32> {
        self.table.read().by_name.get(name).map(|named| named.id)
    }

    /// The name of a number, if it is known.
    pub fn name(&self, id: u32) -> Option<Arc<str>> {
        self.table.read().by_id.get(&id).map(|named| Arc::clone(&named.name))
    }

    /// Bytes set aside, counted from what is there.
    pub fn bytes(&self) -> usize {
        let table = self.table.read();
        let names = table.by_id.values().map(|named| named.name.len() + NAME_BYTES).sum::<usize>();
        names + table.room * PLACE_BYTES
    }
}

impl Table {
    /// Adds a name with one user, and returns its number, or changes nothing.
    fn add(&mut self, name: &str) -> Result<u32, Error> {
        let refused = |what: &str| {
            let allowed = format!("at most {MAX_TYPES} types of entries at a time");
            Error::InvalidOption { option: "type", given: what.to_owned(), allowed }
        };
        if self.by_id.len() == MAX_TYPES {
            return Err(refused("one more"));
        }
        let id = self.last_id.checked_add(1).ok_or_else(|| refused("the last of four billion"))?;
        if self.by_id.len() == self.room {
            let more = self.room.max(FIRST_PLACES);
            self.held.grow(more * PLACE_BYTES)?;
            let grown = self.by_name.try_reserve(more).and_then(|()| self.by_id.try_reserve(more));
            if fallible::grant(more * PLACE_BYTES).is_err() || grown.is_err() {
                self.held.shrink(more * PLACE_BYTES);
                return Err(Error::OutOfMemory { bytes: (more * PLACE_BYTES) as u64 });
            }
            self.room += more;
        }
        self.held.grow(name.len() + NAME_BYTES)?;
        let name: Arc<str> = name.into();
        let named = Arc::new(Named { id, name: Arc::clone(&name), users: AtomicU64::new(1) });
        self.by_name.insert(name, Arc::clone(&named));
        self.by_id.insert(id, named);
        self.last_id = id;
        Ok(id)
    }

    fn forget_if_unused(&mut self, id: u32) {
        let is_unused = |named: &Arc<Named>| named.users.load(Ordering::Relaxed) == 0;
        if let Some(named) = self.by_id.get(&id).filter(|named| is_unused(named)).cloned() {
            self.by_id.remove(&id);
            self.by_name.remove(&named.name);
            let bytes = named.name.len() + NAME_BYTES;
            drop(named);
            self.held.shrink(bytes);
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn types(limit_bytes: Option<u64>) -> (Arc<Memory>, Arc<Types>) {
        let memory = Arc::new(Memory::new(limit_bytes));
        let types = Arc::new(Types::new(&memory));
        (memory, types)
    }

    #[test]
    fn a_name_is_known_as_long_as_it_is_used_and_a_number_never_comes_twice() {
        let (memory, types) = types(None);
        let first = types.hold("first").unwrap();
        let id = first.id();
        assert!(types.enter(id));
        drop(first);
        for n in 0..10_000 {
            assert_ne!(types.hold(&format!("other {n}")).unwrap().id(), id);
        }
        assert_eq!(types.name(id).as_deref(), Some("first"));
        assert_eq!((types.id("first"), types.id("other 1")), (Some(id), None));
        assert_eq!(memory.used(Use::Types), types.bytes() as u64);
        assert!(types.bytes() < 40_000, "{} bytes for {IDLE_TYPES} idle names", types.bytes());
        types.leave(id);
        for n in 0..100 {
            drop(types.hold(&format!("another {n}")).unwrap());
        }
        assert_eq!(types.name(id), None);
        assert_ne!(types.hold("first").unwrap().id(), id);
        // A name that is not known is ignored.
        types.leave(id);
        assert!(!types.enter(id) && types.hold_again(0).is_none());
        drop(types);
        assert_eq!(memory.total(), 0);
    }

    #[test]
    fn names_are_bounded_in_length_in_number_and_by_the_limit() {
        let (memory, unlimited) = types(None);
        assert!(unlimited.hold(&"t".repeat(MAX_NAME_BYTES)).is_ok());
        let too_long = unlimited.hold(&"t".repeat(MAX_NAME_BYTES + 1)).unwrap_err();
        assert!(matches!(too_long, Error::InvalidOption { option: "type", .. }));
        let holds: Vec<_> = (0..MAX_TYPES).map_while(|n| unlimited.hold(&n.to_string()).ok()).collect();
        assert_eq!(holds.len(), MAX_TYPES);
        assert!(matches!(unlimited.hold("one more"), Err(Error::InvalidOption { option: "type", .. })));
        assert_eq!(memory.used(Use::Types), unlimited.bytes() as u64);

        let (memory, limited) = types(Some(20_000));
        let holds: Vec<_> = (0..100).map_while(|n| limited.hold(&format!("{n:01000}")).ok()).collect();
        assert!(holds.len() > 5 && holds.len() < 20);
        assert!(matches!(limited.hold(&"x".repeat(1_000)), Err(Error::MemoryLimit { .. })));
        drop(holds);
        // An unused name makes room.
        assert!(limited.hold(&"x".repeat(1_000)).is_ok());
        assert!(memory.total() <= 20_000);
    }
}
