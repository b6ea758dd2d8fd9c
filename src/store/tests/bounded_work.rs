//! What one call does is bounded, whatever the map holds. Work is counted, never timed.

use super::*;

fn key_of(n: u64) -> String {
    n.to_string()
}

/// A map of `count` small entries, whose time stands still.
fn filled(config: &Config, count: u64, ttl: Ttl) -> (Arc<Store>, Local) {
    let store = Store::new(&Config { manual_clock: true, ..config.clone() }).unwrap();
    let map = store.join();
    for n in 0..count {
        map.set(Key::string(&key_of(n)), bytes_value(b"v"), ttl).unwrap();
    }
    (store, map)
}

#[test]
fn one_purge_takes_out_a_bounded_number() {
    for shards in [1, 16] {
        let (store, map) = filled(&Config { shards: Some(shards), ..Config::default() }, 20_000, Ttl::Of(10));
        store.context.clock.advance(10);
        // The expiry thread is at work as well, so less may be left to this one.
        let mut purged = 0;
        while map.len() > 0 {
            let more = map.purge_expired().unwrap();
            assert!(more <= 4_096 + 512, "{more} at once");
            purged += more;
        }
        assert!(purged <= 20_000);
        assert_eq!(store.stats().expirations, 20_000);
    }
}
