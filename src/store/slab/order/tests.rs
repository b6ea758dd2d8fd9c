use crate::store::slab::order::*;
use std::collections::BTreeMap;

struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

fn unlimited() -> Arc<Memory> {
    Arc::new(Memory::new(None))
}

/// An order whose slots are numbered as they come, and where each of them is.
struct Log {
    order: Order,
    positions: Vec<u32>,
    moves: usize,
}

impl Log {
    fn new(memory: &Arc<Memory>) -> Self {
        Self { order: Order::new(memory), positions: Vec::new(), moves: 0 }
    }

    fn append(&mut self, sequence: u64) -> Result<u32, Error> {
        let slot = self.positions.len() as u32;
        self.order.make_room(sequence)?;
        self.positions.push(self.order.append(sequence, slot));
        Ok(slot)
    }

    /// Returns how many were moved for it.
    fn remove(&mut self, slot: u32) -> usize {
        let (positions, before) = (&mut self.positions, self.moves);
        self.order.remove(positions[slot as usize], |slot, position| {
            positions[slot as usize] = position;
            self.moves += 1;
        });
        self.moves - before
    }

    /// Segments in use.
    fn segments(&self) -> usize {
        self.order.sorted.len()
    }

    /// What is said in the file's head, for all of it.
    fn check(&self, at: &str) {
        let order = &self.order;
        assert_eq!(order.held.bytes(), order.bytes(), "{at}");
        let (mut base, mut live, mut previous) = (0, 0, NONE);
        for (place, &number) in order.sorted.iter().enumerate() {
            let segment = &order.segments[number as usize];
            let is_last = place + 1 == order.sorted.len();
            assert!(segment.live > 0 || is_last && segment.cells.is_empty(), "{at}: an empty segment");
            assert!(segment.base >= base && segment.older == previous, "{at}");
            assert_eq!(segment.entries().count(), segment.live as usize, "{at}");
            for (cell, _) in segment.cells.iter().enumerate().filter(|&(_, &cell)| cell != HOLE) {
                let slot = segment.cells[cell] as u32 - 1;
                assert_eq!(self.positions[slot as usize], position(number, cell), "{at}");
            }
            (base, previous) = (segment.base, number);
            live += segment.live as usize;
        }
        assert_eq!(live, order.live, "{at}");
    }
}

/// Compares with a sorted map: append, remove and look after any sequence.
#[test]
fn agrees_with_a_sorted_map_whatever_is_removed() {
    for (seed, keep_percent, jumps) in [(1_u64, 50, 9_000), (2, 3, 9_000), (3, 97, 9_000), (4, 20, 50), (5, 0, 300)] {
        let memory = unlimited();
        let mut log = Log::new(&memory);
        let mut expected: BTreeMap<u64, u32> = BTreeMap::new();
        let mut random = Random(seed);
        let (mut sequence, mut jumped) = (0, 0);
        for round in 0..60_000_u32 {
            let at = format!("seed {seed}, round {round}");
            // Every now and then other shards insert more than 32 bits can count.
            if random.below(jumps) == 0 {
                sequence += 1 << 33;
                jumped += 1;
            }
            sequence += 1 + random.below(3);
            expected.insert(sequence, log.append(sequence).unwrap());
            while expected.len() as u64 > 10 + u64::from(round) * keep_percent / 100 {
                // One old entry stays.
                let from = 2 + random.below(sequence);
                let Some((&victim, &slot)) = expected.range(from..).next() else { continue };
                expected.remove(&victim);
                assert!(log.remove(slot) <= SEGMENT_CELLS, "{at}");
            }
            if round % 97 == 0 {
                log.check(&at);
                let (from, count) = (random.below(sequence + 5), random.below(600) as usize);
                let mut found = Vec::new();
                let next = log.order.after(from, u64::MAX, count, &mut found);
                let rest = expected.range(from + 1..).map(|(&sequence, &slot)| (sequence, slot));
                let wanted: Vec<_> = rest.clone().take(count).collect();
                assert_eq!(found, wanted, "{at}");
                assert_eq!(next, rest.clone().nth(count).map(|(sequence, _)| sequence), "{at}");
                // The same up to a sequence; what it remembers is true.
                let last = from + random.below(2_000);
                found.clear();
                let next = log.order.walk(from, last, &mut found);
                let wanted: Vec<_> = rest.clone().take_while(|&(sequence, _)| sequence <= last).collect();
                assert_eq!(found, wanted, "{at}");
                assert_eq!(next, rest.clone().nth(wanted.len()).map(|(sequence, _)| sequence), "{at}");
                let first = log.order.gaps().first_after(last);
                assert!(first.is_none_or(|first| next.is_some_and(|next| first <= next)), "{at}");
                assert!(first.is_some() || next.is_none(), "{at}");
                assert_eq!(log.order.oldest(), expected.values().next().copied(), "{at}");
            }
        }
        let room = log.segments() * SEGMENT_CELLS;
        assert!(
            room <= log.order.live * 512 / 226 + (jumped + 2) * SEGMENT_CELLS,
            "{room} cells for {} entries, seed {seed}",
            log.order.live
        );
        assert!(log.moves <= 60_000 + 512, "{} moves for 60,000 insertions, seed {seed}", log.moves);
        drop(log);
        assert_eq!(memory.total(), 0);
    }
}

#[test]
fn a_queue_takes_no_more_room_than_what_it_holds() {
    let memory = unlimited();
    let mut log = Log::new(&memory);
    for n in 0..100_000_u32 {
        log.append(u64::from(n) + 1).unwrap();
        if n >= 100 {
            log.remove(n - 100);
        }
    }
    assert!(memory.used(Use::Order) < 8 * 1_024, "{} bytes for 100 entries", memory.used(Use::Order));
}

#[test]
fn entries_that_stay_here_and_there_are_moved_together() {
    let memory = unlimited();
    let mut log = Log::new(&memory);
    let slots: Vec<_> = (1..=25_600).map(|n| log.append(n).unwrap()).collect();
    for (n, &slot) in slots.iter().enumerate() {
        if n % 20 != 0 {
            log.remove(slot);
        }
    }
    let room = log.segments() * SEGMENT_CELLS;
    assert!(room <= log.order.live * 512 / 226 + 2 * SEGMENT_CELLS, "{room} cells for {} entries", log.order.live);
    assert!(log.moves <= slots.len());
    log.check("a few of many");
}

#[test]
fn one_old_entry_keeps_nothing_but_itself() {
    let memory = unlimited();
    let mut log = Log::new(&memory);
    let old = log.append(1).unwrap();
    let mut most = 0;
    // More segments than positions can distinguish: their numbers are used again.
    let entries = (MAX_SEGMENTS * SEGMENT_CELLS * 2) as u64;
    for n in 2..entries {
        let slot = log.append(n).unwrap();
        if slot > 2_000 {
            most = most.max(log.remove(slot - 2_000));
        }
    }
    assert!(memory.used(Use::Order) < 40_000, "{} bytes for 2,001 entries", memory.used(Use::Order));
    assert!(log.order.segments.len() < 20, "numbers run away: {}", log.order.segments.len());
    assert!(most.max(log.remove(old)) <= SEGMENT_CELLS, "{most} moved at once");
    log.check("after the old one went");
}

#[test]
fn a_number_never_comes_twice_at_once() {
    let memory = unlimited();
    let mut log = Log::new(&memory);
    let most = (MAX_SEGMENTS * SEGMENT_CELLS) as u64;
    for n in 0..most {
        log.append(n + 1).unwrap();
    }
    assert!(matches!(log.append(most + 1), Err(Error::OutOfMemory { .. })));
    log.check("full");
    // A segment in the middle goes, and its number serves the newest.
    let first = (MAX_SEGMENTS / 2 * SEGMENT_CELLS) as u32;
    for slot in first..first + SEGMENT_CELLS as u32 {
        log.remove(slot);
    }
    let slot = log.append(most + 2).unwrap();
    assert_eq!(log.positions[slot as usize], first);
    log.check("full again");
    let mut found = Vec::new();
    assert_eq!(log.order.after(most - 1, u64::MAX, 10, &mut found), None);
    assert_eq!(found, [(most, most as u32 - 1), (most + 2, slot)]);
}

#[test]
fn nothing_but_an_insertion_ever_needs_memory() {
    for seed in 1..20 {
        let memory = unlimited();
        let mut log = Log::new(&memory);
        let mut random = Random(seed);
        let mut living: Vec<u32> = (1..5_000).map(|n| log.append(n).unwrap()).collect();
        memory.set_limit(Some(memory.total()));
        let mut sequence = 5_000;
        while let Some(last) = living.len().checked_sub(1) {
            log.remove(living.swap_remove(random.below(last as u64 + 1) as usize));
            if random.below(3) == 0 {
                sequence += if random.below(20) == 0 { 1 << 33 } else { 1 };
                if let Ok(slot) = log.append(sequence) {
                    living.push(slot);
                }
            }
            assert_eq!(memory.total(), log.order.held.bytes() as u64);
        }
        assert!(memory.used(Use::Order) < 3_000, "seed {seed}: {} bytes for nothing", memory.used(Use::Order));
        log.check("empty");
    }
}

#[test]
fn a_refused_insertion_changes_nothing() {
    use crate::store::platform::fallible::failures;
    let memory = unlimited();
    let mut log = Log::new(&memory);
    let mut refusals = 0;
    for n in 1..3_000 {
        for nth in 1.. {
            let (answer, was_refused) = failures::refuse_nth(nth, || log.order.make_room(n));
            assert_eq!(answer.is_err(), was_refused);
            log.check("refused");
            refusals += usize::from(was_refused);
            if !was_refused {
                break;
            }
        }
        log.append(n).unwrap();
    }
    assert!(refusals >= 3_000 / SEGMENT_CELLS, "{refusals} refusals");
}
