//! Maps that an evaluation watches without holding them open.
//!
//! A watch has an id as an open map has, and refers to its map weakly: the map ends with its last holder. During a
//! visit the id is that of an open map, so that every operation that reads works on it. Before and after, operations
//! fail as those of a closed map do. JavaScript begins and ends a visit in one turn of its event loop, so it delays the
//! end of a map by no more than one look.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::{Arc, Weak};

use super::open_map::OpenMap;
use crate::store::{Level, Store, Subscription, Wake};

/// What an evaluation watches, by id.
#[derive(Default)]
pub struct Watched(RefCell<HashMap<u32, Watch>>);

struct Watch {
    store: Weak<Store>,
    /// Log lines of the map. The map has it during a visit.
    events: Option<Subscription>,
}

/// A watcher asks for log lines when it visits.
struct Unheard;

impl Wake for Unheard {
    fn wake(&self) {}
}

impl Watched {
    /// Watches a map as `id`, and its log lines of `level` and above that are about `targets` (their bits).
    pub fn add(&self, id: u32, store: &Arc<Store>, level: Level, targets: u32) {
        let subscribe = || store.listen(level, targets, false, Arc::new(Unheard));
        let watch = Watch { store: Arc::downgrade(store), events: (level != Level::Off).then(subscribe) };
        self.0.borrow_mut().insert(id, watch);
    }

    /// Whether this is the id of a watch.
    pub fn has(&self, id: u32) -> bool {
        self.0.borrow().contains_key(&id)
    }

    /// The map, for a visit; nothing if it has ended.
    pub fn visit(&self, id: u32) -> Option<OpenMap> {
        let mut watched = self.0.borrow_mut();
        let watch = watched.get_mut(&id)?;
        let store = watch.store.upgrade().filter(|store| !store.is_destroyed())?;
        let map = OpenMap::visit(&store);
        map.subscription.replace(watch.events.take());
        Some(map)
    }

    /// Takes back what the watch keeps when the visit ends.
    pub fn leave(&self, id: u32, map: &OpenMap) {
        let events = map.subscription.take();
        if let Some(watch) = self.0.borrow_mut().get_mut(&id) {
            watch.events = events;
        }
    }

    /// Ends a watch.
    pub fn remove(&self, id: u32) {
        let watch = self.0.borrow_mut().remove(&id);
        drop(watch);
    }
}
