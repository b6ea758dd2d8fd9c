//! The bit of a map's total and the count of the process, while the limit changes. Each model is about one race.

use loom::thread;

use crate::store::events::Events;
use crate::store::memory::budget::{Memory, Reservation, Use};
use crate::store::memory::marks::Gauged;
use crate::store::memory::process::ProcessMemory;
use crate::store::platform::sync::Arc;

fn map() -> (Arc<Memory>, Arc<ProcessMemory>) {
    let memory = Memory::of_process(None, Events::new());
    let process = Arc::clone(memory.process());
    (memory, process)
}

#[test]
fn bytes_that_are_reserved_while_a_limit_is_set_are_counted_once() {
    loom::model(|| {
        let (memory, process) = map();
        let other = Arc::clone(&memory);
        let reserving = thread::spawn(move || Reservation::new(&other, Use::Entries, 10));
        process.set_limit(Some(15));
        let reserved = reserving.join().unwrap();
        assert!(reserved.is_ok(), "there is room at any time");
        assert_eq!((memory.total(), process.used_bytes()), (10, 10));
        drop(reserved);
        assert_eq!((memory.total(), process.used_bytes()), (0, 0));
    });
}

#[test]
fn bytes_that_are_released_while_a_limit_is_set_are_released_once() {
    loom::model(|| {
        let (memory, process) = map();
        let reserved = Reservation::new(&memory, Use::Entries, 10).unwrap();
        let releasing = thread::spawn(move || drop(reserved));
        process.set_limit(Some(15));
        releasing.join().unwrap();
        assert_eq!((memory.total(), process.used_bytes()), (0, 0));
    });
}

#[test]
fn nothing_is_left_of_a_limit_that_is_removed_meanwhile() {
    loom::model(|| {
        let (memory, process) = map();
        process.set_limit(Some(15));
        let other = Arc::clone(&memory);
        let reserving = thread::spawn(move || Reservation::new(&other, Use::Entries, 10));
        process.set_limit(None);
        let reserved = reserving.join().unwrap();
        assert_eq!((memory.total(), process.used_bytes()), (10, 0));
        drop(reserved);
        assert_eq!((memory.total(), process.used_bytes()), (0, 0));
    });
}

#[test]
fn one_of_two_that_do_not_fit_together_is_refused_once_a_limit_is_set() {
    loom::model(|| {
        let (memory, process) = map();
        process.set_limit(Some(15));
        let other = Arc::clone(&memory);
        let reserving = thread::spawn(move || Reservation::new(&other, Use::Entries, 10));
        let own = Reservation::new(&memory, Use::Entries, 10);
        let theirs = reserving.join().unwrap();
        assert!(own.is_ok() != theirs.is_ok());
        assert_eq!((memory.total(), process.used_bytes()), (10, 10));
    });
}
