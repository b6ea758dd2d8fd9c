//! What is known of one entry, as JSON text.

use serde_json::json;

use crate::binding::convert::values::Space;
use crate::binding::engine::Js;
use crate::binding::failure::Outcome;
use crate::binding::operation::Call;
use crate::store::{Explanation, Store};

/// `explain(id, ...target)`: JSON text, or undefined.
pub fn explain<'s>(call: &Call<'s, 4>) -> Outcome<Js<'s>> {
    let map = call.map()?;
    let mut space = Space::default();
    let found = map.local().explain(call.target(1, &mut space)?)?;
    found.map_or(Ok(Js::NOTHING), |found| call.engine.text(to_json(map.store(), &found).as_bytes()))
}

fn to_json(store: &Store, found: &Explanation) -> String {
    let standing = found.standing.unwrap_or_default();
    let policy = store.policy().map(|policy| policy.to_string());
    let expires_in_ms = found.span.map(|span| span.deadline_ms.saturating_sub(store.clock().now_ms()));
    json!({
        "shard": found.handle.shard,
        "slot": found.handle.slot,
        "generation": found.handle.generation,
        "version": found.version,
        "probeLength": found.probe_length,
        "isMigrating": found.is_migrating,
        "type": store.type_name(found.type_id).as_deref(),
        "kind": found.value_kind as u32,
        "keyBytes": found.key_bytes,
        "valueBytes": found.value_bytes,
        "weightBytes": found.weight_bytes,
        "expiresInMs": expires_in_ms,
        "ttlMs": found.span.map(|span| span.ttl_ms),
        "eviction": {
            "policy": policy,
            "queue": standing.queue,
            "uses": standing.uses,
            "frequency": standing.frequency,
            "isNext": found.is_next,
        },
    })
    .to_string()
}
