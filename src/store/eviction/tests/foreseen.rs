//! What a policy says it would evict next, against what it then evicts.

use super::super::{MAX_LOOKS, PolicyKind};
use super::{ALL, Random, Shard, hash_of};

/// The key that the policy foresees, and the one that it evicts.
fn evict(shard: &mut Shard) -> (Option<u64>, Option<u64>) {
    let looks = shard.marks.looks.get();
    let next = shard.policy.next(&shard.marks, &|slot| hash_of(shard.keys[&slot]), shard.capacity);
    assert_eq!(shard.marks.looks.get(), looks, "{:?}: no mark is taken", shard.kind);
    let foreseen = next.map(|slot| shard.keys[&slot]);
    (foreseen, shard.evict())
}

#[test]
fn what_is_foreseen_is_evicted() {
    for kind in ALL {
        for seed in 1..=3 {
            let mut random = Random(seed);
            let mut shard = Shard::new(kind, 300);
            let (mut evictions, mut mistaken) = (0, 0);
            for round in 0..20_000 {
                // Some keys are asked for often, so that entries have hits when they are looked at.
                let key = if random.below(2) == 0 { random.below(200) } else { random.below(2_000) };
                match random.below(10) {
                    0 => drop(shard.leave(key, false)),
                    1 if shard.slots.contains_key(&key) => shard.policy.hit(shard.slots[&key]),
                    2 => shard.capacity = 100 + random.below(400) as usize,
                    _ if shard.slots.contains_key(&key) => drop(shard.request(key)),
                    _ => {
                        while shard.slots.len() >= shard.capacity {
                            let (foreseen, evicted) = evict(&mut shard);
                            evictions += 1;
                            mistaken += u32::from(foreseen != evicted);
                            let is_estimate = kind == PolicyKind::WTinyLfu;
                            assert!(is_estimate || foreseen == evicted, "{kind:?}, seed {seed}, round {round}");
                        }
                        shard.insert(key);
                    }
                }
            }
            // What a search learns on its way may age the frequency that decides it.
            let at = format!("{kind:?}, seed {seed}: {mistaken} of {evictions}");
            assert!(evictions > 2_000 && mistaken * 100 <= evictions, "{at}");
        }
    }
}

#[test]
fn the_bound_of_a_search_is_foreseen() {
    for kind in [PolicyKind::Sieve, PolicyKind::S3Fifo, PolicyKind::WTinyLfu] {
        for entries in [MAX_LOOKS as u32 / 2, 2 * MAX_LOOKS as u32] {
            let mut shard = Shard::new(kind, entries as usize);
            for key in 0..u64::from(entries) {
                shard.insert(key);
            }
            for slot in 0..entries {
                shard.marks.set(slot, 255);
            }
            let (foreseen, evicted) = evict(&mut shard);
            assert_eq!(foreseen, evicted, "{kind:?}, {entries} entries that were all hit");
        }
    }
}
