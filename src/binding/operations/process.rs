//! The memory of all maps of the process.

use napi_derive::napi;
use serde_json::json;

use crate::store::Process;

/// Limits the bytes of all maps together; `null` for no limit.
#[napi(catch_unwind)]
pub fn set_process_limit(bytes: Option<f64>) {
    Process::current().set_limit(bytes.map(|bytes| bytes as u64));
}

/// `limitBytes`, `usedBytes` and the number of `maps`, as JSON text.
#[napi(catch_unwind)]
pub fn process_memory() -> String {
    let process = Process::current();
    let (maps, used_bytes) = process.maps();
    json!({ "limitBytes": process.limit(), "usedBytes": used_bytes, "maps": maps }).to_string()
}

/// Bytes that all maps use.
#[napi(catch_unwind)]
pub fn process_used() -> f64 {
    Process::current().maps().1 as f64
}

/// Has maps evict entries until they use at most so many bytes together, or as many as one call takes the time for.
/// Returns how many.
#[napi(catch_unwind)]
pub fn evict_process_to(bytes: f64) -> f64 {
    Process::current().evict_to(bytes.max(0.0) as u64) as f64
}
