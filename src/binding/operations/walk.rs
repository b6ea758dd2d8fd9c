//! Walks over all entries, in the order of their insertion.

use crate::binding::convert::values::{key_to_js, value_to_js};
use crate::binding::engine::{Js, VALUES_PER_CALL};
use crate::binding::failure::{Failure, Outcome};
use crate::binding::layout::{STATE, WALK_ROW, WANT_KEYS, WANT_VALUES, row};
use crate::binding::operation::Call;
use crate::store::{KeyKind, ValueKind};

/// A walk ends after the entry with which it has come to so many bytes: 50 µs of copying. What was fetched and is not
/// visited is wasted, and a caller that asks for one entry should not pay for 256 of any size.
const WALK_BYTES: usize = 256 * 1_024;

/// `walk(id, after, count, want, states, sequences)`: the next entries after a sequence, at most `count` and as many
/// as fit into [`WALK_BYTES`], but at least one if there is any. Two cells for each, its row in `states`, its sequence
/// in `sequences`, and how many there are as STATE.
pub fn walk<'s>(call: &Call<'s, 6>) -> Outcome<Js<'s>> {
    let (map, engine, many) = (call.map()?, call.engine, call.evaluation.many());
    let mut after = engine.f64(call.argument(1))? as u64;
    let want = call.number(3)?;
    let states = engine.elements::<u32>(call.argument(4), many)?;
    let sequences = engine.elements::<f64>(call.argument(5), many)?;
    let count = (call.number(2)? as usize).min(states.len() / WALK_ROW).min(sequences.len());
    if count == 0 {
        return Err(Failure::Misuse("there is no room for an entry"));
    }
    let cells = engine.array()?;
    let (mut key_out, mut value_out) = (call.evaluation.key_buffer(), call.evaluation.value_buffer());
    let (mut steps, mut done, mut bytes) = (Vec::new(), 0, 0);
    // All entries of a stretch may be gone by the time they are read. Only a stretch without entries is the end.
    while done == 0 {
        map.local().walk(after, count, &mut steps)?;
        let Some(last) = steps.last() else { break };
        after = last.sequence;
        for steps in steps.chunks(VALUES_PER_CALL / 2) {
            engine.scoped(|engine| {
                let mut read = Vec::with_capacity(steps.len() * 2);
                for step in steps {
                    if bytes >= WALK_BYTES {
                        break;
                    }
                    let entry = if want & WANT_VALUES == 0 {
                        map.local().read_key(step.handle, &mut key_out)?
                    } else {
                        let entry = map.local().read_step(step.handle, &mut key_out, &mut value_out)?;
                        entry.map(|(key_kind, found)| (key_kind, found, value_out.len()))
                    };
                    let Some((key_kind, found, value_bytes)) = entry else { continue };
                    bytes += key_out.len() + if want & WANT_VALUES == 0 { 0 } else { value_bytes };
                    let mut entry = [0; WALK_ROW];
                    let words = row(found.kind as u32, &found.place, found.type_id, value_bytes);
                    entry[..WALK_ROW - 1].copy_from_slice(&words);
                    entry[WALK_ROW - 1] = key_kind as u32;
                    states.set(done * WALK_ROW, &entry);
                    sequences.set(done, &[step.sequence as f64]);
                    let key_kind = if want & WANT_KEYS == 0 { KeyKind::Keyless } else { key_kind };
                    read.push(key_to_js(engine, key_kind, &key_out)?);
                    let value_kind = if want & WANT_VALUES == 0 { ValueKind::Undefined } else { found.kind };
                    read.push(value_to_js(engine, value_kind, &value_out)?);
                    done += 1;
                }
                many.append(engine, cells, &read)
            })?;
        }
    }
    call.evaluation.note(STATE, done as u32);
    Ok(cells)
}
