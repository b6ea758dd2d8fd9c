//! What loom explores of slots: their tenants change, and their values, while another thread reads.

use crate::store::{Config, Key, Local, Store, Ttl, Value, ValueKind};

fn value(bytes: &[u8]) -> Value<'_> {
    Value { kind: ValueKind::Buffer, bytes }
}

/// Explores a reader and a writer of one map; the bound keeps it to seconds, and two preemptions find what three do.
fn explore(model: impl Fn(Local, Local) + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(2);
    builder.check(move || {
        let config = Config { shards: Some(1), seed: Some(1), ..Config::default() };
        let store = Store::new(&config).unwrap();
        model(store.join(), store.join());
    });
}

/// A slot goes from tenant to tenant while the first one's handle is read.
#[test]
fn a_handle_reads_its_own_entry_or_nothing() {
    explore(|writer, reader| {
        let first = writer.insert(value(b"first"), 0, Ttl::Default).unwrap().place.handle;
        let thread = loom::thread::spawn(move || {
            let mut out = Vec::new();
            if reader.get(first, &mut out).unwrap().is_some() {
                assert_eq!(out, b"first");
            }
        });
        writer.delete(first).unwrap();
        let second = writer.insert(value(b"second"), 0, Ttl::Default).unwrap().place.handle;
        assert_eq!(second.slot, first.slot);
        thread.join().unwrap();
    });
}

/// A value is at least as new as the version it was read with.
#[test]
fn a_version_is_never_newer_than_its_value() {
    explore(|writer, reader| {
        let key = Key::string("k");
        let first = writer.set(key, value(b"first"), Ttl::Default).unwrap().place;
        let thread = loom::thread::spawn(move || {
            let mut out = Vec::new();
            let found = reader.get(key, &mut out).unwrap().unwrap();
            if found.place.stamp.is_some_and(|stamp| Some(stamp) != first.stamp) {
                assert_eq!(out, b"second");
            }
        });
        let second = writer.set(key, value(b"second"), Ttl::Default).unwrap().place;
        assert_ne!(second.stamp, first.stamp);
        thread.join().unwrap();
    });
}
