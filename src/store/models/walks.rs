//! What loom explores of walks: one thread has fetched a column of an entry ahead, the value here, and is to give it
//! later, while another changes the entry.
//!
//! The walker's rules are those of `binding/operations/walk.rs` and `lib/entries/iterators.js`: fetch with
//! [`Local::ahead`]; give the column while the word of the shard says what it said then, or else while the entry's
//! own word says the version that was read. Looks at both words are relaxed loads, since JavaScript has no other.
//!
//! What is asked for:
//!
//! * A column that was fetched before a change of its entry is not given once this thread has learnt of the change,
//!   whichever way: the new value was read, or the entry found gone, by key or by handle, or what the same writer did
//!   afterwards was seen.
//! * Nor is it once this thread has synchronised with the writer: what is given then is what the store has.
//! * Both hold from the first fetch on, although a writer may be at work that began before there were words, and
//!   another thread may have made them and still be waiting for that writer.
//! * What changes without the lock, an entry that a reader finds past its first deadline, is no exception.
//! * In a map that ended no column is given, whatever its writers were about to do.
//! * Where nothing changes, the word of the shard is enough.

use crate::store::platform::sync::{Arc, Ordering};
use crate::store::shard::Sought;
use crate::store::shard::member::Member;
use crate::store::slab::words::Words;
use crate::store::{Cause, Config, Handle, Key, Local, Stamp, Store, Ttl, Value, ValueKind};

const KEY: Key<'static> = Key::string("k");
const OTHER: Key<'static> = Key::string("other");

/// Values are single bytes that grow.
fn set(map: &Local, key: Key<'_>, byte: u8) -> Handle {
    let value = Value { kind: ValueKind::Buffer, bytes: &[byte] };
    map.set(key, value, Ttl::Default).unwrap().place.handle
}

/// What was fetched of the entry.
#[derive(Clone, Copy)]
struct Column {
    seen: u32,
    stamp: Option<Stamp>,
    value: u8,
}

/// A thread on a walk that has come to the entry.
struct Walker {
    map: Local,
    handle: Handle,
    /// Words of the shards.
    changes: Option<Arc<Words>>,
    column: Option<Column>,
}

impl Walker {
    /// Asks for the words before it fetches.
    fn ask(&mut self) {
        self.changes = self.map.changes().ok();
    }

    fn fetch(&mut self) {
        let (ahead, mut out) = (self.map.ahead(self.handle), Vec::new());
        let read = ahead.read_value(&mut out).ok().flatten();
        self.column = read.map(|(_, found)| Column { seen: ahead.seen(), stamp: found.place.stamp, value: out[0] });
    }

    /// Whether the word of the shard says that the column is fresh.
    fn is_told_by_shard(&self, column: &Column) -> bool {
        self.changes.as_ref().is_some_and(|words| words.cells()[0].load(Ordering::Relaxed) == column.seen)
    }

    /// The column, if it is fresh.
    fn given(&self) -> Option<u8> {
        let column = self.column?;
        if self.is_told_by_shard(&column) {
            return Some(column.value);
        }
        let stamp = column.stamp?;
        let words = self.map.words(stamp.chunk())?;
        let word = words.cells()[stamp.word() as usize].load(Ordering::Relaxed);
        (word == stamp.version()).then_some(column.value)
    }

    /// How new the entry is by its key: gone for good is newer than any value.
    fn age_by_key(&self) -> u8 {
        let mut out = Vec::new();
        self.map.peek(KEY, &mut out).unwrap().map_or(u8::MAX, |_| out[0])
    }

    /// The same by its handle.
    fn age_by_handle(&self) -> u8 {
        let mut out = Vec::new();
        self.map.peek(self.handle, &mut out).unwrap().map_or(u8::MAX, |_| out[0])
    }

    /// The same by what its writer did afterwards, which was to add an entry.
    fn age_by_later(&self) -> u8 {
        if self.map.has(OTHER).unwrap() { 2 } else { 1 }
    }

    /// Fetches, then learns how new the entry is: what is given is no older.
    fn walk(&mut self, learn: impl Fn(&Self) -> u8) {
        self.fetch();
        let seen = learn(self);
        if let Some(given) = self.given() {
            assert!(given >= seen, "the column says {given} after the store said {seen}");
        }
    }

    /// Once the writer is done, a column that is given is what the store has.
    fn agrees(&mut self) {
        if let Some(given) = self.given() {
            assert_eq!(given, self.age_by_key(), "a column that is stale for good");
        }
    }
}

type Change = fn(&Arc<Store>, &Local);

/// Explores one thread that runs `change` on an entry of value 1, and each of `walks` in a thread of its own.
fn explore<const N: usize>(has_words: bool, change: Change, walks: [fn(&mut Walker); N], after: fn(&mut Walker)) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(2);
    builder.check(move || {
        let config = Config { shards: Some(1), seed: Some(1), manual_clock: true, ..Config::default() };
        let store = Store::new(&config).unwrap();
        let writer = store.join();
        let handle = set(&writer, KEY, 1);
        let threads = walks.map(|walk| {
            let mut walker = Walker { map: store.join(), handle, changes: None, column: None };
            if has_words {
                walker.ask();
            }
            loom::thread::spawn(move || {
                walk(&mut walker);
                walker
            })
        });
        change(&store, &writer);
        for mut walker in threads.map(|thread| thread.join().unwrap()) {
            after(&mut walker);
        }
    });
}

fn replace(_: &Arc<Store>, writer: &Local) {
    set(writer, KEY, 2);
}

fn delete(_: &Arc<Store>, writer: &Local) {
    assert!(writer.delete(KEY).unwrap());
}

/// Takes everything out as `clear` does, and keeps it from being freed, which would need a thread.
fn detach(store: &Arc<Store>, _: &Local) {
    let participant = store.context.collector.join();
    let contents = store.all_shards()[0].detach(&Member::new(&store.context, &participant), Cause::Cleared);
    store.context.collector.leave(&participant);
    std::mem::forget(contents);
}

#[test]
fn a_column_is_not_given_once_its_entry_was_seen_to_change() {
    for change in [replace as Change, delete, detach] {
        explore(true, change, [|walker| walker.walk(Walker::age_by_key)], Walker::agrees);
        explore(true, change, [|walker| walker.walk(Walker::age_by_handle)], Walker::agrees);
    }
}

#[test]
fn a_column_is_not_given_once_a_later_change_was_seen() {
    let change: Change = |store, writer| {
        replace(store, writer);
        set(writer, OTHER, 1);
    };
    explore(true, change, [|walker| walker.walk(Walker::age_by_later)], Walker::agrees);
}

/// The writer began before there were words.
#[test]
fn words_that_are_asked_for_amid_a_change_miss_nothing_of_it() {
    let ask_and_walk = |walker: &mut Walker| {
        walker.ask();
        walker.walk(Walker::age_by_handle);
    };
    for change in [replace as Change, detach] {
        explore(false, change, [ask_and_walk], Walker::agrees);
    }
    // Another thread makes them.
    explore(false, replace, [ask_and_walk, Walker::ask], Walker::agrees);
}

/// An entry gets the first deadline of the map, and is past it once the column was fetched.
#[test]
fn a_column_is_not_given_once_its_entry_was_found_past_its_deadline() {
    let change: Change = |store, writer| {
        let handle = writer.place_of(KEY).unwrap().unwrap().handle;
        // By the shard: the map would start a thread for the deadline.
        let touched = store.all_shards()[0].touch(&writer.member(), Sought::Handle(handle), Ttl::Of(10));
        assert_eq!(touched, Ok(true));
    };
    let walk = |walker: &mut Walker| {
        walker.walk(|walker| {
            walker.map.store().context.clock.advance(10);
            walker.age_by_handle()
        });
    };
    explore(true, change, [walk], Walker::agrees);
}

/// A writer is amid a change when the map breaks: nothing that it settles is given.
#[test]
fn no_column_of_a_map_that_ended_is_given() {
    let breaks = |walker: &mut Walker| walker.map.store().context.mark_broken();
    let change: Change = |_, writer| {
        let value = Value { kind: ValueKind::Buffer, bytes: &[2] };
        // Refused, if the map has ended before.
        _ = writer.set(KEY, value, Ttl::Default).ok();
    };
    explore(true, change, [Walker::fetch, breaks], |walker| assert_eq!(walker.given(), None));
}

/// Where nothing changes, and after a change that was over when the walker fetched.
#[test]
fn a_column_is_given_by_the_word_of_its_shard_alone() {
    fn fetches(walker: &mut Walker) {
        walker.fetch();
        let column = walker.column.unwrap();
        assert!(walker.is_told_by_shard(&column) && column.value == walker.age_by_key());
    }
    explore(true, |_, _| (), [fetches], fetches);
    explore(true, replace, [|_| ()], fetches);
}
