//! Options and limits of a map: from the JSON text that JavaScript normalised to what the store takes, and back.

use serde_json::{Map, Value as Json, json};

use crate::binding::failure::{Failure, Outcome};
use crate::store::{AutoRecovery, Config, Limits, NONE, OPTIONS, Setting, TimeTargets};

const WRONG: Failure = Failure::Misuse("the options are not what lib/options/map-options.js makes");

/// Stands for a function of the user, which JavaScript keeps.
const FUNCTION: &str = "function";
/// The clock of a map under test, which stands still. Not an option of users, and never shown.
const MANUAL_CLOCK: &str = "manualClock";

/// Reads the options. JavaScript has checked types and ranges and names what is wrong; here a value that does not fit
/// is a mistake of this package.
pub fn parse(text: &str) -> Outcome<Config> {
    let Ok(Json::Object(given)) = serde_json::from_str(text) else { return Err(WRONG) };
    let mut config = Config::default();
    for (name, value) in &given {
        if name == MANUAL_CLOCK {
            config.manual_clock = value.as_bool().ok_or(WRONG)?;
            continue;
        }
        let option = OPTIONS.iter().find(|option| option.name == name).ok_or(WRONG)?;
        setting(value).and_then(|setting| (option.set)(&mut config, setting)).ok_or(WRONG)?;
    }
    Ok(config)
}

/// Reads new limits, each a number or `null` for none; what is missing stays as it is.
pub fn parse_limits(text: &str) -> Outcome<Limits> {
    let config = parse(text)?;
    let limit = |given: Option<u64>| given.map(|limit| (limit != NONE).then_some(limit));
    let limits = Limits {
        memory_limit_bytes: limit(config.memory_limit_bytes),
        max_entries: limit(config.max_entries),
        max_value_bytes: limit(config.max_value_bytes),
    };
    let rest = Config { memory_limit_bytes: None, max_entries: None, max_value_bytes: None, ..config };
    if rest == Config::default() { Ok(limits) } else { Err(WRONG) }
}

/// The options that a map has, under the names that JavaScript uses; `null` for one that was not set.
pub fn to_json(config: &Config) -> String {
    let shown = |setting: Option<Setting>| setting.map_or(Json::Null, json_of);
    let options: Map<_, _> = OPTIONS.iter().map(|option| (option.name.into(), shown((option.get)(config)))).collect();
    Json::Object(options).to_string()
}

fn setting(value: &Json) -> Option<Setting> {
    Some(match value {
        Json::Null => Setting::None,
        Json::Bool(flag) => Setting::Flag(*flag),
        Json::Number(number) => number.as_u64().map_or(Setting::Real(number.as_f64()?), Setting::Whole),
        Json::String(word) if word == FUNCTION => Setting::Function,
        Json::String(word) => Setting::Word(word.clone()),
        Json::Object(given) if given.contains_key("attempts") => {
            let attempts = u32::try_from(value.get("attempts")?.as_u64()?).ok()?;
            Setting::Recovery(AutoRecovery { attempts, timeout_ms: value.get("timeout")?.as_u64()? })
        }
        Json::Object(given) if given.contains_key("evictIdle") => Setting::EvictIdle(value.get("evictIdle")?.as_u64()?),
        Json::Object(given) => Setting::Times(times(given)?),
        Json::Array(_) => return None,
    })
}

/// Milliseconds by operation.
fn times(given: &Map<String, Json>) -> Option<TimeTargets> {
    let mut targets = TimeTargets::default();
    let is_known =
        !given.is_empty() && given.iter().all(|(name, ms)| ms.as_f64().is_some_and(|ms| targets.give(name, ms)));
    is_known.then_some(targets)
}

fn json_of(setting: Setting) -> Json {
    match setting {
        // A seed leaves native code in no form.
        Setting::None | Setting::Secret(_) => Json::Null,
        Setting::Flag(flag) => json!(flag),
        Setting::Whole(number) => json!(number),
        Setting::Real(number) => json!(number),
        Setting::Word(word) => json!(word),
        Setting::Recovery(AutoRecovery { attempts, timeout_ms }) => {
            json!({ "attempts": attempts, "timeout": timeout_ms })
        }
        Setting::EvictIdle(idle_ms) => json!({ "evictIdle": idle_ms }),
        Setting::Times(targets) => {
            Json::Object(targets.given().map(|(operation, ms)| (operation.name().to_owned(), json!(ms))).collect())
        }
        Setting::Function => json!(FUNCTION),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::WhenFull;

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
            "shards": 4, "initialCapacity": 9, "maxLoadFactor": 0.5, "hash": "xxh3", "seed": "7",
            "caseInsensitiveKeys": true, "normalizeKey": "function", "enableSIMD": false, "memoryLimit": 1,
            "maxEntries": 2, "maxValueBytes": 3, "evictionStrategy": "s3-fifo",
            "oomStrategy": { "evictIdle": 4 }, "ttl": 5,
            "ttlOnUpdate": "keep", "sliding": true, "strictTtl": false, "latency": true, "hotKeys": true,
            "ghostCache": true,
            "timeTargets": { "get": 0.5, "load": 100.0 }, "codec": "application/cbor",
            "autoRecovery": { "attempts": 2, "timeout": 1000 }
        }"#;
        let config = parse(text).unwrap();
        assert_eq!(config.seed, Some(7));
        let mut expected = serde_json::from_str::<Json>(text).unwrap();
        expected["seed"] = Json::Null;
        assert_eq!(serde_json::from_str::<Json>(&to_json(&config)).unwrap(), expected);
    }

    #[test]
    fn an_unknown_or_ill_typed_option_is_not_passed_over() {
        for text in [
            r#"{"hash":1}"#,
            r#"{"hash":"md5"}"#,
            r#"{"caseInsensitiveKeys":"yes"}"#,
            r#"{"normalizeKey":true}"#,
            r#"{"normalizeKey":"lower"}"#,
            r#"{"shards":"4"}"#,
            r#"{"seed":7}"#,
            r#"{"maxEntries":-1}"#,
            r#"{"evictionStrategy":"LRU"}"#,
            r#"{"oomStrategy":{}}"#,
            r#"{"ttlOnUpdate":true}"#,
            r#"{"codec":1}"#,
            r#"{"timeTargets":{}}"#,
            r#"{"timeTargets":{"has":1}}"#,
            r#"{"timeTargets":{"get":"1"}}"#,
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

    #[test]
    fn a_limit_is_changed_removed_or_left() {
        let limits = parse_limits(r#"{"memoryLimit":1024,"maxEntries":null}"#).unwrap();
        let expected = Limits { memory_limit_bytes: Some(Some(1_024)), max_entries: Some(None), max_value_bytes: None };
        assert_eq!(limits, expected);
        for text in [r#"{"ttl":1}"#, r#"{"maxEntries":"4"}"#, r#"{"maxEntries":-1}"#, "[]", "x"] {
            assert!(matches!(parse_limits(text), Err(Failure::Misuse(_))), "{text}");
        }
    }
}
