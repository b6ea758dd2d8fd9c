//! When copies of values may be kept outside the store, and what ends them.

use std::sync::atomic::Ordering;
use std::thread;

use super::*;
use crate::store::expiry::thread::Expires;
use crate::store::map::store::Store;
use crate::store::platform::background;
use crate::store::slab::location::EntryLocation;

const KEY: Key<'_> = Key::new(KeyKind::String, b"k");

fn manual(config: &Config) -> (Arc<Store>, Local) {
    let store = Store::new(&Config { manual_clock: true, shards: Some(1), ..config.clone() }).unwrap();
    let map = store.join();
    (store, map)
}

/// Where `get` says the entry is.
fn place(map: &Local) -> EntryLocation {
    map.get(KEY, &mut Vec::new()).unwrap().unwrap().place
}

/// Whether a copy that was kept by this stamp is fresh, as JavaScript finds out.
fn is_fresh(map: &Local, stamp: Stamp) -> bool {
    let words = map.words(stamp.chunk()).unwrap();
    words.cells()[stamp.word() as usize].load(Ordering::Relaxed) == stamp.version()
}

#[test]
fn a_first_deadline_ends_copies_where_hits_depend_on_it() {
    let sliding = Config { sliding: Some(true), ttl_ms: Some(60_000), ..Config::default() };
    let strict = Config { strict_ttl: Some(true), ..Config::default() };
    for config in [sliding, strict] {
        let (_store, map) = manual(&config);
        map.set(KEY, bytes_value(b"v"), Ttl::Never).unwrap();
        let stamp = place(&map).stamp.unwrap();
        assert!(map.touch(KEY, Ttl::Never).unwrap());
        assert!(is_fresh(&map, stamp), "there still is no deadline");
        assert!(map.touch(KEY, Ttl::Of(100)).unwrap());
        assert!(!is_fresh(&map, stamp));
        assert_eq!(place(&map).stamp, None);
        // Without one again, copies may be kept again.
        assert!(map.touch(KEY, Ttl::Never).unwrap());
        assert!(is_fresh(&map, place(&map).stamp.unwrap()));
    }
}

#[test]
fn without_a_thread_that_ends_them_no_copies_are_kept_of_what_has_a_deadline() {
    let (store, map) = manual(&Config::default());
    background::refuse(true);
    let written = map.set(KEY, bytes_value(b"1"), Ttl::Of(1_000)).unwrap();
    assert_eq!((written.place.stamp, place(&map).stamp), (None, None));
    map.set(KEY, bytes_value(b"2"), Ttl::Never).unwrap();
    let stamp = place(&map).stamp.unwrap();
    assert!(is_fresh(&map, stamp), "no deadline, no need of a thread");
    map.touch(KEY, Ttl::Of(1_000)).unwrap();
    assert!(!is_fresh(&map, stamp) && place(&map).stamp.is_none());

    // Asked again, the system has one.
    background::refuse(false);
    store.context.clock.advance(100);
    map.touch(KEY, Ttl::Of(1_000)).unwrap();
    let stamp = place(&map).stamp.unwrap();
    map.set(Key::string("for good"), bytes_value(b"3"), Ttl::Never).unwrap();
    assert!(is_fresh(&map, stamp));
    // It dies.
    store.unattended(true);
    assert!(!is_fresh(&map, stamp));
}

/// The expiry thread cannot get the lock, so it is the read that ends the copy.
#[test]
fn who_was_told_that_an_entry_is_over_finds_no_copy_of_it() {
    let (store, map) = manual(&Config::default());
    map.set(KEY, bytes_value(b"v"), Ttl::Of(10)).unwrap();
    let stamp = place(&map).stamp.unwrap();
    let handle = place(&map).handle;
    let words = map.words(stamp.chunk()).unwrap();
    let word = &words.cells()[stamp.word() as usize];
    let stillness = store.all_shards()[0].stillness();
    store.context.clock.advance(10);
    assert_eq!(word.load(Ordering::Relaxed), stamp.version(), "no reader looked yet");
    assert!(!map.has(KEY).unwrap());
    assert_ne!(word.load(Ordering::Relaxed), stamp.version());
    drop(stillness);
    assert!(!map.has(handle).unwrap());
}

/// Runs `meanwhile` in another thread while a reader looks at the value of `KEY`, which must not change under it.
fn look_while(map: &Local, meanwhile: impl FnOnce() + Send) {
    let seen = map.with(KEY, |bytes| {
        let before = bytes.to_vec();
        thread::scope(|scope| scope.spawn(meanwhile).join().unwrap());
        assert!(bytes == before, "the value changed under its reader");
    });
    assert!(seen.unwrap().is_some());
}

fn address(map: &Local) -> usize {
    map.with(KEY, |bytes| bytes.as_ptr().addr()).unwrap().unwrap()
}

#[test]
fn a_block_that_was_emptied_waits_for_its_reader() {
    let store = Store::new(&Config { shards: Some(1), ..Config::default() }).unwrap();
    let (reader, writer) = (store.join(), store.join());
    let other = |n: u32| n.to_string();
    reader.set(KEY, bytes_value(&[1; 900]), Ttl::Default).unwrap();
    (0..250).for_each(|n| _ = writer.set(Key::string(&other(n)), bytes_value(&[2; 900]), Ttl::Default).unwrap());
    // The pages are mostly free, but not so many that they would be emptied already.
    for n in 0..250 {
        if n % 10 != 0 {
            writer.delete(Key::string(&other(n))).unwrap();
        }
    }
    let before = address(&reader);
    look_while(&reader, move || {
        writer.store().shrink_to_fit().unwrap();
        for _ in 0..500 {
            writer.delete(Key::string("nothing")).unwrap();
        }
        // What was freed is used again.
        for n in 0..4_000 {
            writer.set(Key::string(&other(n)), bytes_value(&[3; 900]), Ttl::Default).unwrap();
        }
    });
    assert_ne!(address(&reader), before, "it was to move");
}

#[test]
fn what_was_cleared_waits_for_its_reader() {
    let store = Store::new(&Config { shards: Some(1), ..Config::default() }).unwrap();
    let (reader, writer) = (store.join(), store.join());
    for size in [900, 300_000] {
        writer.set(KEY, bytes_value(&vec![1; size]), Ttl::Default).unwrap();
        let writing = store.join();
        let context = &store.context;
        look_while(&reader, move || {
            writing.clear().unwrap();
            assert!(context.is_freeing(), "the reader still looks");
            for n in 0..100_u32 {
                writing.set(Key::string(&n.to_string()), bytes_value(&vec![3; size]), Ttl::Default).unwrap();
            }
            assert!(context.is_freeing());
        });
        writer.clear().unwrap();
    }
    drop((reader, writer));
    store.destroy();
    assert_eq!(settled_bytes(&store), 0);
}
