//! What is counted is what there is, whatever is refused on the way.

use super::*;

/// Fills a map again and again beyond its byte limit, so that every kind of growth is refused at some time.
#[test]
fn churn_at_a_byte_limit_leaves_every_count_right() {
    for (seed, policy) in
        [(1, PolicyKind::WTinyLfu), (2, PolicyKind::Lfu), (3, PolicyKind::Fifo), (4, PolicyKind::S3Fifo)]
    {
        let limit = 400_000;
        let config = Config {
            memory_limit_bytes: Some(limit),
            eviction: Some(policy),
            seed: Some(seed),
            shards: Some(2),
            ..Config::default()
        };
        let store = Store::new(&config).unwrap();
        let map = store.join();
        let mut random = Random(seed);
        for n in 0..60_000_u64 {
            let text = format!("{}_{}", n / 20_000, random.below(20_000));
            let value = vec![7; 20 + random.below(60) as usize];
            let ttl = if random.below(4) == 0 { Ttl::Of(1_000_000) } else { Ttl::Default };
            map.set(Key::string(&text), bytes_value(&value), ttl).unwrap();
            if n % 1_000 == 0 {
                let memory = store.stats().memory;
                let parts = memory.entries
                    + memory.index
                    + memory.slab
                    + memory.words
                    + memory.order
                    + memory.policy
                    + memory.expiry
                    + memory.fixed;
                assert_eq!(parts, memory.total, "seed {seed}, round {n}: {memory:?}");
                assert!(memory.total <= limit, "seed {seed}, round {n}: {memory:?}");
                assert!(memory.order <= 100 * store.len() + 10_000, "seed {seed}, round {n}: {memory:?}");
            }
        }
        assert_eq!(store.validate().unwrap(), [], "seed {seed}");
        map.clear().unwrap();
        assert!(settled_bytes(&store) < 10_000, "seed {seed}: {:?}", store.stats().memory);
        map.set(Key::string("again"), bytes_value(b"v"), Ttl::Default).unwrap();
        map.clear().unwrap();
        drop(map);
        store.destroy();
        assert_eq!(settled_bytes(&store), 0, "seed {seed}: {:?}", store.stats().memory);
    }
}
