//! Decides whether what threads saw of one key can be explained by an entry that each operation looks at, and changes,
//! in one moment between its call and its return.
//!
//! The same search as in `__test__/support/linearizability.js`, which describes it: Wing and Gong's ("Testing and
//! Verifying Concurrent Objects", 1993) with Lowe's memory of configurations ("Testing for Linearizability", 2017).

use std::collections::{HashMap, HashSet};

use super::Handle;

/// The number of a value. Each is written once only.
pub type Number = u32;

/// What an operation says of the entry that it met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saw {
    Anything,
    Absent,
    Present,
    Value(Number),
    /// No entry, or one with another value.
    NotValue(Number),
    Tenant(Handle),
    /// The tenant was gone.
    NoTenant(Handle),
    /// There was no entry, or it was this tenant: what a write by key says that made or kept it.
    AtMostTenant(Handle),
}

/// What an operation does to the entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Does {
    Nothing,
    Write(Number),
    Delete,
}

/// An operation precedes another if its end is below the other's start.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    pub start: u64,
    pub end: u64,
    pub saw: Saw,
    pub does: Does,
}

/// The value of the entry, if there is one.
type State = Option<Number>;

type Tenants = HashMap<Number, Handle>;

fn agrees(operation: &Operation, state: State, tenants: &Tenants) -> bool {
    let tenant = state.and_then(|number| tenants.get(&number).copied());
    match operation.saw {
        Saw::Anything => true,
        Saw::Absent => state.is_none(),
        Saw::Present => state.is_some(),
        Saw::Value(number) => state == Some(number),
        Saw::NotValue(number) => state != Some(number),
        Saw::Tenant(handle) => tenant == Some(handle),
        Saw::NoTenant(handle) => tenant != Some(handle),
        Saw::AtMostTenant(handle) => tenant.is_none_or(|tenant| tenant == handle),
    }
}

fn after(operation: &Operation, state: State) -> State {
    match operation.does {
        Does::Nothing => state,
        Does::Write(number) => Some(number),
        Does::Delete => None,
    }
}

/// Takes all operations that may come next, change nothing and agree. Returns the clock by which the next one was
/// called.
fn take_agreeing(threads: &[Vec<Operation>], reached: &mut [usize], state: State, tenants: &Tenants) -> u64 {
    loop {
        let next = threads.iter().zip(reached.iter()).filter_map(|(operations, &at)| operations.get(at));
        let horizon = next.map(|operation| operation.end).min().unwrap_or(u64::MAX);
        let mut has_moved = false;
        for (operations, at) in threads.iter().zip(reached.iter_mut()) {
            let Some(operation) = operations.get(*at) else { continue };
            if operation.start <= horizon && operation.does == Does::Nothing && agrees(operation, state, tenants) {
                *at += 1;
                has_moved = true;
            }
        }
        if !has_moved {
            return horizon;
        }
    }
}

/// Operations of each thread that an account of a violation shows from before it and from it on.
const SHOWN: (usize, usize) = (8, 3);

/// Explains what threads saw of one key that was absent at first, or says what cannot be explained. `vanish`: the
/// entry may be gone at any time.
pub fn explain(threads: &[Vec<Operation>], tenants: &Tenants, vanish: bool) -> Result<(), String> {
    let total: usize = threads.iter().map(Vec::len).sum();
    let mut seen = HashSet::new();
    let mut open = vec![(vec![0; threads.len()], None)];
    let mut best = (0, open[0].clone());
    while let Some((mut reached, state)) = open.pop() {
        let horizon = take_agreeing(threads, &mut reached, state, tenants);
        let count = reached.iter().sum();
        if count == total {
            return Ok(());
        }
        if count >= best.0 {
            best = (count, (reached.clone(), state));
        }
        if !seen.insert((reached.clone(), state)) {
            continue;
        }
        let vanished = state.filter(|_| !vanish);
        let candidates = threads.iter().enumerate().filter_map(|(thread, operations)| {
            operations.get(reached[thread]).filter(|operation| operation.start <= horizon).map(|found| (thread, found))
        });
        let (mut agreeing, others): (Vec<_>, Vec<_>) =
            candidates.partition(|(_, operation)| agrees(operation, state, tenants));
        if vanished != state && others.iter().any(|(_, operation)| agrees(operation, vanished, tenants)) {
            open.push((reached.clone(), vanished));
        }
        // What returned first is tried first, so it is pushed last.
        agreeing.sort_by_key(|(_, operation)| std::cmp::Reverse(operation.end));
        for (thread, operation) in agreeing {
            let mut further = reached.clone();
            further[thread] += 1;
            open.push((further, after(operation, state)));
        }
    }
    Err(account(threads, &best.1.0, best.1.1))
}

fn account(threads: &[Vec<Operation>], reached: &[usize], state: State) -> String {
    let mut text = format!("nothing explains what follows; the entry would be {state:?}\n");
    for (thread, (operations, &at)) in threads.iter().zip(reached).enumerate() {
        let shown = at.saturating_sub(SHOWN.0)..(at + SHOWN.1).min(operations.len());
        for n in shown {
            let mark = if n < at { ' ' } else { '?' };
            text.extend([format!("{mark} thread {thread} {:?}\n", operations[n])]);
        }
    }
    text
}

mod tests {
    use super::*;

    const TENANT: Handle = Handle { shard: 0, slot: 1, generation: 1 };

    fn operation(start: u64, end: u64, saw: Saw, does: Does) -> Operation {
        Operation { start, end, saw, does }
    }

    #[test]
    fn a_value_that_was_overwritten_is_not_read_again() {
        let tenants = HashMap::from([(1, TENANT), (2, TENANT)]);
        let write = |start, end, number| operation(start, end, Saw::AtMostTenant(TENANT), Does::Write(number));
        let read = |start, end, number| operation(start, end, Saw::Value(number), Does::Nothing);
        let writer = vec![write(0, 0, 1), write(1, 9, 2)];
        let explain = |reads: Vec<Operation>| explain(&[writer.clone(), reads], &tenants, false).is_ok();
        assert!(explain(vec![read(1, 1, 1), read(2, 2, 2)]));
        assert!(!explain(vec![read(1, 1, 2), read(2, 2, 1)]), "time goes backwards");
        assert!(!explain(vec![read(10, 10, 1)]), "overwritten before the read began");
    }

    #[test]
    fn what_vanished_does_not_come_back() {
        let tenants = HashMap::from([(1, TENANT)]);
        let write = operation(0, 0, Saw::AtMostTenant(TENANT), Does::Write(1));
        let gone = operation(1, 1, Saw::Absent, Does::Nothing);
        let read = operation(2, 2, Saw::Value(1), Does::Nothing);
        let explain = |operations: &[Operation], vanish| explain(&[operations.to_vec()], &tenants, vanish).is_ok();
        assert!(!explain(&[write, gone], false));
        assert!(explain(&[write, gone], true));
        assert!(!explain(&[write, gone, read], true));
    }
}
