//! The named maps of the process.

use std::collections::HashMap;

use super::store::Store;
use crate::store::config::Config;
use crate::store::error::Error;
use crate::store::events::lines;
use crate::store::options::{MapOption, OPTIONS, Setting};
use crate::store::platform::fallible;
use crate::store::platform::sync::Arc;
use crate::store::platform::sync::process::Mutex;

/// The longest name: names are no part of any map's memory.
const MAX_NAME_BYTES: usize = 1 << 16;

struct Named {
    store: Arc<Store>,
    holders: usize,
}

static REGISTRY: Mutex<Option<HashMap<String, Named>>> = Mutex::new(None);

/// The map of this name, made if there is none. What `given` asks for must be what the map was made with; of limits,
/// those that hold now will do as well. Each success is paired with one [`release`].
pub fn open(name: &str, given: &Config) -> Result<Arc<Store>, Error> {
    crate::store::entry::types::check_name("name", name.len(), MAX_NAME_BYTES)?;
    let mut guard = REGISTRY.lock();
    let registry = guard.get_or_insert_with(HashMap::new);
    if let Some(named) = registry.get_mut(name).filter(|named| !named.store.is_destroyed()) {
        compare(given, &named.store)?;
        named.holders += 1;
        let (store, holders) = (Arc::clone(&named.store), named.holders);
        drop(guard);
        store.events().log(&lines::MAP_OPENED, &[("opens", holders as u64)]);
        return Ok(store);
    }
    let owned = fallible::text(name)?;
    registry.try_reserve(1).map_err(|_| Error::OutOfMemory { bytes: size_of::<(String, Named)>() as u64 })?;
    let store = Store::new(given)?;
    registry.insert(owned, Named { store: Arc::clone(&store), holders: 1 });
    Ok(store)
}

/// Releases a map that [`open`] returned. The last holder's release forgets the name.
pub fn release(name: &str, store: &Arc<Store>) {
    let mut guard = REGISTRY.lock();
    let Some(registry) = guard.as_mut() else { return };
    // A map that was destroyed may have lost its name to a new one.
    let Some(named) = registry.get_mut(name).filter(|named| Arc::ptr_eq(&named.store, store)) else { return };
    named.holders -= 1;
    let holders = named.holders;
    if holders == 0 {
        registry.remove(name);
    }
    drop(guard);
    store.events().log(&lines::MAP_CLOSED, &[("opens", holders as u64)]);
}

/// The map of this name, if it is held. What gets it becomes no holder: it must not keep it for longer than one look.
pub fn find(name: &str) -> Option<Arc<Store>> {
    let registry = REGISTRY.lock();
    let named = registry.as_ref()?.get(name).filter(|named| !named.store.is_destroyed())?;
    Some(Arc::clone(&named.store))
}

/// The maps that are held, with their names, in alphabetical order. Not to be kept either.
pub fn all() -> Vec<(String, Arc<Store>)> {
    let registry = REGISTRY.lock();
    let living = registry.iter().flatten().filter(|(_, named)| !named.store.is_destroyed());
    let mut maps: Vec<_> = living.map(|(name, named)| (name.clone(), Arc::clone(&named.store))).collect();
    drop(registry);
    maps.sort_by(|(one, _), (other, _)| one.cmp(other));
    maps
}

/// Names of the maps that are held, in alphabetical order.
pub fn names() -> Vec<String> {
    let registry = REGISTRY.lock();
    let living = registry.iter().flatten().filter(|(_, named)| !named.store.is_destroyed());
    let mut names: Vec<String> = living.map(|(name, _)| name.clone()).collect();
    names.sort();
    names
}

/// Names the first option that was given and differs. A limit may have been changed since the map was made: a program
/// that repeats the first limits is right, and so is one that passes the present ones.
fn compare(given: &Config, store: &Store) -> Result<(), Error> {
    let existing = store.config();
    let present = Config {
        memory_limit_bytes: store.memory_limit_bytes(),
        max_entries: store.max_entries(),
        max_value_bytes: store.max_value_bytes(),
        ..existing.clone()
    };
    // Keys that a thread does not normalise would be other ones than those of the other threads.
    if existing.normalises_keys && !given.normalises_keys {
        let (given, existing) = (Setting::None.to_string(), Setting::Function.to_string());
        return Err(Error::OptionMismatch { option: "normalizeKey", given, existing });
    }
    // Rounded and clamped as the map's own were.
    let asked = given.normalised();
    for MapOption { name, get, .. } in &OPTIONS {
        if get(given).is_none() {
            continue;
        }
        let of = |config| get(config).unwrap_or(Setting::None);
        if of(&asked) != of(existing) && of(&asked) != of(&present) {
            let (given, existing) = (of(&asked).to_string(), of(&present).to_string());
            return Err(Error::OptionMismatch { option: name, given, existing });
        }
    }
    Ok(())
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::store::config::NONE;
    use crate::store::platform::fallible::failures;
    use crate::store::shard::context::Limits;

    #[test]
    fn a_name_is_one_map_until_its_last_holder_leaves() {
        let (first, second) = (open("r1", &Config::default()).unwrap(), open("r1", &Config::default()).unwrap());
        assert!(Arc::ptr_eq(&first, &second));
        assert!(names().contains(&"r1".to_owned()));
        release("r1", &first);
        assert!(names().contains(&"r1".to_owned()));
        release("r1", &second);
        assert!(!names().contains(&"r1".to_owned()));
    }

    #[test]
    fn a_map_that_cannot_be_made_leaves_no_name() {
        let config = Config { shards: Some(64), ..Config::default() };
        for nth in 1.. {
            let (made, was_refused) = failures::refuse_nth(nth, || open("r6", &config));
            let Ok(store) = made else {
                assert!(matches!(made, Err(Error::OutOfMemory { .. })) && was_refused);
                assert!(!names().contains(&"r6".to_owned()));
                continue;
            };
            assert!(!was_refused && nth > 2, "the name and the shards are refused");
            release("r6", &store);
            break;
        }
    }

    #[test]
    fn an_option_that_differs_is_named() {
        let config = Config { shards: Some(3), max_entries: Some(5_000), ..Config::default() };
        let store = open("r2", &config).unwrap();
        let same = open("r2", &Config { shards: Some(4), ..Config::default() }).unwrap();
        release("r2", &same);
        let refused = open("r2", &Config { max_entries: Some(6_000), ..Config::default() }).err();
        let (given, existing) = ("6000".to_owned(), "5000".to_owned());
        assert_eq!(refused, Some(Error::OptionMismatch { option: "maxEntries", given, existing }));
        release("r2", &store);
    }

    #[test]
    fn a_limit_that_is_none_differs_from_one_that_is_there() {
        let none = Config { max_entries: Some(NONE), ttl_ms: Some(NONE), ..Config::default() };
        let store = open("r4", &none).unwrap();
        release("r4", &open("r4", &none).unwrap());
        release("r4", &store);
        let store = open("r4", &Config { ttl_ms: Some(5), ..Config::default() }).unwrap();
        let (given, existing) = ("none".to_owned(), "5".to_owned());
        assert_eq!(open("r4", &none).err(), Some(Error::OptionMismatch { option: "ttl", given, existing }));
        release("r4", &store);
    }

    #[test]
    fn limits_that_were_changed_are_compared_as_they_were_and_as_they_are() {
        let limits = |entries, bytes| Config { max_entries: entries, max_value_bytes: bytes, ..Config::default() };
        let store = open("r5", &limits(Some(10), Some(100))).unwrap();
        let changed = Limits {
            max_entries: Some(Some(20)),
            max_value_bytes: Some(None),
            memory_limit_bytes: Some(Some(1 << 20)),
        };
        store.set_limits(&changed).unwrap();
        let memory = |bytes| Config { memory_limit_bytes: Some(bytes), ..Config::default() };
        for same in [limits(Some(10), Some(100)), limits(Some(20), None), limits(Some(20), Some(100)), memory(1 << 20)]
        {
            assert!(open("r5", &same).is_ok(), "{same:?}");
            release("r5", &store);
        }
        let refused = open("r5", &limits(Some(30), None)).err();
        let (given, existing) = ("30".to_owned(), "20".to_owned());
        assert_eq!(
            refused,
            Some(Error::OptionMismatch { option: "maxEntries", given, existing }),
            "what holds now is named"
        );
        assert!(open("r5", &memory(1 << 21)).is_err());
        release("r5", &store);
    }

    #[test]
    fn what_finds_a_map_holds_no_name() {
        assert!(find("r7").is_none());
        let store = open("r7", &Config::default()).unwrap();
        let found = find("r7").unwrap();
        assert!(Arc::ptr_eq(&found, &store));
        release("r7", &store);
        assert!(find("r7").is_none());
        let other = open("r7", &Config::default()).unwrap();
        assert!(!Arc::ptr_eq(&found, &other));
        other.destroy();
        assert!(find("r7").is_none());
        release("r7", &other);
    }

    #[test]
    fn a_destroyed_map_frees_its_name() {
        let first = open("r3", &Config::default()).unwrap();
        first.destroy();
        assert!(!names().contains(&"r3".to_owned()));
        let second = open("r3", &Config::default()).unwrap();
        assert!(!Arc::ptr_eq(&first, &second));
        release("r3", &first);
        assert!(names().contains(&"r3".to_owned()));
        release("r3", &second);
    }
}
