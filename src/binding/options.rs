//! Options of a map: from the JSON text that JavaScript normalised to the store's configuration, and back.

use serde_json::{Value as Json, json};

use super::error::{Failure, Outcome};
use crate::store::Config;

/// Reads the options that were given. JavaScript has checked types and ranges and names what is wrong; here a value that
/// does not fit is a mistake of this package.
pub fn parse(text: &str) -> Outcome<Config> {
    const WRONG: Failure = Failure::Misuse("the options are not what lib/options.js makes");
    let Ok(Json::Object(options)) = serde_json::from_str(text) else { return Err(WRONG) };
    let mut config = Config::default();
    for (name, value) in &options {
        // Whole numbers may arrive as floats, because that is what they are in JavaScript.
        let whole = || {
            let number = value.as_u64().or_else(|| value.as_f64().filter(|n| *n >= 0.0).map(|n| n as u64));
            number.ok_or(WRONG)
        };
        match name.as_str() {
            "shards" => config.shards = Some(u32::try_from(whole()?).map_err(|_| WRONG)?),
            "initialCapacity" => config.initial_capacity = Some(whole()?),
            "maxLoadFactor" => config.max_load_factor = Some(value.as_f64().ok_or(WRONG)?),
            // A seed has 64 bits, more than a JavaScript number holds.
            "seed" => config.seed = Some(value.as_str().and_then(|seed| seed.parse().ok()).ok_or(WRONG)?),
            "enableSIMD" => config.simd = Some(value.as_bool().ok_or(WRONG)?),
            "memoryLimit" => config.memory_limit_bytes = Some(whole()?),
            "maxEntries" => config.max_entries = Some(whole()?),
            _ => return Err(WRONG),
        }
    }
    Ok(config)
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
        let text = r#"{"shards":4,"initialCapacity":9,"maxLoadFactor":0.5,"seed":"7","enableSIMD":false,"memoryLimit":1,"maxEntries":2}"#;
        let config = parse(text).unwrap();
        assert_eq!(
            serde_json::from_str::<Json>(&to_json(&config)).unwrap(),
            serde_json::from_str::<Json>(text).unwrap()
        );
    }

    #[test]
    fn an_unknown_or_ill_typed_option_is_not_passed_over() {
        for text in [r#"{"ttl":1}"#, r#"{"shards":"4"}"#, r#"{"seed":7}"#, r#"{"maxEntries":-1}"#, "[]", "x"] {
            assert!(matches!(parse(text), Err(Failure::Misuse(_))), "{text}");
        }
    }
}
