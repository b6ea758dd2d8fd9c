//! What loom explores of shapes: entries of a shape come and go while its place is given to another. Tables have two
//! places in models.

use crate::store::{Config, Error, Key, Local, Store, Ttl, Value, ValueKind};

const KEY: Key<'static> = Key::new(crate::store::KeyKind::String, b"k");

/// A record of a shape, whose number is below 128 in models, or takes two bytes.
fn set(map: &Local, number: u32) -> Result<(), Error> {
    let bytes = [number as u8 | 0x80, (number >> 7) as u8];
    map.set(KEY, Value { kind: ValueKind::Shaped, bytes: &bytes }, Ttl::Default).map(drop)
}

/// Explores some threads of one map, the last of which publishes shapes beyond the two that have room.
fn explore(model: impl Fn([Local; 3], [u32; 2]) + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(2);
    builder.check(move || {
        let store = Store::new(&Config { shards: Some(1), seed: Some(1), ..Config::default() }).unwrap();
        let maps = [store.join(), store.join(), store.join()];
        let numbers = ["a", "b"].map(|definition| maps[0].publish_shape(definition).unwrap().unwrap());
        model(maps, numbers);
    });
}

/// Either the writer is refused, or its shape stays.
#[test]
fn a_record_that_was_written_has_its_shape() {
    explore(|[writer, _, publisher], [first, second]| {
        let hold = publisher.hold_shape(second).unwrap();
        let thread = loom::thread::spawn(move || match set(&writer, first) {
            Ok(()) => assert!(writer.shape(first).unwrap().is_some(), "the shape of an entry is gone"),
            Err(refused) => assert_eq!(refused, Error::ShapeGone),
        });
        let third = publisher.publish_shape("c").unwrap();
        assert_ne!(third, Some(first));
        thread.join().unwrap();
        drop(hold);
    });
}

/// A reader that finds the shape of a record gone reads again, and does not find the record.
#[test]
fn a_record_whose_shape_is_gone_is_not_found_again() {
    explore(|[writer, reader, publisher], [first, second]| {
        let hold = publisher.hold_shape(second).unwrap();
        set(&writer, first).unwrap();
        let thread = loom::thread::spawn(move || {
            writer.delete(KEY).unwrap();
        });
        let publishes = loom::thread::spawn(move || {
            publisher.publish_shape("c").unwrap();
        });
        let mut out = Vec::new();
        if reader.get(KEY, &mut out).unwrap().is_some() && reader.shape(first).unwrap().is_none() {
            assert_eq!(reader.get(KEY, &mut out), Ok(None), "a record without a shape is still there");
        }
        thread.join().unwrap();
        publishes.join().unwrap();
        drop(hold);
    });
}
