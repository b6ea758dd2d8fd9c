//! Metrics of maps, as OpenMetrics text.

use super::registry;
use super::store::Store;
use crate::store::observe::metrics::{Source, text};

/// Those of all named maps of the process. `codes` has the names of errors, by their numbers.
pub fn of_named(codes: Vec<(u16, String)>) -> String {
    let sources = registry::all().into_iter().map(|(name, store)| store.source(Some(name))).collect();
    text(sources, codes)
}

impl Store {
    /// Those of this map. Its name, if it has one, tells it apart from others.
    pub fn metrics(&self, name: Option<String>, codes: Vec<(u16, String)>) -> String {
        text(vec![self.source(name)], codes)
    }

    fn source(&self, name: Option<String>) -> Source {
        Source { name, stats: self.counts(), latency: self.distributions(), is_broken: self.is_broken() }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::store::config::Config;
    use crate::store::entry::key::Key;
    use crate::store::entry::value::Value;
    use crate::store::error::Error;
    use crate::store::expiry::life::Ttl;
    use crate::store::observe::latency::Timed;

    fn codes() -> Vec<(u16, String)> {
        vec![(Error::OutOfMemory { bytes: 0 }.code(), "ERR_OUT_OF_MEMORY".to_owned())]
    }

    #[test]
    fn each_metric_is_described_once_and_has_a_sample_of_each_map() {
        let name = "metrics \"1\"\\\n";
        let config = Config { latency: Some(true), max_entries: Some(100_000), ..Config::default() };
        let (first, second) =
            (registry::open(name, &config).unwrap(), registry::open("metrics 2", &Config::default()).unwrap());
        first.join().set(Key::string("key"), Value::json("1"), Ttl::Default).unwrap();
        first.join().record(Timed::Get, 3_000, 2);
        first.count_error(1009);
        let text = of_named(codes());
        for (name, store) in [(name, &first), ("metrics 2", &second)] {
            registry::release(name, store);
        }
        let label = r#"map="metrics \"1\"\\\n""#;
        let duration = "typed_superdashmap_cache_operation_duration_seconds";
        let lines: Vec<&str> = text.lines().collect();
        for expected in [
            format!(r#"typed_superdashmap_cache_puts_total{{{label},operation="insert"}} 1"#),
            format!(r#"typed_superdashmap_cache_errors_total{{{label},cause="ERR_OUT_OF_MEMORY"}} 1"#),
            format!("typed_superdashmap_cache_size{{{label}}} 1"),
            format!("typed_superdashmap_cache_size_limit{{{label}}} 100000"),
            r#"typed_superdashmap_cache_size{map="metrics 2"} 0"#.to_owned(),
            "# UNIT typed_superdashmap_cache_memory_bytes bytes".to_owned(),
            "# TYPE typed_superdashmap_cache_gets counter".to_owned(),
            format!(r#"{duration}_bucket{{le="0.000005",{label},operation="get"}} 2"#),
        ] {
            assert!(lines.contains(&expected.as_str()), "{expected}\n{text}");
        }
        assert_eq!(lines.last(), Some(&"# EOF"));
        let limits = lines.iter().filter(|line| line.contains("size_limit{"));
        assert_eq!(limits.count(), 1, "a map without a limit has no such sample");
        let mut described: Vec<_> = lines.iter().filter(|line| line.starts_with("# TYPE")).collect();
        let all = described.len();
        described.dedup();
        assert_eq!(described.len(), all);
    }

    #[test]
    fn a_map_without_a_name_has_no_label_of_it() {
        let store = Store::new(&Config::default()).unwrap();
        let text = store.metrics(None, codes());
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines.contains(&"typed_superdashmap_cache_size 0"), "{text}");
        assert!(lines.contains(&r#"typed_superdashmap_cache_gets_total{result="hit"} 0"#), "{text}");
        assert!(!text.contains("cache_errors"), "no error has occurred");
    }
}
