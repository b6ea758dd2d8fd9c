//! Options of a map: from the JSON text that JavaScript normalised to the store's configuration, and back.

use serde_json::{Value as Json, json};

use crate::binding::failure::{Failure, Outcome};
use crate::store::{Config, NONE, PolicyKind, TtlOnUpdate, WhenFull};

const WRONG: Failure = Failure::Misuse("the options are not what lib/options/map-options.js makes");

/// What stands for a function of the user, which JavaScript keeps.
const FUNCTION: &str = "function";

/// Policies by the names that users know.
const POLICIES: [(&str, PolicyKind); 7] = [
    ("lru", PolicyKind::Lru),
    ("lfu", PolicyKind::Lfu),
    ("fifo", PolicyKind::Fifo),
    ("sieve", PolicyKind::Sieve),
    ("s3-fifo", PolicyKind::S3Fifo),
    ("w-tinylfu", PolicyKind::WTinyLfu),
    ("ttl", PolicyKind::Ttl),
];

/// Reads the options that were given. JavaScript has checked types and ranges and names what is wrong; here a value that
/// does not fit is a mistake of this package.
pub fn parse(text: &str) -> Outcome<Config> {
    let Ok(Json::Object(options)) = serde_json::from_str(text) else { return Err(WRONG) };
    let mut config = Config::default();
    for (name, value) in &options {
        // Whole numbers may arrive as floats, because that is what they are in JavaScript.
        let whole = || {
            let number = value.as_u64().or_else(|| value.as_f64().filter(|n| *n >= 0.0).map(|n| n as u64));
            number.ok_or(WRONG)
        };
        // Said to be none, which is not the same as not said.
        let limit = || if value.is_null() { Ok(NONE) } else { whole() };
        match name.as_str() {
            "shards" => config.shards = Some(u32::try_from(whole()?).map_err(|_| WRONG)?),
            "initialCapacity" => config.initial_capacity = Some(whole()?),
            "maxLoadFactor" => config.max_load_factor = Some(value.as_f64().ok_or(WRONG)?),
            // A seed has 64 bits, more than a JavaScript number holds.
            "seed" => config.seed = Some(value.as_str().and_then(|seed| seed.parse().ok()).ok_or(WRONG)?),
            "enableSIMD" => config.simd = Some(value.as_bool().ok_or(WRONG)?),
            "memoryLimit" => config.memory_limit_bytes = Some(limit()?),
            "maxEntries" => config.max_entries = Some(limit()?),
            "maxValueBytes" => config.max_value_bytes = Some(limit()?),
            "evictionStrategy" if value == FUNCTION => config.when_full = Some(WhenFull::CallerChooses),
            "evictionStrategy" => {
                let named = POLICIES.iter().find(|(name, _)| value == name);
                config.eviction = Some(named.ok_or(WRONG)?.1);
            }
            "oomStrategy" => config.when_full = Some(when_full(value).ok_or(WRONG)?),
            "ttl" => config.ttl_ms = Some(limit()?),
            "ttlOnUpdate" => {
                config.ttl_on_update = Some(match value.as_str() {
                    Some("renew") => TtlOnUpdate::Renew,
                    Some("keep") => TtlOnUpdate::Keep,
                    _ => return Err(WRONG),
                });
            }
            "sliding" => config.sliding = Some(value.as_bool().ok_or(WRONG)?),
            "strictTtl" => config.strict_ttl = Some(value.as_bool().ok_or(WRONG)?),
            "manualClock" => config.manual_clock = value.as_bool().ok_or(WRONG)?,
            _ => return Err(WRONG),
        }
    }
    Ok(config)
}

fn when_full(value: &Json) -> Option<WhenFull> {
    Some(match value.as_str() {
        Some("evict") => WhenFull::Evict,
        Some("reject") => WhenFull::Reject,
        Some("evict-expired") => WhenFull::EvictExpired,
        Some(FUNCTION) => WhenFull::CallerFrees,
        Some(_) => return None,
        None => WhenFull::EvictIdle { idle_ms: value.get("evictIdle")?.as_u64()? },
    })
}

fn when_full_to_json(when_full: WhenFull) -> Json {
    match when_full {
        WhenFull::Evict | WhenFull::CallerChooses => json!("evict"),
        WhenFull::Reject => json!("reject"),
        WhenFull::EvictExpired => json!("evict-expired"),
        WhenFull::EvictIdle { idle_ms } => json!({ "evictIdle": idle_ms }),
        WhenFull::CallerFrees => json!(FUNCTION),
    }
}

/// The options that a map has, under the names that JavaScript uses.
pub fn to_json(config: &Config) -> String {
    json!({
        "shards": config.shards,
        "initialCapacity": config.initial_capacity,
        "maxLoadFactor": config.max_load_factor,
        "seed": config.seed.map(|seed| seed.to_string()),
        "enableSIMD": config.simd,
        "memoryLimit": config.memory_limit_bytes,
        "maxEntries": config.max_entries,
        "maxValueBytes": config.max_value_bytes,
        "evictionStrategy": match config.when_full {
            Some(WhenFull::CallerChooses) => Some(FUNCTION.to_owned()),
            _ => config.eviction.map(|policy| policy.to_string()),
        },
        "oomStrategy": config.when_full.map(when_full_to_json),
        "ttl": config.ttl_ms,
        "ttlOnUpdate": config.ttl_on_update.map(|what| what.to_string()),
        "sliding": config.sliding,
        "strictTtl": config.strict_ttl,
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_given_stays_open() {
        assert_eq!(parse("{}").unwrap(), Config::default());
        let given = parse(r#"{"shards":4,"memoryLimit":1048576,"seed":"18446744073709551615"}"#).unwrap();
        let expected =
            Config { shards: Some(4), memory_limit_bytes: Some(1_048_576), seed: Some(u64::MAX), ..Config::default() };
        assert_eq!(given, expected);
    }

    #[test]
    fn options_come_back_as_they_went() {
        let text = r#"{
            "shards": 4, "initialCapacity": 9, "maxLoadFactor": 0.5, "seed": "7", "enableSIMD": false, "memoryLimit": 1,
            "maxEntries": 2, "maxValueBytes": 3, "evictionStrategy": "s3-fifo", "oomStrategy": { "evictIdle": 4 }, "ttl": 5,
            "ttlOnUpdate": "keep", "sliding": true, "strictTtl": false
        }"#;
        let config = parse(text).unwrap();
        assert_eq!(
            serde_json::from_str::<Json>(&to_json(&config)).unwrap(),
            serde_json::from_str::<Json>(text).unwrap()
        );
    }

    #[test]
    fn an_unknown_or_ill_typed_option_is_not_passed_over() {
        for text in [
            r#"{"hash":1}"#,
            r#"{"shards":"4"}"#,
            r#"{"seed":7}"#,
            r#"{"maxEntries":-1}"#,
            r#"{"evictionStrategy":"LRU"}"#,
            r#"{"oomStrategy":{}}"#,
            r#"{"ttlOnUpdate":true}"#,
            "[]",
            "x",
        ] {
            assert!(matches!(parse(text), Err(Failure::Misuse(_))), "{text}");
        }
    }

    #[test]
    fn a_limit_can_be_said_to_be_none() {
        let text = r#"{"memoryLimit":null,"maxEntries":null,"maxValueBytes":null,"ttl":null}"#;
        let config = parse(text).unwrap();
        let given = [config.memory_limit_bytes, config.max_entries, config.max_value_bytes, config.ttl_ms];
        assert_eq!(given, [Some(NONE); 4]);
        for text in [r#"{"shards":null}"#, r#"{"initialCapacity":null}"#, r#"{"seed":null}"#] {
            assert!(matches!(parse(text), Err(Failure::Misuse(_))), "{text}");
        }
    }

    #[test]
    fn a_function_is_remembered_as_one() {
        for (text, when_full) in [
            (r#"{"evictionStrategy":"function"}"#, WhenFull::CallerChooses),
            (r#"{"oomStrategy":"function"}"#, WhenFull::CallerFrees),
        ] {
            let config = parse(text).unwrap();
            assert_eq!(config.when_full, Some(when_full));
            let name = text.split('"').nth(1).unwrap();
            assert_eq!(serde_json::from_str::<Json>(&to_json(&config)).unwrap()[name], FUNCTION);
        }
    }
}
