//! Transactions, by their numbers. `...target` is a key, or the shard, slot and generation of a handle; an entry that
//! is to be inserted has a handle of its own in its transaction.

use crate::binding::convert::values::{Space, key_to_js, value_to_js};
use crate::binding::engine::Js;
use crate::binding::failure::{Failure, Outcome};
use crate::binding::layout::{GENERATION, ROW, SHARD, SLOT, STEP_VALUE, row};
use crate::binding::operation::Call;
use crate::binding::operations::atomic::{big_int_step, number, number_step};
use crate::binding::operations::write::hold_type;
use crate::store::{CounterStep, Increment, Target, ValueKind};

/// `transactionGet(id, number, ...target)`: as `get`, but no copy of the value can be kept.
pub fn get<'s>(call: &Call<'s, 5>) -> Outcome<Js<'s>> {
    let map = call.map()?;
    let mut space = Space::default();
    let target = call.target(2, &mut space)?;
    let mut out = call.evaluation.value_buffer();
    let kind = map.transaction(call.number(1)?, |one| Ok(one.get(map.local(), target, &mut out)?))?;
    if let Some(kind) = kind {
        return call.evaluation.give_value(call.engine, kind, &out);
    }
    call.evaluation.note_absent();
    Ok(Js::NOTHING)
}

/// `transactionHas(id, number, ...target)`
pub fn has<'s>(call: &Call<'s, 5>) -> Outcome<Js<'s>> {
    let map = call.map()?;
    let mut space = Space::default();
    let target = call.target(2, &mut space)?;
    let is_there = map.transaction(call.number(1)?, |one| Ok(one.has(map.local(), target)?))?;
    call.engine.boolean(is_there)
}

/// `transactionSet(id, number, value, kind, ...target)`
pub fn set<'s>(call: &Call<'s, 7>) -> Outcome<Js<'s>> {
    let ttl = call.evaluation.take_ttl();
    let map = call.map()?;
    let (mut value_space, mut space) = (Space::default(), Space::default());
    let value = call.value(2, &mut value_space)?;
    let target = call.target(4, &mut space)?;
    map.transaction(call.number(1)?, |one| Ok(one.set(map.local(), target, value, ttl)?))?;
    Ok(Js::NOTHING)
}

/// `transactionDelete(id, number, ...target)`: whether it was there.
pub fn delete<'s>(call: &Call<'s, 5>) -> Outcome<Js<'s>> {
    let map = call.map()?;
    let mut space = Space::default();
    let target = call.target(2, &mut space)?;
    let was_there = map.transaction(call.number(1)?, |one| Ok(one.delete(map.local(), target)?))?;
    call.engine.boolean(was_there)
}

/// `transactionInsert(id, number, value, kind, typeName)`: SHARD, SLOT and GENERATION of the handle that the entry has
/// in this transaction.
pub fn insert<'s>(call: &Call<'s, 5>) -> Outcome<Js<'s>> {
    let ttl = call.evaluation.take_ttl();
    let map = call.map()?;
    let mut space = Space::default();
    let value = call.value(2, &mut space)?;
    let hold = hold_type(call.engine, &map, call.argument(4))?;
    let handle = map.transaction(call.number(1)?, |one| Ok(one.insert(map.local(), value, hold, ttl)?))?;
    call.evaluation.note(SHARD, handle.shard);
    call.evaluation.note(SLOT, handle.slot);
    call.evaluation.note(GENERATION, handle.generation);
    Ok(Js::NOTHING)
}

/// `transactionIncrement(id, number, ...target)`: by what the scratch array says, which the result is written to.
pub fn increment<'s>(call: &Call<'s, 5>) -> Outcome<Js<'s>> {
    let step = CounterStep::Number(number_step(call.evaluation.scratch()));
    let mut out = call.evaluation.value_buffer();
    let kind = step_by(call, 2, step, &mut out)?;
    call.evaluation.scratch().set_float(STEP_VALUE, number(kind, &out)?);
    Ok(Js::NOTHING)
}

/// `transactionIncrementBigInt(id, number, by, initial, min, max, ...target)`: the value.
pub fn increment_big_int<'s>(call: &Call<'s, 9>) -> Outcome<Js<'s>> {
    let mut spaces = Default::default();
    let step = CounterStep::BigInt(big_int_step(call, 2, &mut spaces)?);
    let mut out = call.evaluation.value_buffer();
    let kind = step_by(call, 6, step, &mut out)?;
    value_to_js(call.engine, kind, &out)
}

fn step_by<const N: usize>(
    call: &Call<'_, N>,
    target_at: usize,
    step: CounterStep<'_>,
    out: &mut Vec<u8>,
) -> Outcome<ValueKind> {
    let increment = Increment { step, ttl: call.evaluation.take_ttl(), with_ttl: false };
    let map = call.map()?;
    let mut space = Space::default();
    let target = call.target(target_at, &mut space)?;
    map.transaction(call.number(1)?, |one| Ok(one.increment(map.local(), target, &increment, out)?))
}

/// `transactionIsValid(id, number)`: whether everything that was read is still as it was.
pub fn is_valid<'s>(call: &Call<'s, 2>) -> Outcome<Js<'s>> {
    let map = call.map()?;
    let is_valid = map.transaction(call.number(1)?, |one| Ok(one.is_valid(map.local())?))?;
    call.engine.boolean(is_valid)
}

/// `commit(id, number, table)`: makes all writes, or throws. The table gets a row for each entry that was inserted
/// without a key. The transaction is over after that, unless a limit has refused it.
pub fn commit<'s>(call: &Call<'s, 3>) -> Outcome<Js<'s>> {
    let map = call.map()?;
    let table = call.engine.elements::<u32>(call.argument(2), call.evaluation.many())?;
    map.transaction(call.number(1)?, |one| {
        one.commit(map.local())?;
        for (at, place) in one.inserted().enumerate() {
            if let Some(place) = place {
                table.set(at * ROW, &row(0, &place, 0, 0));
            }
        }
        Ok(())
    })?;
    map.end_transaction(call.number(1)?);
    Ok(Js::NOTHING)
}

/// `transactionConflicts(id, number)`: what others have changed: the keys, and the three numbers of each handle of an
/// entry without one.
pub fn conflicts<'s>(call: &Call<'s, 2>) -> Outcome<Js<'s>> {
    let (map, engine) = (call.map()?, call.engine);
    let list = engine.array()?;
    map.transaction(call.number(1)?, |one| {
        for (at, target) in one.conflicts().enumerate() {
            let item = match target {
                Target::Key(key) => key_to_js(engine, key.kind(), key.bytes())?,
                Target::Handle(handle) => {
                    let numbers = engine.array()?;
                    for (at, number) in [handle.shard, handle.slot, handle.generation].into_iter().enumerate() {
                        engine.set_element(numbers, at, engine.float(f64::from(number))?)?;
                    }
                    numbers
                }
            };
            engine.set_element(list, at, item)?;
        }
        Ok::<_, Failure>(())
    })?;
    Ok(list)
}

/// `transactionEnd(id, number)`: forgets a transaction.
pub fn end<'s>(call: &Call<'s, 2>) -> Outcome<Js<'s>> {
    let map = call.map()?;
    let number = call.number(1)?;
    // One that a conflict has ended is counted as that.
    if !map.transaction(number, |one| Ok(one.is_doomed()))? {
        map.local().count_rollback();
    }
    map.end_transaction(number);
    Ok(Js::NOTHING)
}
