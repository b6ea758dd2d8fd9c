//! Limits of a map, and the room under them.

use napi_derive::napi;
use serde_json::Value as Json;

use super::error::{Failure, Outcome};
use super::operation::with_map;
use crate::store::Limits;

/// Changes limits. `limits` is JSON text: `memoryLimit`, `maxEntries`, `maxValueBytes`, each a number or `null` for none;
/// what is missing stays as it is.
#[napi(catch_unwind)]
pub fn set_limits(env: &napi::Env, id: u32, limits: String) -> napi::Result<()> {
    with_map(env, "setLimits", id, |map| Ok(map.store().set_limits(&parse(&limits)?)?))
}

fn parse(text: &str) -> Outcome<Limits> {
    const WRONG: Failure = Failure::Misuse("the limits are not what lib/options.js makes");
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

/// Bytes that the map holds, everything counted.
#[napi(catch_unwind)]
pub fn memory_used(env: &napi::Env, id: u32) -> napi::Result<f64> {
    with_map(env, "memoryUsage", id, |map| {
        map.check()?;
        Ok(map.store().memory_bytes() as f64)
    })
}

/// Bytes that it may hold, `null` for no limit. Of a broken map, too: opening one asks for it.
#[napi(catch_unwind)]
pub fn memory_limit(env: &napi::Env, id: u32) -> napi::Result<Option<f64>> {
    with_map(env, "memoryUsage", id, |map| Ok(map.store().memory_limit_bytes().map(|bytes| bytes as f64)))
}

/// Lets go of up to `count` entries as the policy chooses; of how many.
#[napi(catch_unwind)]
pub fn evict(env: &napi::Env, id: u32, count: f64) -> napi::Result<f64> {
    with_map(env, "evict", id, |map| Ok(map.local().evict(count.max(0.0) as u64)? as f64))
}

/// The same until the map holds at most so many bytes, or the call has taken two milliseconds' worth of entries.
#[napi(catch_unwind)]
pub fn evict_to(env: &napi::Env, id: u32, bytes: f64) -> napi::Result<f64> {
    with_map(env, "evict", id, |map| Ok(map.local().evict_to(bytes.max(0.0) as u64)? as f64))
}

/// Lets go of entries whose deadline is over; of how many.
#[napi(catch_unwind)]
pub fn purge_expired(env: &napi::Env, id: u32) -> napi::Result<f64> {
    with_map(env, "purgeExpired", id, |map| Ok(map.local().purge_expired()? as f64))
}

/// The farthest that the clock is moved at a time: as long as the longest ttl. A clock at its very end would leave no time that
/// is later than now, by which the store knows that there is no deadline.
const FARTHEST_MS: f64 = (1_u64 << 47) as f64;

/// Moves the clock of a map that was made with `manualClock`; whether it was. Nothing in lib/ calls it.
#[napi(catch_unwind)]
pub fn advance_clock_for_test(env: &napi::Env, id: u32, ms: f64) -> napi::Result<bool> {
    with_map(env, "advanceClockForTest", id, |map| Ok(map.store().clock().advance(ms.clamp(0.0, FARTHEST_MS) as u64)))
}

/// Tells those who listen for errors that a function of the user was to make room for a write, and did not.
#[napi(catch_unwind)]
pub fn give_up(env: &napi::Env, id: u32, operation: String) -> napi::Result<()> {
    const WRITES: [&str; 7] = ["set", "getOrInsert", "insert", "replace", "setMany", "updateMany", "insertMany"];
    with_map(env, "giveUp", id, |map| {
        let known = WRITES.into_iter().find(|name| *name == operation);
        map.local().give_up(known.unwrap_or("a write"));
        Ok(())
    })
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
