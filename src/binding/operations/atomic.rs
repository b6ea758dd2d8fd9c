//! Writes that the present value decides. `...target` is a key, or the shard, slot and generation of a handle.

use crate::binding::convert::values::{Space, key, pointer, value, value_to_js};
use crate::binding::engine::{Engine, Js, JsType};
use crate::binding::environment::Scratch;
use crate::binding::failure::{Failure, Outcome};
use crate::binding::layout::{
    MAX_RECORD_BYTES, REPLACED, SEEN_VERSION, STEP_BY, STEP_INITIAL, STEP_MAX, STEP_MIN, STEP_TTL, STEP_VALUE,
    STEPPED_ABSENT, STEPPED_NOT, STEPPED_TO_BE_MADE, STEPPED_WRITTEN,
};
use crate::binding::operation::Call;
use crate::store::{
    BigIntStep, Compared, CounterStep, Expected, FieldOutcome, FieldStep, FieldStepped, Found, Increment, Incremented,
    KeyOrHandle, NumberStep, RemainingTtl, ValueKind,
};

/// `increment(id, key)`: by what the scratch array says, which the result is written to. Whether the value has changed.
pub fn increment<'s>(call: &Call<'s, 2>) -> Outcome<Js<'s>> {
    let mut space = Space::default();
    let key = key(call.engine, call.argument(1), &mut space)?;
    increment_number(call, key)
}

/// `incrementByHandle(id, shard, slot, generation)`
pub fn increment_by_handle<'s>(call: &Call<'s, 4>) -> Outcome<Js<'s>> {
    increment_number(call, call.handle(1)?)
}

fn increment_number<'s, 't, const N: usize>(call: &Call<'s, N>, target: impl KeyOrHandle<'t>) -> Outcome<Js<'s>> {
    let scratch = call.evaluation.scratch();
    let mut out = call.evaluation.value_buffer();
    let mut done = Incremented::default();
    run(call, target, CounterStep::Number(number_step(scratch)), &mut out, &mut done)?;
    scratch.set_float(STEP_VALUE, number(done.kind, &out)?);
    call.engine.boolean(done.written.is_some())
}

/// The step that the scratch array asks for.
pub fn number_step(scratch: &Scratch) -> NumberStep {
    NumberStep {
        by: scratch.float(STEP_BY),
        initial: scratch.float(STEP_INITIAL),
        min: scratch.float(STEP_MIN),
        max: scratch.float(STEP_MAX),
    }
}

/// The number that a counter is.
pub fn number(kind: ValueKind, bytes: &[u8]) -> Outcome<f64> {
    let value = match kind {
        ValueKind::Int => bytes.try_into().map(|bytes| f64::from(i32::from_le_bytes(bytes))),
        _ => bytes.try_into().map(f64::from_le_bytes),
    };
    value.map_err(|_| Failure::Misuse("a counter is no number"))
}

/// `incrementAt(id, at, ...target)`: as `increment`, of a number inside of an object. What became of it, one of
/// STEPPED.
pub fn increment_at<'s>(call: &Call<'s, 5>) -> Outcome<Js<'s>> {
    let _ = call.evaluation.take_ttl();
    let map = call.map()?;
    let (mut path, mut space) = (Space::default(), Space::default());
    let at = pointer(call.engine, call.argument(1), &mut path)?;
    let target = call.target(2, &mut space)?;
    let scratch = call.evaluation.scratch();
    let (step, with_ttl) = (number_step(scratch), scratch.float(STEP_TTL) != 0.0);
    let field = FieldStep { at, step, with_ttl, longest_record: MAX_RECORD_BYTES };
    let (mut out, mut next) = (call.evaluation.value_buffer(), call.evaluation.key_buffer());
    let FieldStepped { number, outcome, left } =
        map.local().increment_field(target, &field, &mut out, &mut next, |shape| map.layout_of(shape))?;
    scratch.set_float(STEP_VALUE, number);
    note_left(scratch, with_ttl, left);
    let outcome = match outcome {
        FieldOutcome::Written(written, kind, size) => {
            call.evaluation.note_kept(kind, &written, size);
            STEPPED_WRITTEN
        }
        FieldOutcome::Unchanged => STEPPED_NOT,
        FieldOutcome::ToBeMade(place, version) => {
            call.evaluation.note_place(&place);
            call.evaluation.note(SEEN_VERSION, version);
            STEPPED_TO_BE_MADE
        }
        FieldOutcome::Absent => STEPPED_ABSENT,
    };
    call.engine.int(outcome as i32)
}

/// Says what remains of an entry's life, if that was asked for.
fn note_left(scratch: &Scratch, with_ttl: bool, left: RemainingTtl) {
    if with_ttl {
        scratch.set_float(
            STEP_TTL,
            match left {
                RemainingTtl::Forever => f64::INFINITY,
                RemainingTtl::Ms(ms) => ms as f64,
            },
        );
    }
}

/// `incrementBigInt(id, by, initial, min, max, ...target)`: the value; whether it has changed is CHANGED.
pub fn increment_big_int<'s>(call: &Call<'s, 8>) -> Outcome<Js<'s>> {
    let mut spaces: [Space; 4] = Default::default();
    let step = big_int_step(call, 1, &mut spaces)?;
    let mut space = Space::default();
    let mut out = call.evaluation.value_buffer();
    let mut done = Incremented::default();
    run(call, call.target(5, &mut space)?, CounterStep::BigInt(step), &mut out, &mut done)?;
    call.evaluation.scratch().set_float(STEP_VALUE, f64::from(u8::from(done.written.is_some())));
    value_to_js(call.engine, done.kind, &out)
}

/// The step in the four arguments from `at` on.
pub fn big_int_step<'b, const N: usize>(
    call: &Call<'_, N>,
    at: usize,
    spaces: &'b mut [Space; 4],
) -> Outcome<BigIntStep<'b>> {
    let [by, initial, min, max] = spaces;
    Ok(BigIntStep {
        by: big_int(call.engine, call.argument(at), by)?.unwrap_or_default(),
        initial: big_int(call.engine, call.argument(at + 1), initial)?.unwrap_or_default(),
        min: big_int(call.engine, call.argument(at + 2), min)?,
        max: big_int(call.engine, call.argument(at + 3), max)?,
    })
}

/// The bytes of a bigint, `None` for `undefined`.
fn big_int<'b>(engine: Engine<'_>, js: Js<'_>, space: &'b mut Space) -> Outcome<Option<&'b [u8]>> {
    if engine.type_of(js)? == JsType::Undefined {
        return Ok(None);
    }
    Ok(Some(value(engine, js, ValueKind::BigInt, space)?.bytes))
}

/// `getVersion(id, ...target)`: as `get`; what tells the value from others, in the scratch array.
pub fn get_version<'s>(call: &Call<'s, 4>) -> Outcome<Js<'s>> {
    let map = call.map()?;
    let mut space = Space::default();
    let mut out = call.evaluation.value_buffer();
    let found = map.local().get_version(call.target(1, &mut space)?, &mut out)?;
    give_version(call, found.as_ref(), &out)
}

/// `peekVersion(id, ...target)`: the same as a look that does not count.
pub fn peek_version<'s>(call: &Call<'s, 4>) -> Outcome<Js<'s>> {
    let map = call.map()?;
    let mut space = Space::default();
    let mut out = call.evaluation.value_buffer();
    let found = map.local().peek_version(call.target(1, &mut space)?, &mut out)?;
    give_version(call, found.as_ref(), &out)
}

fn give_version<'s>(call: &Call<'s, 4>, found: Option<&(Found, u32)>, bytes: &[u8]) -> Outcome<Js<'s>> {
    if let Some((_, version)) = found {
        call.evaluation.note(SEEN_VERSION, *version);
    }
    call.evaluation.give(call.engine, found.map(|(found, _)| found), bytes)
}

/// `replaceIf(id, shard, slot, generation, value, kind, version)`: whether nothing came in between.
pub fn replace_if<'s>(call: &Call<'s, 7>) -> Outcome<Js<'s>> {
    let ttl = call.evaluation.take_ttl();
    let map = call.map()?;
    let mut space = Space::default();
    let value = call.value(4, &mut space)?;
    let written = map.local().replace_if(call.handle(1)?, call.number(6)?, value, ttl)?;
    if let Some(written) = &written {
        call.evaluation.note_written(written, value.bytes.len());
    }
    call.engine.boolean(written.is_some())
}

/// `removeIf(id, shard, slot, generation, version)`: whether nothing came in between.
pub fn remove_if<'s>(call: &Call<'s, 5>) -> Outcome<Js<'s>> {
    let map = call.map()?;
    call.engine.boolean(map.local().remove_if(call.handle(1)?, call.number(4)?)?)
}

/// `compareAndSet(id, expected, kind, next, kind, ...target)`: the value if it is another one; REPLACED says whether it
/// is the next one now.
pub fn compare_and_set<'s>(call: &Call<'s, 8>) -> Outcome<Js<'s>> {
    let ttl = call.evaluation.take_ttl();
    let map = call.map()?;
    let (mut expected_space, mut next_space, mut space) = (Space::default(), Space::default(), Space::default());
    let expected = call.value(1, &mut expected_space)?;
    let next = call.value(3, &mut next_space)?;
    let target = call.target(5, &mut space)?;
    let mut out = call.evaluation.value_buffer();
    let layout_of = |shape| map.layout_of(shape);
    let compared = map.local().compare_and_set(target, &mut Expected::new(expected), next, ttl, &mut out, layout_of)?;
    let found = match &compared {
        Compared::Swapped(written) => {
            call.evaluation.note_written(written, next.bytes.len());
            return Ok(Js::NOTHING);
        }
        Compared::Different(found) => Some(found),
        Compared::Absent => None,
    };
    call.evaluation.note(REPLACED, 0);
    call.evaluation.give(call.engine, found, &out)
}

fn run<'t, const N: usize>(
    call: &Call<'_, N>,
    target: impl KeyOrHandle<'t>,
    step: CounterStep<'_>,
    out: &mut Vec<u8>,
    done: &mut Incremented,
) -> Outcome<()> {
    let ttl = call.evaluation.take_ttl();
    let scratch = call.evaluation.scratch();
    let with_ttl = scratch.float(STEP_TTL) != 0.0;
    let map = call.map()?;
    map.local().increment(target, &Increment { step, ttl, with_ttl }, out, done)?;
    if let Some(written) = &done.written {
        call.evaluation.note_kept(done.kind, written, out.len());
    }
    note_left(scratch, with_ttl, done.left);
    Ok(())
}
