//! Walks in the background pin for at most [`MOST`]: as long as a thread is pinned, nothing that is replaced or removed
//! is freed.
//!
//! Measured, because what a look at an entry takes is estimated there (`query/sweep.rs`): each walk is done several
//! times over a map that stays as it is, and of each of its pins the shortest counts.

use std::time::Duration;

use super::*;
use crate::store::platform::pin_times;
use crate::store::query::job::answer_here;

/// Without optimisation everything takes many times as long.
const MOST: Duration = Duration::from_micros(if cfg!(debug_assertions) { 1_500 } else { 100 });
const WALKS: usize = 4;
const ENTRIES: u32 = 4_000;

/// The longest pin of a walk that does the same each time.
fn longest(walk: impl Fn()) -> Duration {
    let mut shortest = pin_times::record(&walk);
    for _ in 1..WALKS {
        let pins = pin_times::record(&walk);
        assert_eq!(pins.len(), shortest.len(), "each walk pins as often");
        for (shortest, pin) in shortest.iter_mut().zip(pins) {
            *shortest = pin.min(*shortest);
        }
    }
    println!("{} pins", shortest.len());
    shortest.into_iter().max().unwrap()
}

fn ask_all(store: &Arc<Store>, query: &str) -> Answer {
    let query = Query::parse_for(store, query.as_bytes()).unwrap();
    answer_here(store, query, None, Task::Count).unwrap()
}

/// Maps that are slow to walk, each with a query that is slow to ask of it.
fn slow_walks() -> Vec<(&'static str, Arc<Store>, String)> {
    let filled = |count: u32, key: &dyn Fn(u32) -> String, value: &dyn Fn(u32) -> String| {
        let store = Store::new(&Config { shards: Some(1), ..Config::default() }).unwrap();
        let map = store.join();
        for n in 0..count {
            let value = value(n);
            let json = Value { kind: ValueKind::Json, bytes: value.as_bytes() };
            map.set(Key::string(&key(n)), json, Ttl::Default).unwrap();
        }
        drop(map);
        store
    };
    let short = |n: u32| format!("k{n}");
    let members = |count: u32| (0..count).map(|n| format!(r#""m{n}":{n}"#)).collect::<Vec<_>>().join(",");
    // As many conditions as there may be, each of which looks for a member that comes last.
    let conditions = |last: u32| {
        let all: Vec<String> = (0..250).map(|n| format!(r#"{{"/m{last}":{}}}"#, n + 1_000_000)).collect();
        format!(r#"{{"where":{{"or":[{}]}}}}"#, all.join(","))
    };
    let emptied = filled(ENTRIES * 16, &short, &|_| "1".to_owned());
    let map = emptied.join();
    for n in 0..ENTRIES * 16 - 1 {
        map.delete(Key::string(&short(n))).unwrap();
    }
    drop(map);
    vec![
        ("small entries", filled(ENTRIES, &short, &|n| n.to_string()), r#"{"where":{"":-1}}"#.to_owned()),
        ("empty slots", emptied, "{}".to_owned()),
        ("many conditions", filled(100, &short, &|_| format!("{{{}}}", members(30))), conditions(29)),
        ("few long values", filled(2, &short, &|_| format!("{{{}}}", members(1_200))), conditions(1_199)),
        (
            "values that are copied",
            filled(2, &short, &|n| format!("[{n},\"{}\"]", "x".repeat(3_000_000))),
            r#"{"where":{"/1":{"contains":"xy"}}}"#.to_owned(),
        ),
        (
            "objects that are compared",
            filled(100, &short, &|_| format!("{{\"a\":{{{}}}}}", members(60))),
            format!(r#"{{"where":{{"/a":{{"in":[{}]}}}}}}"#, vec![format!("{{{}}}", members(59)); 60].join(",")),
        ),
        (
            "long keys and a glob",
            filled(200, &|n| format!("{}{n}", "ab".repeat(500)), &|_| "1".to_owned()),
            format!(r#"{{"key":"{}c"}}"#, "*a[a-y]".repeat(100)),
        ),
    ]
}

#[test]
fn a_query_pins_for_a_bounded_time() {
    for (name, store, query) in slow_walks() {
        let longest = longest(|| _ = ask_all(&store, &query));
        println!("{name}: {longest:?}");
        assert!(longest <= MOST, "{name}: {longest:?}");
        store.destroy();
    }
}
