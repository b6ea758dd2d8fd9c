//! What loom explores of copies outside the store: one thread changes an entry while another reads it in both ways,
//! natively and from a copy that it kept, as JavaScript does.
//!
//! The reader's rules are those of `lib/near/near-cache.js`: keep what came with a stamp; take the copy while the word
//! says the stamp's version. Its look at the word is a relaxed load, since JavaScript has no other.

use crate::store::platform::sync::{Arc, Ordering};
use crate::store::shard::member::Member;
use crate::store::slab::words::Words;
use crate::store::{Cause, Config, Handle, Key, Local, Stamp, Store, Ttl, Value, ValueKind, Written};

const KEY: &str = "k";

fn value(bytes: &[u8]) -> Value<'_> {
    Value { kind: ValueKind::Buffer, bytes }
}

fn set(map: &Local, bytes: &[u8]) -> Written {
    map.set(Key::string(KEY), value(bytes), Ttl::Default).unwrap()
}

/// A thread with a near cache for one entry, whose values are single bytes that grow.
struct Reader {
    map: Local,
    words: Arc<Words>,
    copy: Option<(Stamp, u8)>,
    handle: Handle,
}

impl Reader {
    /// Begins with a fresh copy of value 1.
    fn new(map: Local, first: &Written) -> Self {
        let stamp = first.place.stamp.unwrap();
        let words = map.words(stamp.chunk()).unwrap();
        Self { map, words, copy: Some((stamp, 1)), handle: first.place.handle }
    }

    /// Begins without a copy, and has been given no words.
    fn without_words(map: Local, first: &Written) -> Self {
        let words = Arc::new(Words::new(0, &map.store().context.memory).unwrap());
        Self { map, words, copy: None, handle: first.place.handle }
    }

    /// The copy, if it is fresh.
    fn near(&self) -> Option<u8> {
        let (stamp, value) = self.copy?;
        let word = self.words.cells()[stamp.word() as usize].load(Ordering::Relaxed);
        (word == stamp.version()).then_some(value)
    }

    /// The value in the store, which is kept if it may be.
    fn native(&mut self) -> Option<u8> {
        let mut out = Vec::new();
        let found = self.map.get(Key::string(KEY), &mut out).ok()??;
        if let Some(stamp) = found.place.stamp {
            self.copy = Some((stamp, out[0]));
        }
        Some(out[0])
    }

    /// The value in the store; no copy is touched.
    fn peek(&self) -> Option<u8> {
        let mut out = Vec::new();
        self.map.peek(Key::string(KEY), &mut out).ok()??;
        Some(out[0])
    }
}

/// How new an answer is of an entry that is written and then gone for good: gone is newer than any value.
fn age(answer: Option<u8>) -> u8 {
    answer.unwrap_or(u8::MAX)
}

/// One thread runs `change`, while a reader with a copy of value 1 runs `read`, and then `after` once both are done.
fn explore(
    change: impl Fn(&Arc<Store>, &Local) + Sync + Send + Copy + 'static,
    read: impl Fn(&mut Reader) + Sync + Send + Copy + 'static,
    after: impl Fn(&mut Reader) + Sync + Send + Copy + 'static,
) {
    explore_from(Reader::new, change, read, after);
}

/// The same with a reader that begins in another way.
fn explore_from(
    begin: fn(Local, &Written) -> Reader,
    change: impl Fn(&Arc<Store>, &Local) + Sync + Send + Copy + 'static,
    read: impl Fn(&mut Reader) + Sync + Send + Copy + 'static,
    after: impl Fn(&mut Reader) + Sync + Send + Copy + 'static,
) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(move || {
        let config = Config { shards: Some(1), seed: Some(1), ..Config::default() };
        let store = Store::new(&config).unwrap();
        let writer = store.join();
        let first = set(&writer, &[1]);
        let mut reader = begin(store.join(), &first);
        let thread = loom::thread::spawn(move || {
            read(&mut reader);
            reader
        });
        change(&store, &writer);
        let mut reader = thread.join().unwrap();
        after(&mut reader);
    });
}

/// Native, near, and both again: each answer is at least as new as the one before.
fn time_goes_on(reader: &mut Reader) {
    let seen = age(reader.peek());
    // Nothing fresh is no answer.
    if let Some(near) = reader.near() {
        assert!(near >= seen, "the copy says {near} after the store said {seen}");
    }
    let kept = age(reader.native());
    assert!(kept >= seen);
    let seen = age(reader.peek());
    assert!(seen >= kept);
    if let Some(near) = reader.near() {
        assert!(near >= seen, "what was kept says {near} after the store said {seen}");
    }
}

/// Once both are done, the store and the copy agree.
fn agrees(reader: &mut Reader) {
    let truth = reader.peek();
    assert!(reader.near().is_none_or(|near| Some(near) == truth), "a copy that is stale for good");
}

#[test]
fn time_goes_on_while_a_value_is_replaced() {
    explore(|_, writer| _ = set(writer, &[2]), time_goes_on, agrees);
}

#[test]
fn time_goes_on_while_an_entry_is_deleted() {
    let delete = |_: &Arc<Store>, writer: &Local| assert!(writer.delete(Key::string(KEY)).unwrap());
    explore(delete, time_goes_on, agrees);
    let delete = |_: &Arc<Store>, writer: &Local| assert!(writer.delete(Key::string(KEY)).unwrap());
    // By `has`, which looks no further than whether it is there.
    let has = |reader: &mut Reader| {
        if !reader.map.has(Key::string(KEY)).unwrap() {
            assert_eq!(reader.near(), None);
        }
    };
    explore(delete, has, agrees);
}

/// Takes everything out as `clear` does, and keeps it from being freed, which would need a thread.
fn detach(store: &Arc<Store>, writer: &Local) {
    let participant = store.context.collector.join();
    let contents = store.all_shards()[0].detach(&Member::new(&store.context, &participant), Cause::Cleared);
    store.context.collector.leave(&participant);
    let _ = writer;
    // A reader may be looking at it until the end of the model.
    std::mem::forget(contents);
}

#[test]
fn time_goes_on_while_a_map_is_cleared() {
    explore(detach, time_goes_on, agrees);
}

#[test]
fn a_read_amid_a_clear_keeps_nothing_for_good() {
    explore(
        detach,
        |reader| _ = reader.native(),
        |reader| {
            assert_eq!(reader.near(), None);
            assert_eq!(reader.peek(), None);
        },
    );
}

/// A thread asks for the words only after it has read, while the map is cleared or destroyed.
#[test]
fn words_that_are_asked_for_amid_a_clear_keep_nothing_fresh() {
    let ask = |reader: &mut Reader| {
        let mut out = Vec::new();
        let found = reader.map.get(Key::string(KEY), &mut out).ok().flatten();
        reader.copy = found.and_then(|found| found.place.stamp).map(|stamp| (stamp, out[0]));
        let words = reader.copy.and_then(|(stamp, _)| reader.map.words(stamp.chunk()));
        reader.copy = reader.copy.filter(|_| words.is_some());
        if let Some(words) = words {
            reader.words = words;
        }
    };
    let gone = |reader: &mut Reader| assert_eq!(reader.near(), None);
    for ends in [false, true] {
        explore_from(
            Reader::without_words,
            move |store, writer| {
                if ends {
                    assert!(store.context.destroy());
                } else {
                    detach(store, writer);
                }
            },
            ask,
            gone,
        );
    }
}

/// The writer is in the middle of a change when the map breaks in another shard.
#[test]
fn no_copy_of_a_broken_map_is_fresh() {
    explore(
        |_, writer| _ = writer.set(Key::string(KEY), value(&[2]), Ttl::Default),
        |reader| {
            reader.map.store().context.mark_broken();
        },
        |reader| {
            let word = reader.copy.unwrap().0.word() as usize;
            assert_eq!(reader.words.cells()[word].load(Ordering::Relaxed), 0);
        },
    );
}

/// The place that comes with a read is that of the entry that was read, whichever entry has the slot next.
#[test]
fn a_place_names_the_tenant_that_was_read() {
    explore(
        |_, writer| {
            writer.delete(Key::string(KEY)).unwrap();
            writer.set(Key::string("other"), value(&[9]), Ttl::Default).unwrap();
        },
        |reader| {
            if let Some(place) = reader.map.place_of(Key::string(KEY)).unwrap() {
                assert_eq!(place.handle, reader.handle);
            }
        },
        |_| (),
    );
}

/// A handle reads nothing any more once its key was not found, nor the other way around.
fn gone_is_gone(reader: &mut Reader) {
    let mut out = Vec::new();
    if reader.peek().is_none() {
        assert_eq!(reader.map.peek(reader.handle, &mut out).unwrap(), None, "the key was gone");
    }
    if reader.map.peek(reader.handle, &mut out).unwrap().is_none() {
        assert_eq!(reader.peek(), None, "the handle was dead");
    }
}

#[test]
fn an_entry_is_gone_for_its_key_and_its_handle_at_once() {
    explore(|_, writer| _ = writer.delete(Key::string(KEY)), gone_is_gone, agrees);
    explore(detach, gone_is_gone, agrees);
}
