//! Walks over all entries, in the order of their insertion.

use crate::binding::engine::Js;
use crate::binding::failure::{Failure, Outcome};
use crate::binding::layout::{
    COUNT, KEY_KIND, KEY_NUMBER, NUMBER, ROW, SEEN, SEQUENCE, STEP_ROW, WANT_KEYS, WANT_VALUES, row,
};
use crate::binding::operation::Call;
use crate::binding::operations::batch::gather::Gathered;

/// A walk ends after the entry with which it has come to so many bytes: 50 µs of copying. What was fetched and is not
/// visited is wasted, and a caller that asks for one entry should not pay for 256 of any size.
const WALK_BYTES: usize = 256 * 1_024;

/// `walk(id, after, count, want, table, type)`: the next entries after a sequence, at most `count` and as many as fit
/// into [`WALK_BYTES`], but at least one if there is any; those of a type, unless that is 0. A row for each in `table`,
/// and how many there are as COUNT. The result has the keys and values that the rows do not say, as that of a batch.
pub fn walk<'s>(call: &Call<'s, 6>) -> Outcome<Js<'s>> {
    let (map, engine, many) = (call.map()?, call.engine, call.evaluation.many());
    let mut after = engine.f64(call.argument(1))? as u64;
    let (want, type_id) = (call.number(3)?, call.number(5)?);
    let table = engine.elements::<u32>(call.argument(4), many)?;
    let count = (call.number(2)? as usize).min(table.len() / STEP_ROW);
    if count == 0 {
        return Err(Failure::Misuse("there is no room for an entry"));
    }
    let (wants_keys, wants_values) = (want & WANT_KEYS != 0, want & WANT_VALUES != 0);
    let (mut key_buffer, mut value_buffer) = (call.evaluation.key_buffer(), call.evaluation.value_buffer());
    let (key_out, value_out) = (&mut *key_buffer, &mut *value_buffer);
    let mut gathered = Gathered::new(engine, many);
    let (mut steps, mut done, mut bytes) = (Vec::new(), 0, 0);
    // All entries of a stretch may be gone by the time they are read. Only a stretch without entries is the end.
    while done == 0 {
        map.local().walk_of_type(type_id, after, count, &mut steps)?;
        let Some(last) = steps.last() else { break };
        after = last.sequence;
        for step in &steps {
            if bytes >= WALK_BYTES {
                break;
            }
            let ahead = map.local().ahead(step.handle);
            let mut value_len = 0;
            let entry = match (wants_keys, wants_values) {
                (true, true) => ahead.read_step(key_out, value_out)?,
                (false, true) => ahead.read_value(value_out)?,
                _ => {
                    let entry = ahead.read_key(key_out)?;
                    entry.map(|(key_kind, found, len)| {
                        value_len = len;
                        (key_kind, found)
                    })
                }
            };
            let Some((key_kind, found)) = entry else { continue };
            // It may have another type by now.
            if type_id != 0 && found.type_id != type_id {
                continue;
            }
            if wants_values {
                value_len = value_out.len();
                bytes += value_len;
            }
            if wants_keys {
                bytes += key_out.len();
            }
            let mut words = [0; STEP_ROW];
            words[..ROW].copy_from_slice(&row(found.kind as u32, &found.place, found.type_id, value_len));
            words[KEY_KIND] = key_kind as u32;
            let sequence = (step.sequence as f64).to_bits();
            words[SEQUENCE..SEQUENCE + 2].copy_from_slice(&[sequence as u32, (sequence >> 32) as u32]);
            words[SEEN] = ahead.seen();
            if wants_keys && let Some(number) = gathered.take_key(key_kind, key_out)? {
                words[KEY_NUMBER..KEY_NUMBER + 2].copy_from_slice(&number);
            }
            if wants_values && let Some(number) = gathered.take_of_walk(found.kind, value_out)? {
                words[NUMBER..NUMBER + 2].copy_from_slice(&number);
            }
            table.set_row(done * STEP_ROW, &words);
            done += 1;
        }
    }
    let cells = gathered.finish()?;
    call.evaluation.note(COUNT, done as u32);
    Ok(cells)
}
