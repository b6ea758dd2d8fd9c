use super::counts::ShapeCounts;
use super::numbers::place_of;
use super::*;
use crate::store::memory::budget::Use;
use crate::store::platform::fallible::failures::refuse_nth;

fn shapes(limit_bytes: Option<u64>, places: usize) -> (Arc<Memory>, Arc<Shapes>) {
    let memory = Arc::new(Memory::new(limit_bytes));
    let shapes = Arc::new(Shapes::with_places(&memory, places));
    (memory, shapes)
}

fn publish(shapes: &Shapes, definition: &str) -> Option<u32> {
    let before = shapes.memory.used(Use::Shapes) - shapes.bytes().0 as u64;
    let published = shapes.publish(definition).unwrap();
    assert_eq!(shapes.memory.used(Use::Shapes), shapes.bytes().0 as u64 + before);
    published
}

#[test]
fn a_definition_has_one_number_and_a_number_one_definition() {
    let (memory, shapes) = shapes(None, PLACES);
    let numbers: Vec<u32> = (0..1_000).map(|n| publish(&shapes, &format!("shape {n}")).unwrap()).collect();
    let mut distinct = numbers.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!((distinct.len(), distinct.contains(&BUILT_IN), shapes.len()), (1_000, false, 1_000));
    for (n, &number) in numbers.iter().enumerate() {
        let definition = format!("shape {n}");
        assert_eq!(shapes.definition(number).as_deref(), Some(&*definition));
        assert_eq!(publish(&shapes, &definition), Some(number));
    }
    assert_eq!(shapes.definition(BUILT_IN), None);
    assert_eq!(shapes.definition(4_096 + numbers[0]), None);
    drop(shapes);
    assert_eq!(memory.total(), 0);
}

#[test]
fn a_full_table_reuses_what_nothing_uses_under_numbers_that_never_came_before() {
    let (memory, shapes) = shapes(None, 9);
    let mut counts = ShapeCounts::new(&shapes);
    let kept = publish(&shapes, "kept").unwrap();
    counts.enter(kept).unwrap();
    let held = shapes.hold(publish(&shapes, "held").unwrap()).unwrap();
    let mut all = vec![kept, held.number()];
    for n in 0..10_000 {
        all.push(publish(&shapes, &format!("shape {n}")).unwrap());
        assert!(shapes.len() <= 8);
    }
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 10_002, "a number came twice");
    assert_eq!(shapes.definition(kept).as_deref(), Some("kept"));
    assert_eq!(shapes.definition(held.number()).as_deref(), Some("held"));
    drop((counts, held));
    drop(shapes);
    assert_eq!(memory.total(), 0);
}

#[test]
fn a_full_table_in_use_refuses_and_a_shape_that_goes_makes_room() {
    let (_memory, shapes) = shapes(None, 4);
    let mut counts = [ShapeCounts::new(&shapes), ShapeCounts::new(&shapes)];
    let numbers = ["a", "b", "c"].map(|definition| publish(&shapes, definition).unwrap());
    for number in numbers {
        counts[0].enter(number).unwrap();
        counts[1].enter(number).unwrap();
        counts[1].enter(number).unwrap();
    }
    assert_eq!(publish(&shapes, "d"), None);
    assert_eq!(publish(&shapes, "b"), Some(numbers[1]));
    counts[0].leave(numbers[1]);
    counts[1].leave(numbers[1]);
    assert_eq!(publish(&shapes, "d"), None, "an entry has each of them");
    counts[1].leave(numbers[1]);
    let fourth = publish(&shapes, "d").unwrap();
    assert_eq!((place_of(fourth), fourth != numbers[1]), (place_of(numbers[1]), true));
    assert_eq!((shapes.definition(numbers[1]), shapes.hold(numbers[1]).is_none()), (None, true));
    assert_eq!(counts[0].enter(numbers[1]), Err(Error::ShapeGone));
    assert_eq!(counts[0].records(), 2);
    // A shard that goes as a whole leaves all at once.
    drop(counts);
    for definition in ["e", "f", "g"] {
        assert!(publish(&shapes, definition).is_some());
    }
}

#[test]
fn a_place_retires_with_its_last_number() {
    let (_memory, shapes) = shapes(None, 2);
    let first = publish(&shapes, "0").unwrap();
    let last = u32::MAX - 4_095 + first;
    shapes.table.lock().set_number(&shapes.places, first, last);
    assert_eq!(shapes.definition(last).as_deref(), Some("0"));
    assert_eq!(publish(&shapes, "1"), None, "its place has had all of its numbers");
    assert_eq!((shapes.len(), shapes.definition(last)), (0, None));
    assert_eq!(publish(&shapes, "0"), None);
}

#[test]
fn definitions_are_bounded_each_and_together_and_by_the_limit() {
    let (_memory, unlimited) = shapes(None, PLACES);
    assert_eq!(publish(&unlimited, &"x".repeat(MAX_DEFINITION_BYTES + 1)), None);
    for n in 0..1_000 {
        let definition = format!("{n:0MAX_DEFINITION_BYTES$}");
        assert!(publish(&unlimited, &definition).is_some(), "each makes room for the next");
    }
    assert!((120..=128).contains(&unlimited.len()), "{} shapes", unlimited.len());
    assert!(unlimited.bytes().0 <= MOST_BYTES, "{} bytes", unlimited.bytes().0);

    let (memory, limited) = shapes(Some(160_000), PLACES);
    for n in 0..1_000 {
        assert!(publish(&limited, &format!("{n:0100}")).is_some());
    }
    assert!(memory.total() <= 10_000, "{} bytes", memory.total());
    assert!(publish(&limited, &"x".repeat(MAX_DEFINITION_BYTES)).is_some_and(|_| limited.len() < 10));
    memory.set_limit(Some(memory.total()));
    assert_eq!(publish(&limited, &"x".repeat(1_000)), None, "a sixteenth part of the limit is less");
    assert!(publish(&limited, "y").is_some());
}

#[test]
fn memory_that_is_refused_changes_nothing() {
    let (memory, shapes) = shapes(None, PLACES);
    let mut counts = ShapeCounts::new(&shapes);
    let mut refusals = 0;
    for n in 0..200 {
        let definition = format!("shape {n}");
        for nth in 1.. {
            let (published, was_refused) = refuse_nth(nth, || shapes.publish(&definition));
            assert_eq!(memory.used(Use::Shapes), (shapes.bytes().0 + counts.bytes()) as u64);
            if !was_refused {
                assert!(matches!(published, Ok(Some(_))));
                break;
            }
            refusals += 1;
            assert!(matches!(published, Err(Error::OutOfMemory { .. })), "{published:?}");
            assert_eq!(shapes.len(), n);
        }
        let number = shapes.publish(&definition).unwrap().unwrap();
        for nth in 1.. {
            let (entered, was_refused) = refuse_nth(nth, || counts.enter(number));
            if !was_refused {
                assert_eq!(entered, Ok(()));
                break;
            }
            refusals += 1;
            assert!(matches!(entered, Err(Error::OutOfMemory { .. })));
            assert_eq!((counts.records(), counts.tally().of(number)), (n as u64, 0));
        }
    }
    assert!(refusals > 200, "{refusals} refused");
    let numbers: Vec<u32> = counts.tally().iter().map(|(number, _)| number).collect();
    for number in numbers {
        let ((), _) = refuse_nth(1, || counts.leave(number));
        assert_eq!(memory.used(Use::Shapes), (shapes.bytes().0 + counts.bytes()) as u64);
    }
    assert_eq!((counts.records(), shapes.miscounted(counts.tally(), false)), (0, vec![]));
    drop((counts, shapes));
    assert_eq!(memory.total(), 0);
}

#[test]
fn counts_give_back_what_they_do_not_need() {
    let (memory, shapes) = shapes(None, PLACES);
    let mut counts = ShapeCounts::new(&shapes);
    let numbers: Vec<u32> = (0..1_000).map(|n| publish_and_enter(&shapes, &mut counts, n)).collect();
    let full = counts.bytes();
    for &number in &numbers[4..] {
        counts.leave(number);
    }
    assert!(counts.bytes() * 50 < full, "{} of {full} bytes", counts.bytes());
    assert_eq!(memory.used(Use::Shapes), (shapes.bytes().0 + counts.bytes()) as u64);
    assert!(numbers[..4].iter().all(|&number| counts.tally().of(number) == 1));
}

fn publish_and_enter(shapes: &Shapes, counts: &mut ShapeCounts, n: usize) -> u32 {
    let number = shapes.publish(&format!("shape {n}")).unwrap().unwrap();
    counts.enter(number).unwrap();
    number
}

#[test]
fn a_user_too_many_or_too_few_is_found() {
    let (_memory, shapes) = shapes(None, PLACES);
    let mut counts = ShapeCounts::new(&shapes);
    let number = publish_and_enter(&shapes, &mut counts, 1);
    let _hold = (shapes.hold(number).unwrap(), shapes.hold(number).unwrap());
    let mut shards = Tally::default();
    shards.add(number).unwrap();
    assert!(shapes.miscounted(&shards, false).is_empty());
    let place = shapes.places.get(number).unwrap();
    assert!(place.enter(number));
    assert_eq!((shapes.miscounted(&shards, false), shapes.miscounted(&shards, true)), (vec![number], vec![]));
    place.leave();
    place.leave();
    assert_eq!((shapes.miscounted(&shards, false), shapes.miscounted(&shards, true)), (vec![number], vec![number]));
    place.enter(number);
}
