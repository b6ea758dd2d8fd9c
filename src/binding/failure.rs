//! Why a call of the binding has no result, panics included.

use std::any::Any;
use std::cell::RefCell;
use std::sync::Once;

use napi::sys;

use crate::store::{Error, Fault, NoQuery};

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
    /// The query is none.
    Query(Fault),
    /// JavaScript in this package called an operation in a way that it never should.
    Misuse(&'static str),
    /// The engine refused a call, with this status.
    Engine(sys::napi_status),
    /// JavaScript threw; the exception is on its way already.
    Pending,
    /// Rust panicked, with this message.
    Panic(String),
}

impl From<NoQuery> for Failure {
    fn from(why: NoQuery) -> Self {
        match why {
            NoQuery::Fault(fault) => Self::Query(fault),
            NoQuery::Refused(error) => Self::Store(error),
        }
    }
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
/// hook is that of this addon's own copy of the standard library only.
pub fn capture_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        std::panic::set_hook(Box::new(|panic| {
            let message = format!("{panic}");
            // A thread whose locals are gone cannot report it either.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_keeps_its_message() {
        let payload = std::panic::catch_unwind(|| panic!("slot {} is odd", 7)).unwrap_err();
        match Failure::from_panic(payload.as_ref()) {
            Failure::Panic(message) => assert!(message.contains("slot 7 is odd"), "{message}"),
            other => unreachable!("{other:?}"),
        }
    }
}
