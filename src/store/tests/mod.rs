//! Tests of the whole store: against a naive map, with many threads, and at its limits.

mod accounting;
mod atomic;
mod bounded;
mod bounded_work;
mod changes;
mod failures;
mod freshness;
mod histories;
mod least;
mod limits;
mod loads;
mod model;
#[cfg(all(unix, not(miri), not(tsan)))]
mod pin_times;
mod process;
mod process_memory;
mod recovery;
#[cfg(all(target_os = "linux", not(miri), not(tsan)))]
mod refused_fences;
mod scan;
mod shapes;
mod stale;
mod threads;
mod transactions;
mod typed;
mod validate;

use super::*;
use crate::store::entry::algorithm::Algorithm;
use crate::store::platform::sync::Arc;

/// A small generator whose seed each test prints on failure.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

fn bytes_value(bytes: &[u8]) -> Value<'_> {
    Value { kind: ValueKind::Buffer, bytes }
}

/// A record of a shape: its number, and fields.
fn record(number: u32, fields: &[u8]) -> Vec<u8> {
    let (mut bytes, mut rest) = (Vec::new(), number);
    while rest >= 0x80 {
        bytes.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    bytes.push(rest as u8);
    bytes.extend_from_slice(fields);
    bytes
}

fn shaped(bytes: &[u8]) -> Value<'_> {
    Value { kind: ValueKind::Shaped, bytes }
}

/// The number of a record, and its fields.
fn parts(record: &[u8]) -> (u32, &[u8]) {
    let len = record.iter().position(|byte| byte & 0x80 == 0).unwrap() + 1;
    let number = record[..len].iter().rev().fold(0, |number, byte| number << 7 | u32::from(byte & 0x7f));
    (number, &record[len..])
}

/// Keys and values in insertion order, read through windows of this size.
fn contents(map: &Local, window: usize) -> Vec<(KeyKind, Vec<u8>, Vec<u8>)> {
    let (mut steps, mut key, mut value, mut all, mut after) = (Vec::new(), Vec::new(), Vec::new(), Vec::new(), 0);
    loop {
        map.walk(after, window, &mut steps).unwrap();
        let Some(last) = steps.last() else { return all };
        after = last.sequence;
        for step in &steps {
            if let Some((kind, _)) = map.read_step(step.handle, &mut key, &mut value).unwrap() {
                all.push((kind, key.clone(), value.clone()));
            }
        }
    }
}

/// What a map still holds once everything that was cleared or retired has had time to go, apart from the table of its
/// shapes.
fn settled_bytes(store: &Store) -> u64 {
    for _ in 0..2_000 {
        if store.stats().memory.retired == 0 {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    let memory = store.stats().memory;
    memory.total - memory.fixed - store.context.shapes.bytes().0 as u64
}
