//! What an error of the store says besides its number, for JavaScript. The texts are all there.

use serde_json::{Value as Json, json};

use crate::store::{Error, MAX_TRANSACTION_BYTES, MAX_TRANSACTION_KEYS, Scope, Store};

/// What `details` of the JavaScript error holds. The store of the map, where there is one, knows the names of types.
pub fn details(error: &Error, store: Option<&Store>) -> Json {
    let type_name = |id: u32| store.and_then(|store| store.type_name(id)).map(|name| name.to_string());
    match error {
        Error::GenerationMismatch { given, found } => json!({ "given": given, "found": found }),
        Error::InvalidShardIndex { shard, shards } => json!({ "shard": shard, "shards": shards }),
        Error::WrongType { expected, found } => {
            json!({ "expected": type_name(*expected), "found": type_name(*found) })
        }
        Error::WrongKind { expected, found } => json!({ "expected": expected, "found": found, "of": "value" }),
        Error::OutOfRange { reached, allowed } => json!({ "reached": reached, "allowed": allowed }),
        Error::MemoryLimit { scope, requested_bytes, used_bytes, limit_bytes } => json!({
            "scope": if *scope == Scope::Process { "process" } else { "map" },
            "requestedBytes": requested_bytes,
            "usedBytes": used_bytes,
            "limitBytes": limit_bytes,
        }),
        Error::EntryLimit { limit } => json!({ "limitEntries": limit }),
        Error::ValueTooLarge { bytes, limit_bytes } => json!({ "bytes": bytes, "limitBytes": limit_bytes }),
        Error::OutOfMemory { bytes } => json!({ "bytes": bytes }),
        Error::InvalidOption { option, given, allowed } => {
            json!({ "option": option, "given": given, "allowed": allowed })
        }
        Error::RecoveryTimeout { ms } => json!({ "timeout": ms, "operation": "recover" }),
        Error::RefreshFailed { reason } => json!({ "reason": reason }),
        Error::TooManyJobs { limit } => json!({ "limit": limit }),
        Error::TransactionTooLarge { keys, bytes } => {
            let (limit_keys, limit_bytes) = (MAX_TRANSACTION_KEYS, MAX_TRANSACTION_BYTES);
            json!({ "keys": keys, "limitKeys": limit_keys, "bytes": bytes, "limitBytes": limit_bytes })
        }
        Error::Unbounded => json!({ "option": "limits" }),
        Error::OptionMismatch { option, given, existing } => {
            json!({ "option": option, "given": given, "existing": existing })
        }
        _ => json!({}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_name_their_units() {
        for (scope, name) in [(Scope::Map, "map"), (Scope::Process, "process")] {
            let error = Error::MemoryLimit { scope, requested_bytes: 3, used_bytes: 9, limit_bytes: 10 };
            let expected = json!({ "scope": name, "requestedBytes": 3, "usedBytes": 9, "limitBytes": 10 });
            assert_eq!(details(&error, None), expected);
        }
        assert_eq!(details(&Error::Closed, None), json!({}));
    }
}
