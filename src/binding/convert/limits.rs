//! Limits of a map: from the JSON text that JavaScript normalised to what the store changes.

use serde_json::Value as Json;

use crate::binding::failure::{Failure, Outcome};
use crate::store::Limits;

/// Reads the limits that were given, each a number or `null` for none.
pub fn parse(text: &str) -> Outcome<Limits> {
    const WRONG: Failure = Failure::Misuse("the limits are not what lib/options/map-options.js makes");
    let Ok(Json::Object(given)) = serde_json::from_str(text) else { return Err(WRONG) };
    let mut limits = Limits::default();
    for (name, value) in &given {
        let limit = if value.is_null() { None } else { Some(value.as_u64().ok_or(WRONG)?) };
        match name.as_str() {
            "memoryLimit" => limits.memory_limit_bytes = Some(limit),
            "maxEntries" => limits.max_entries = Some(limit),
            "maxValueBytes" => limits.max_value_bytes = Some(limit),
            _ => return Err(WRONG),
        }
    }
    Ok(limits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_changed_removed_or_left() {
        let limits = parse(r#"{"memoryLimit":1024,"maxEntries":null}"#).unwrap();
        let expected = Limits { memory_limit_bytes: Some(Some(1_024)), max_entries: Some(None), max_value_bytes: None };
        assert_eq!(limits, expected);
        for text in [r#"{"ttl":1}"#, r#"{"maxEntries":"4"}"#, r#"{"maxEntries":-1}"#, "[]", "x"] {
            assert!(matches!(parse(text), Err(Failure::Misuse(_))), "{text}");
        }
    }
}
