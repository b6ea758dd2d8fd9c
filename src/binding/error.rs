//! Failures of the binding, and how one becomes an exception: the store's error gives a number and details, and the
//! function that JavaScript attached makes the error object of them. The texts are all in JavaScript.

use std::any::Any;
use std::cell::RefCell;
use std::sync::Once;

use napi::sys;
use serde_json::{Value as Json, json};

use super::call::Engine;
use super::evaluation::Evaluation;
use super::map::OpenMap;
use crate::store::{Error, Store};

/// What the functions of the binding return.
pub type Outcome<T> = Result<T, Failure>;

/// Why a call has no result.
#[derive(Debug)]
pub enum Failure {
    /// The store said no.
    Store(Error),
    /// The argument cannot be a key; `given` is what `typeof` calls it.
    KeyType {
        /// What it is instead.
        given: &'static str,
    },
    /// JavaScript in this package called an operation in a way that it never should.
    Misuse(&'static str),
    /// The engine refused a call, with this status.
    Engine(sys::napi_status),
    /// JavaScript threw; the exception is on its way already.
    Pending,
    /// Rust panicked, with this message.
    Panic(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

thread_local! {
    /// Message and place of the last panic of this thread, for the error that it becomes.
    static LAST_PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Keeps the message of a panic for the exception, where Rust would print it: a library does not write to stderr. The
/// hook is that of this addon's own copy of the standard library, nobody else's.
pub fn capture_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        std::panic::set_hook(Box::new(|panic| {
            let message = format!("{panic}");
            // A thread whose locals are gone has nobody to tell either.
            drop(LAST_PANIC.try_with(|last| last.replace(Some(message))));
        }));
    });
}

impl Failure {
    /// The failure that a caught panic is.
    pub fn from_panic(payload: &(dyn Any + Send)) -> Self {
        let captured = LAST_PANIC.with(RefCell::take);
        let from_payload = || {
            let text = payload.downcast_ref::<&str>().copied();
            text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("unknown").to_owned()
        };
        Self::Panic(captured.unwrap_or_else(from_payload))
    }
}

/// What `details` of the JavaScript error holds. The store of the map, where there is one, knows the names of types.
pub fn details(error: &Error, store: Option<&Store>) -> Json {
    let type_name = |id: u32| store.and_then(|store| store.type_name(id)).map(|name| name.to_string());
    match error {
        Error::GenerationMismatch { given, found } => json!({ "given": given, "found": found }),
        Error::InvalidShardIndex { shard, shards } => json!({ "shard": shard, "shards": shards }),
        Error::WrongType { expected, found } => {
            json!({ "expected": type_name(*expected), "found": type_name(*found) })
        }
        Error::MemoryLimit { requested_bytes, used_bytes, limit_bytes } => {
            json!({ "requestedBytes": requested_bytes, "usedBytes": used_bytes, "limitBytes": limit_bytes })
        }
        Error::EntryLimit { limit } => json!({ "limitEntries": limit }),
        Error::ValueTooLarge { bytes, limit_bytes } => json!({ "bytes": bytes, "limitBytes": limit_bytes }),
        Error::OutOfMemory { bytes } => json!({ "bytes": bytes }),
        Error::InvalidOption { option, given, allowed } => {
            json!({ "option": option, "given": given, "allowed": allowed })
        }
        Error::Unbounded => json!({ "option": "limits" }),
        Error::OptionMismatch { option, given, existing } => {
            json!({ "option": option, "given": given, "existing": existing })
        }
        _ => json!({}),
    }
}

impl Evaluation {
    /// Throws what `failure` is. The store told those who listen of what it refused; of a panic it could not.
    #[cold]
    pub fn throw(&self, engine: Engine<'_>, failure: Failure, map: Option<&OpenMap>, operation: &'static str) {
        let store = map.map(|map| map.store().as_ref());
        let (number, details) = match failure {
            Failure::Store(error) => (error.code(), details(&error, store)),
            Failure::KeyType { given } => (1011, json!({ "argument": "key", "given": given })),
            Failure::Panic(panic) if map.is_some_and(OpenMap::is_broken) => {
                if let Some(store) = store {
                    store.events().error(&Error::Broken, operation);
                }
                (Error::Broken.code(), json!({ "panic": panic }))
            }
            Failure::Panic(panic) => return engine.throw_plain("ERR_INTERNAL", &format!("{operation}: {panic}")),
            Failure::Misuse(what) => return engine.throw_plain("ERR_INTERNAL", &format!("{operation}: {what}")),
            Failure::Engine(status) => {
                return engine.throw_plain("ERR_INTERNAL", &format!("{operation}: Node-API gave status {status}"));
            }
            Failure::Pending => return,
        };
        let thrown = self.make_error(engine, number, &details.to_string()).map(|error| engine.throw(error));
        // A `makeError` that threw has thrown. One that could not be called leaves it to us.
        if let Err(Failure::Engine(_) | Failure::Misuse(_)) = thrown {
            engine.throw_plain(&format!("ERR_{number}"), &format!("{operation}: {details}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_name_their_units() {
        let error = Error::MemoryLimit { requested_bytes: 3, used_bytes: 9, limit_bytes: 10 };
        assert_eq!(details(&error, None), json!({ "requestedBytes": 3, "usedBytes": 9, "limitBytes": 10 }));
        assert_eq!(details(&Error::Closed, None), json!({}));
    }

    #[test]
    fn a_panic_keeps_its_message() {
        let payload = std::panic::catch_unwind(|| panic!("slot {} is odd", 7)).unwrap_err();
        match Failure::from_panic(payload.as_ref()) {
            Failure::Panic(message) => assert!(message.contains("slot 7 is odd"), "{message}"),
            other => unreachable!("{other:?}"),
        }
    }
}
