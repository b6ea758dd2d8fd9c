//! What loom explores of commits: a thread reads two entries, natively or with a copy of the first, while another
//! commits a transaction that writes both.
//!
//! The reader's rules are those of `getMany` (`binding/operations/batch/`, `lib/entries/batch.js`): look at the commit
//! word, read, look again. If the word was even and says the same, both values are from before the commit or both from
//! after it. A look at the version word of a copy is a relaxed load, since JavaScript has no other.

use std::sync::atomic::AtomicU32;

use crate::store::platform::sync::{Arc, Ordering};
use crate::store::{Config, Key, Local, Stamp, Store, Target, Transaction, Ttl, Value, ValueKind};

const FIRST: Key<'static> = Key::string("first");
const SECOND: Key<'static> = Key::string("second");
const BEFORE: u8 = 1;
const AFTER: u8 = 2;
/// A model in which the threads meet has hundreds. With the reader in the main thread, which runs to its end first,
/// loom found nothing to try again, and every test passed.
const LEAST_EXECUTIONS: u32 = 100;

fn value(bytes: &[u8]) -> Value<'_> {
    Value { kind: ValueKind::Buffer, bytes }
}

/// A map with both entries, of one shard or two, as two threads use it.
fn explore(shards: u32, model: impl Fn(Local, Local) + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.max_branches = 20_000;
    let executions = Arc::new(AtomicU32::new(0));
    let ran = Arc::clone(&executions);
    builder.check(move || {
        ran.fetch_add(1, Ordering::Relaxed);
        let store = Store::new(&Config { shards: Some(shards), seed: Some(1), ..Config::default() }).unwrap();
        let (writer, reader) = (store.join(), store.join());
        for key in [FIRST, SECOND] {
            writer.set(key, value(&[BEFORE]), Ttl::Default).unwrap();
        }
        writer.commit_word().unwrap();
        model(writer, reader);
    });
    let executions = executions.load(Ordering::Relaxed);
    assert!(executions >= LEAST_EXECUTIONS, "{executions} executions explore nothing");
}

fn commit(map: &Local) {
    let mut transaction = Transaction::default();
    for key in [FIRST, SECOND] {
        transaction.set(map, Target::Key(key), value(&[AFTER]), Ttl::Default).unwrap();
    }
    transaction.commit(map).unwrap();
}

fn read(map: &Local, key: Key<'_>) -> (u8, Option<Stamp>) {
    let mut out = Vec::new();
    let found = map.get(key, &mut out).unwrap().unwrap();
    (out[0], found.place.stamp)
}

/// Whether a copy that was kept under this stamp is fresh.
fn is_fresh(map: &Local, stamp: Stamp) -> bool {
    let words = map.words(stamp.chunk()).unwrap();
    words.cells()[stamp.word() as usize].load(Ordering::Relaxed) == stamp.version()
}

#[test]
fn what_is_read_between_two_looks_at_the_word_is_no_half_of_a_commit() {
    for shards in [1, 2] {
        explore(shards, |writer, reader| {
            let thread = loom::thread::spawn(move || {
                if let Some(before) = reader.commits() {
                    let (first, second) = (read(&reader, FIRST).0, read(&reader, SECOND).0);
                    if reader.commits() == Some(before) {
                        assert_eq!(first, second);
                    }
                }
                reader
            });
            commit(&writer);
            let reader = thread.join().unwrap();
            assert_eq!((read(&reader, FIRST).0, read(&reader, SECOND).0), (AFTER, AFTER));
        });
    }
}

#[test]
fn nor_is_it_with_a_copy_that_is_fresh() {
    explore(2, |writer, reader| {
        let (copy, stamp) = read(&reader, FIRST);
        let stamp = stamp.unwrap();
        let thread = loom::thread::spawn(move || {
            if let Some(before) = reader.commits()
                && is_fresh(&reader, stamp)
            {
                let second = read(&reader, SECOND).0;
                if reader.commits() == Some(before) {
                    assert_eq!(copy, second);
                }
            }
            reader
        });
        commit(&writer);
        let reader = thread.join().unwrap();
        assert!(!is_fresh(&reader, stamp));
    });
}

/// Copies that are all fresh need no look at the word: the versions of all entries end before any of them changes.
#[test]
fn a_copy_of_before_a_commit_is_not_fresh_for_a_thread_that_has_read_after_it() {
    explore(2, |writer, reader| {
        let stamp = read(&reader, FIRST).1.unwrap();
        let thread = loom::thread::spawn(move || {
            if read(&reader, SECOND).0 == AFTER {
                assert!(!is_fresh(&reader, stamp));
            }
        });
        commit(&writer);
        thread.join().unwrap();
    });
}
