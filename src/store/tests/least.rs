//! A byte limit that a map takes is one that it can live with.

use super::super::eviction::PolicyKind;
use super::*;

fn least_bytes(config: &Config) -> u64 {
    match Store::new(&Config { memory_limit_bytes: Some(1), ..config.clone() }).err() {
        Some(Error::InvalidOption { option: "memoryLimit", given, allowed }) => {
            assert_eq!(given, "1");
            let first = allowed.split_whitespace().find_map(|word| word.parse().ok());
            first.unwrap_or_else(|| panic!("{allowed}"))
        }
        other => panic!("a byte was enough: {other:?}"),
    }
}

#[test]
fn at_the_least_limit_every_small_write_succeeds() {
    let policies = [
        PolicyKind::Lru,
        PolicyKind::Lfu,
        PolicyKind::Fifo,
        PolicyKind::Sieve,
        PolicyKind::S3Fifo,
        PolicyKind::WTinyLfu,
        PolicyKind::Ttl,
    ];
    for policy in policies {
        for shards in [1, 2, 8, 16] {
            let config = Config { shards: Some(shards), eviction: Some(policy), seed: Some(1), ..Config::default() };
            let least = least_bytes(&config);
            assert!(Store::new(&Config { memory_limit_bytes: Some(least - 1), ..config.clone() }).is_err());
            let store = Store::new(&Config { memory_limit_bytes: Some(least), ..config }).unwrap();
            let map = store.join();
            let mut random = Random(u64::from(shards));
            for round in 0..4_000_u32 {
                let (text, value) = (format!("key-{}", random.below(2_000)), vec![7; random.below(120) as usize]);
                let ttl = if random.below(3) == 0 { Ttl::Of(1_000_000) } else { Ttl::Default };
                let at = format!("{policy}, {shards} shards, {least} bytes, round {round}");
                map.set(Key::string(&text), bytes_value(&value), ttl).unwrap_or_else(|e| panic!("{at}: {e}"));
                if random.below(4) == 0 {
                    map.insert(bytes_value(&value), 0, ttl).unwrap_or_else(|e| panic!("{at}: {e}"));
                }
            }
            assert!(!store.is_empty() && store.memory_bytes() <= least);
            assert_eq!(store.validate().unwrap(), []);
        }
    }
}

#[test]
fn a_limit_is_not_lowered_below_the_least() {
    let config = Config { shards: Some(4), memory_limit_bytes: Some(1 << 20), ..Config::default() };
    let least = least_bytes(&config);
    let store = Store::new(&config).unwrap();
    let lower = |bytes| store.set_limits(&Limits { memory_limit_bytes: Some(Some(bytes)), ..Limits::default() });
    assert!(matches!(lower(least - 1), Err(Error::InvalidOption { option: "memoryLimit", .. })));
    assert_eq!(store.memory_limit_bytes(), Some(1 << 20));
    lower(least).unwrap();
    let map = store.join();
    for n in 0..2_000_u32 {
        map.set(Key::string(&n.to_string()), bytes_value(b"v"), Ttl::Default).unwrap();
    }
    assert!(!map.is_empty() && store.memory_bytes() <= least);
}
