//! What the memory of a map is made of: a job of the pool counts it, a promise waits for it.

use napi_derive::napi;
use serde_json::{Value as Json, json};

use crate::binding::convert::values::key_to_js;
use crate::binding::engine::Js;
use crate::binding::failure::{Failure, Outcome};
use crate::binding::layout::STATE;
use crate::binding::operation::{Call, with_map, within};
use crate::binding::operations::pending;
use crate::store::{Asked, Distribution, KeyKind, Store, Sum, Wanted, distribution};

/// A job that a promise waits for.
type Job = Asked<Box<Distribution>>;

/// The most of the largest entries that can be asked for, and of prefixes or types.
const MOST_LARGEST: u32 = 100;
const MOST_ROWS: u32 = 500;

/// Begins to count what the memory of a map is made of; the number of the promise. Prefixes end with `separator`.
#[napi(catch_unwind)]
pub fn ask_distribution(env: &napi::Env, id: u32, separator: String, largest: u32) -> napi::Result<u32> {
    within(env, "getMemoryDistribution", id, |engine, evaluation| {
        let map = evaluation.map(id)?;
        let wanted = Wanted { separator: separator.into_bytes(), largest: largest.min(MOST_LARGEST) as usize };
        pending::begin(engine, evaluation, id, |notice| Ok(distribution(map.store(), wanted, notice)?))
    })
}

/// What the memory is made of, as JSON text, with at most so many prefixes and types, once notice was given of it.
#[napi(catch_unwind)]
pub fn take_distribution(env: &napi::Env, id: u32, number: u32, rows: u32) -> napi::Result<String> {
    with_map(env, "getMemoryDistribution", id, |map| {
        // A map that was destroyed gives notice of jobs that have no answer.
        map.check()?;
        let found = map.pending.get::<Job>(number)?.take()?;
        let found = found.ok_or_else(|| Failure::Panic("a job of the map failed".to_owned()))?;
        Ok(to_json(map.store(), &found, rows.min(MOST_ROWS) as usize))
    })
}

/// `keyOf(id, shard, slot, generation)`: the key of an entry. STATE is 0 if it is gone, 1 if it has none, 2 if it does.
pub fn key_of<'s>(call: &Call<'s, 4>) -> Outcome<Js<'s>> {
    let map = call.map()?;
    let mut bytes = call.evaluation.key_buffer();
    let found = map.local().read_key(call.handle(1)?, &mut bytes)?;
    let kind = found.map(|(kind, _, _)| kind);
    call.evaluation.note(STATE, kind.map_or(0, |kind| if kind == KeyKind::Keyless { 1 } else { 2 }));
    match kind {
        None | Some(KeyKind::Keyless) => Ok(Js::NOTHING),
        Some(kind) => key_to_js(call.engine, kind, &bytes),
    }
}

fn row(sum: &Sum, name: &str, value: Json) -> Json {
    json!({
        name: value,
        "entries": sum.entries,
        "bytes": sum.bytes,
        "keyBytes": sum.key_bytes,
        "valueBytes": sum.value_bytes,
        "overheadBytes": sum.bytes.saturating_sub(sum.key_bytes + sum.value_bytes),
    })
}

fn to_json(store: &Store, found: &Distribution, rows: usize) -> String {
    let sizes = found.sizes.iter().enumerate().filter(|(_, sum)| sum.entries > 0);
    let kinds = found.kinds.iter().enumerate().filter(|(_, sum)| sum.entries > 0);
    let types = found.types.heaviest(rows).into_iter();
    let prefixes = found.prefixes.heaviest(rows).into_iter();
    let text = |prefix: &[u8]| String::from_utf8_lossy(prefix).into_owned();
    json!({
        "all": row(&found.all, "totalBytes", store.memory_bytes().into()),
        "sizes": sizes.map(|(class, sum)| row(sum, "upToBytes", (1_u64 << class).into())).collect::<Vec<_>>(),
        "kinds": kinds.map(|(kind, sum)| row(sum, "kind", kind.into())).collect::<Vec<_>>(),
        "types": types
            .map(|(&id, item)| row(&item.note, "type", store.type_name(id).as_deref().into()))
            .collect::<Vec<_>>(),
        "prefixes": prefixes.map(|(prefix, item)| row(&item.note, "prefix", text(prefix).into())).collect::<Vec<_>>(),
        "withoutPrefix": row(&found.without_prefix, "prefix", Json::Null),
        "errorBytes": found.prefixes.error().max(found.types.error()),
        "largest": found.largest.iter().map(|(bytes, handle, kind)| json!({
            "shard": handle.shard,
            "slot": handle.slot,
            "generation": handle.generation,
            "kind": *kind as u32,
            "bytes": bytes,
        })).collect::<Vec<_>>(),
    })
    .to_string()
}
