//! The named maps that one thread has open.
//!
//! A thread holds a named map from its first `open` to an explicit close, or to its own end. A garbage collection must
//! not end it: programs open a map where they need it and forget the object. So when the last `open` of a name becomes
//! unreachable, the thread keeps it here, and the next `open` of that name takes its place.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use super::open_map::OpenMap;

/// How many maps that nothing can reach are kept before those among them that were destroyed are looked for.
const FIRST_SWEEP: usize = 16;

/// What one thread holds.
#[derive(Default)]
pub struct Holds {
    /// How often a named map is open in this thread, by its instance number.
    opens: RefCell<HashMap<u32, usize>>,
    /// Opens that nothing can reach any more, by name.
    unreachable: RefCell<HashMap<String, Rc<OpenMap>>>,
    /// How many remained in `unreachable` after the last sweep.
    swept: Cell<usize>,
}

impl Holds {
    /// Counts one more `open`, which takes the place of one that became unreachable.
    pub fn add(&self, map: &OpenMap) {
        let Some(name) = map.name() else { return };
        *self.opens.borrow_mut().entry(map.instance()).or_default() += 1;
        // Bound first, so that the map is dropped after the table is free again.
        let unreachable = self.unreachable.borrow_mut().remove(name);
        drop(unreachable);
    }

    /// Ends one `open` because its user said so.
    pub fn close(&self, map: &OpenMap) {
        if map.name().is_some() {
            self.count_down(map);
        }
    }

    /// Ends one `open` that became unreachable. The last one is kept.
    pub fn abandon(&self, map: Rc<OpenMap>) {
        let Some(name) = map.name() else { return };
        if self.count_down(&map) && !map.is_destroyed() {
            let name = name.to_owned();
            let before = self.unreachable.borrow_mut().insert(name, map);
            drop(before);
            self.sweep();
        }
    }

    /// Whether it was the last.
    fn count_down(&self, map: &OpenMap) -> bool {
        let mut opens = self.opens.borrow_mut();
        let Some(count) = opens.get_mut(&map.instance()) else { return false };
        *count -= 1;
        let was_last = *count == 0;
        if was_last {
            opens.remove(&map.instance());
        }
        was_last
    }

    /// Drops maps that other threads destroyed meanwhile, each time there are twice as many.
    fn sweep(&self) {
        let mut unreachable = self.unreachable.borrow_mut();
        if unreachable.len() < FIRST_SWEEP.max(2 * self.swept.get()) {
            return;
        }
        let destroyed: Vec<_> = unreachable.extract_if(|_, map| map.is_destroyed()).collect();
        self.swept.set(unreachable.len());
        drop(unreachable);
        drop(destroyed);
    }

    /// Maps that nothing can reach and the thread still holds.
    pub fn unreachable(&self) -> Vec<Rc<OpenMap>> {
        self.unreachable.borrow().values().map(Rc::clone).collect()
    }

    /// Drops everything, when the thread ends.
    pub fn end(&self) {
        let unreachable = self.unreachable.take();
        drop(unreachable);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Key, KeyKind, Ttl, Value, ValueKind, registry};

    const KEY: Key<'static> = Key::new(KeyKind::String, b"key");
    const VALUE: Value<'static> = Value { kind: ValueKind::String, bytes: b"value" };

    fn open(holds: &Holds, name: &str) -> Rc<OpenMap> {
        let map = Rc::new(OpenMap::open(Some(name.to_owned()), "{}").unwrap());
        holds.add(&map);
        map
    }

    fn is_known(name: &str) -> bool {
        registry::names().contains(&name.to_owned())
    }

    #[test]
    fn the_last_open_that_becomes_unreachable_is_kept_until_the_next() {
        let (holds, name) = (Holds::default(), "holds: unreachable");
        let map = open(&holds, name);
        map.local().set(KEY, VALUE, Ttl::Default).unwrap();
        holds.abandon(map);
        assert!(is_known(name));
        let next = open(&holds, name);
        assert!(next.local().has(KEY).unwrap());
        assert_eq!(next.store().stats().threads, 1, "it took the place of the first");
        holds.close(&next);
        drop(next);
        assert!(!is_known(name));
    }

    #[test]
    fn one_of_several_that_becomes_unreachable_holds_nothing() {
        let (holds, name) = (Holds::default(), "holds: several");
        let (one, other) = (open(&holds, name), open(&holds, name));
        holds.abandon(one);
        holds.close(&other);
        drop(other);
        assert!(!is_known(name));
    }

    #[test]
    fn a_close_leaves_the_hold_of_an_open_that_becomes_unreachable_later() {
        let (holds, name) = (Holds::default(), "holds: a close before");
        let (one, other) = (open(&holds, name), open(&holds, name));
        holds.close(&one);
        drop(one);
        holds.abandon(other);
        assert!(is_known(name));
        holds.end();
        assert!(!is_known(name));
    }

    #[test]
    fn maps_that_were_destroyed_are_not_kept() {
        let holds = Holds::default();
        let destroyed = open(&holds, "holds: destroyed");
        destroyed.store().destroy();
        holds.abandon(destroyed);
        assert_eq!(holds.unreachable.borrow().len(), 0);
        for number in 0..10 * FIRST_SWEEP {
            let map = open(&holds, &format!("holds: destroyed {number}"));
            let store = map.store().clone();
            holds.abandon(map);
            store.destroy();
            assert!(holds.unreachable.borrow().len() <= FIRST_SWEEP);
        }
        assert_eq!(holds.opens.borrow().len(), 0);
    }
}
