//! One thread of a history: what it does, the copies that it keeps, and what it writes down.

use std::sync::atomic::{AtomicU64, Ordering};

use super::*;
use crate::store::entry::fields::Layout;

/// Values of other threads begin above.
const NUMBERS_PER_THREAD: Number = 1 << 20;
/// Every so many values is this long, so that copying it takes a while.
const LONG_EVERY: Number = 32;
const LONG_BYTES: usize = 30_000;

/// What one thread saw, key by key. With an operation stands the handle that it was about or gave, for reads and
/// writes.
#[derive(Debug, Default)]
pub struct Recorded {
    pub keys: [Vec<(Operation, Option<Handle>)>; KEYS],
    /// Start and end of operations that were refused because the map was destroyed, and of the one that destroyed it.
    pub closed: Vec<(u64, u64)>,
    pub destroyed: Option<(u64, u64)>,
}

/// A copy of a value as JavaScript keeps it: fresh as long as the word says the version it was taken at.
#[derive(Debug)]
struct Copy {
    words: Arc<Words>,
    word: usize,
    version: u32,
    number: Number,
}

pub struct Thread<'a> {
    pub map: Local,
    profile: &'a Profile,
    clock: &'a AtomicU64,
    pub random: Random,
    next_number: Number,
    pub names: [String; KEYS],
    /// The handle that this thread uses for each key, and copies by key and by handle.
    handles: [Option<Handle>; KEYS],
    by_key: [Option<Copy>; KEYS],
    by_handle: [Option<Copy>; KEYS],
    /// The value that it has seen last of each key, 0 for none.
    pub seen: [Number; KEYS],
    out: Vec<u8>,
    pub recorded: Recorded,
}

/// Waits until all threads came here.
pub fn meet(stage: &AtomicU64) {
    stage.fetch_add(1, Ordering::AcqRel);
    let mut spins = 0;
    while stage.load(Ordering::Acquire) < THREADS as u64 {
        spins += 1;
        if spins > 1_000 {
            std::thread::yield_now();
        }
    }
}

fn length(number: Number) -> usize {
    if number.is_multiple_of(LONG_EVERY) { LONG_BYTES } else { 4 + (number % 7) as usize * 40 }
}

/// The shape of a value that is written as a record: more than the map has places for.
fn shape_of(number: Number) -> String {
    format!("shape {}", number / 3 % (2 * PLACES as Number))
}

/// The bytes of a value: its number, then its lowest byte again and again.
fn bytes_of(number: Number) -> Vec<u8> {
    let mut bytes = vec![number as u8; length(number)];
    bytes[..4].copy_from_slice(&number.to_le_bytes());
    bytes
}

fn number_of(bytes: &[u8]) -> Number {
    let number = bytes.first_chunk().map_or(0, |first| Number::from_le_bytes(*first));
    assert_eq!(bytes.len(), length(number), "a value is whole");
    assert!(bytes.len() == 4 || bytes.ends_with(&[number as u8]), "a value is of one write");
    number
}

/// The value of a counter.
fn counted(bytes: &[u8]) -> Number {
    bytes.try_into().map(Number::from_le_bytes).unwrap()
}

impl<'a> Thread<'a> {
    pub fn new(map: Local, profile: &'a Profile, clock: &'a AtomicU64, number: usize, seed: u64) -> Self {
        Self {
            map,
            profile,
            clock,
            random: Random(seed.wrapping_mul(THREADS as u64) + number as u64),
            next_number: NUMBERS_PER_THREAD * number as Number,
            names: std::array::from_fn(|key| format!("key-{key}")),
            handles: [None; KEYS],
            by_key: Default::default(),
            by_handle: Default::default(),
            seen: [0; KEYS],
            out: Vec::new(),
            recorded: Recorded::default(),
        }
    }

    /// Does so many operations; `destroys` ends the map at one of them.
    pub fn run(&mut self, operations: u32, destroys: bool) {
        let end = self.random.below(operations.into());
        let mut key = 0;
        for n in 0..operations {
            if destroys && u64::from(n) == end {
                self.destroy();
            }
            // Runs of operations on one key: what one of them sees, the next must not contradict.
            if self.random.below(4) == 0 {
                key = self.random.below(KEYS as u64) as usize;
            }
            self.step(key);
        }
    }

    fn step(&mut self, key: usize) {
        let Profile { clear, shrink, evict, purge, churn, queries, brief, .. } = *self.profile;
        let mut chance = self.random.below(1_000);
        for (weight, act) in [
            (clear, Self::clear as fn(&mut Self)),
            (shrink, |this| this.aside(|map| map.store().shrink_to_fit())),
            (evict, |this| this.aside(|map| map.evict(1).map(drop))),
            (purge, |this| this.aside(|map| map.purge_expired().map(drop))),
            (churn, Self::churn),
            (queries, Self::delete_by_query),
        ] {
            if chance < weight {
                return act(self);
            }
            chance -= weight;
        }
        if key == COUNTER {
            return match self.random.below(100) {
                0..40 => self.increment(),
                40..55 => self.compare_and_set_counter(),
                55..92 => self.get_counter(),
                92..96 => self.delete(key),
                _ if brief > 0 => self.touch(key),
                _ => self.has(key),
            };
        }
        match self.random.below(100) {
            0..22 => self.get(key),
            22..34 => self.get_native(key),
            34..52 => self.get_by_handle(key),
            52..58 => self.get_by_handle_native(key),
            58..64 => self.has(key),
            64..68 => self.find(key),
            68..84 => self.set(key),
            84..87 => self.replace(key),
            87..89 => self.compare_and_set(key),
            89..90 => self.transaction(key),
            90..94 => self.delete(key),
            94..96 => self.delete_handle(key),
            96..98 => self.remove(key),
            _ if brief > 0 => self.touch(key),
            _ => self.get(key),
        }
    }

    /// Reads everything in every way, when no thread writes any more.
    pub fn read_all(&mut self) {
        self.get_counter();
        for key in 0..COUNTER {
            self.get(key);
            self.get_native(key);
            self.get_by_handle(key);
            self.has(key);
        }
    }

    pub fn start(&self) -> u64 {
        self.clock.load(Ordering::SeqCst)
    }

    pub fn end(&self) -> u64 {
        self.clock.fetch_add(1, Ordering::SeqCst)
    }

    /// Does something that is about no key that is looked at, and may be refused.
    fn aside(&mut self, act: impl FnOnce(&Local) -> Result<(), Error>) {
        let start = self.start();
        match act(&self.map) {
            Err(Error::Closed) => self.recorded.closed.push((start, self.end())),
            Ok(()) | Err(Error::MemoryLimit { .. } | Error::ValueTooLarge { .. } | Error::EntryLimit { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }

    /// Does something with a key, and writes down what `seen` makes of the answer; `None` for a refused write.
    fn record<T>(
        &mut self,
        key: usize,
        handle: Option<Handle>,
        act: impl FnOnce(&mut Self) -> Result<T, Error>,
        seen: impl FnOnce(&T) -> Option<(Saw, Does, Option<Handle>)>,
    ) -> Option<T> {
        let start = self.start();
        let answer = act(self);
        let end = self.end();
        match answer {
            Ok(answer) => {
                if let Some((saw, does, about)) = seen(&answer) {
                    let operation = Operation { start, end, saw, does };
                    self.recorded.keys[key].push((operation, about.or(handle)));
                }
                Some(answer)
            }
            Err(Error::Closed) => {
                self.recorded.closed.push((start, end));
                None
            }
            Err(Error::MemoryLimit { .. } | Error::ValueTooLarge { .. } | Error::EntryLimit { .. }) => None,
            Err(error) => panic!("{error}"),
        }
    }

    fn hold(&mut self, key: usize, handle: Handle) {
        if self.handles[key].is_none() || self.handles[key] != Some(handle) && self.random.below(2) == 0 {
            self.handles[key] = Some(handle);
            self.by_handle[key] = None;
        }
    }

    /// Keeps a copy, if the store allows it and the words are there.
    fn keep(map: &Local, place: EntryLocation, number: Number) -> Option<Copy> {
        let stamp = place.stamp?;
        Some(Copy { words: map.words(stamp.chunk())?, word: stamp.word() as usize, version: stamp.version(), number })
    }

    fn fresh(copy: Option<&Copy>) -> Option<Number> {
        let copy = copy?;
        // As JavaScript reads it: one plain load.
        (copy.words.cells()[copy.word].load(Ordering::Relaxed) == copy.version).then_some(copy.number)
    }

    /// Writes a value as JavaScript does: some as records, if their shape is known by then, or becomes known.
    fn write(
        map: &Local,
        number: Number,
        bytes: &[u8],
        write: impl Fn(Value<'_>) -> Result<Written, Error>,
    ) -> Result<Written, Error> {
        let shape = if number.is_multiple_of(3) { map.publish_shape(&shape_of(number))? } else { None };
        if let Some(shape) = shape {
            let written = write(shaped(&record(shape, bytes)));
            if written != Err(Error::ShapeGone) {
                return written;
            }
        }
        write(bytes_value(bytes))
    }

    /// Reads a value as JavaScript does: again if it is a record whose shape is gone.
    fn read(
        &mut self,
        read: impl Fn(&Local, &mut Vec<u8>) -> Result<Option<Found>, Error>,
    ) -> Result<Option<(Found, Number)>, Error> {
        loop {
            let Some(found) = read(&self.map, &mut self.out)? else { return Ok(None) };
            if found.kind != ValueKind::Shaped {
                return Ok(Some((found, number_of(&self.out))));
            }
            let (shape, fields) = parts(&self.out);
            if let Some(definition) = self.map.shape(shape)? {
                let number = number_of(fields);
                assert_eq!(*definition, shape_of(number), "a record has its own shape");
                return Ok(Some((found, number)));
            }
        }
    }

    fn new_value(&mut self) -> (Number, Vec<u8>) {
        self.next_number += 1;
        (self.next_number, bytes_of(self.next_number))
    }

    fn ttl(&mut self) -> Ttl {
        let brief = self.profile.brief;
        if brief > 0 && self.random.below(brief) == 0 { Ttl::Of(1 + self.random.below(2)) } else { Ttl::Default }
    }

    fn set(&mut self, key: usize) {
        let (number, bytes) = self.new_value();
        let ttl = self.ttl();
        let written = self.record(
            key,
            None,
            |this| {
                Self::write(&this.map, number, &bytes, |value| this.map.set(Key::string(&this.names[key]), value, ttl))
            },
            |written| {
                let handle = written.place.handle;
                Some((Saw::AtMostTenant(handle), Does::Write(number), Some(handle)))
            },
        );
        if let Some(written) = written {
            self.hold(key, written.place.handle);
            // As JavaScript does with scalars.
            if self.by_key[key].is_some() && number % 2 == 0 {
                self.by_key[key] = Self::keep(&self.map, written.place, number);
            }
        }
    }

    /// Adds to the counter. What it met is the difference, nothing where the result is what was added.
    fn increment(&mut self) {
        let by = 1 + self.random.below(3) as Number;
        let ttl = self.ttl();
        let step = NumberStep { by: by.into(), initial: 0.0, min: f64::NEG_INFINITY, max: f64::INFINITY };
        let increment = Increment { step: CounterStep::Number(step), ttl, with_ttl: false };
        self.record(
            COUNTER,
            None,
            |this| {
                let mut done = Incremented::default();
                let key = Key::string(&this.names[COUNTER]);
                this.map.increment(key, &increment, &mut this.out, &mut done)?;
                let written = done.written.unwrap();
                let number = counted(&this.out);
                // As JavaScript does with scalars.
                if this.by_key[COUNTER].is_some() {
                    this.by_key[COUNTER] = Self::keep(&this.map, written.place, number);
                }
                Ok(number)
            },
            |&number| {
                let saw = if number == by { Saw::Absent } else { Saw::Value(number - by) };
                Some((saw, Does::Write(number), None))
            },
        );
    }

    /// Adds to the counter if it is what this thread has seen last.
    fn compare_and_set_counter(&mut self) {
        let expected = self.seen[COUNTER];
        let (bytes, next) = (expected.to_le_bytes(), (expected + 1).to_le_bytes());
        let [bytes, next] = [&bytes, &next].map(|bytes| Value { kind: ValueKind::Int, bytes });
        let ttl = self.ttl();
        self.record(
            COUNTER,
            None,
            |this| {
                let key = Key::string(&this.names[COUNTER]);
                let (mut asked, layout) = (Expected::new(bytes), Layout::default());
                let compared =
                    this.map.compare_and_set(key, &mut asked, next, ttl, &mut this.out, |_| Ok(Some(&layout)))?;
                let found = match compared {
                    Compared::Swapped(_) => Some(expected),
                    Compared::Different(_) => Some(counted(&this.out)),
                    Compared::Absent => None,
                };
                this.seen[COUNTER] = found.unwrap_or(0);
                // As JavaScript does.
                this.by_key[COUNTER] = match compared {
                    Compared::Swapped(written) => Self::keep(&this.map, written.place, expected + 1),
                    Compared::Different(found) => Self::keep(&this.map, found.place, this.seen[COUNTER]),
                    Compared::Absent => None,
                };
                Ok((found, matches!(compared, Compared::Swapped(_))))
            },
            |&(found, is_swapped)| {
                let does = if is_swapped { Does::Write(expected + 1) } else { Does::Nothing };
                Some((found.map_or(Saw::Absent, Saw::Value), does, None))
            },
        );
    }

    /// Writes a value if the one that this thread has seen last is there, by key or by handle.
    fn compare_and_set(&mut self, key: usize) {
        let expected = self.seen[key];
        let handle = self.handles[key].filter(|_| self.random.below(2) == 0);
        let (number, bytes) = self.new_value();
        let (asked, ttl) = (bytes_of(expected), self.ttl());
        self.record(
            key,
            handle,
            |this| {
                let name = this.names[key].clone();
                let target = handle.map_or(Target::Key(Key::string(&name)), Target::Handle);
                // Only values that are no records are expected, so what a shape means is not asked.
                let (mut asked, layout) = (Expected::new(bytes_value(&asked)), Layout::default());
                let next = bytes_value(&bytes);
                let compared =
                    this.map.compare_and_set(target, &mut asked, next, ttl, &mut this.out, |_| Ok(Some(&layout)))?;
                let found = match compared {
                    Compared::Swapped(_) => Some(expected),
                    Compared::Different(Found { kind: ValueKind::Shaped, .. }) => Some(number_of(parts(&this.out).1)),
                    Compared::Different(_) => Some(number_of(&this.out)),
                    Compared::Absent => None,
                };
                this.seen[key] = found.unwrap_or(0);
                if let (Compared::Swapped(written), None) = (compared, handle) {
                    this.by_key[key] = Self::keep(&this.map, written.place, number);
                }
                let written = if let Compared::Swapped(written) = compared { Some(written.place.handle) } else { None };
                Ok((found, written))
            },
            |&(found, written)| {
                let saw = match (found, handle) {
                    (Some(number), _) => Saw::Value(number),
                    (None, Some(handle)) => Saw::NoTenant(handle),
                    (None, None) => Saw::Absent,
                };
                Some((saw, if written.is_some() { Does::Write(number) } else { Does::Nothing }, written))
            },
        );
    }

    /// Reads a key, and writes it and another one, if nothing has changed meanwhile. For each of the two it is one step
    /// of the same time.
    fn transaction(&mut self, key: usize) {
        let other = (key + 1 + self.random.below(COUNTER as u64 - 1) as usize) % COUNTER;
        let (first, second) = (self.new_value(), self.new_value());
        let (ttl, deletes) = (self.ttl(), self.random.below(3) == 0);
        let names = [self.names[key].clone(), self.names[other].clone()];
        let [own, others] = [&names[0], &names[1]].map(|name| Target::Key(Key::string(name)));
        let start = self.start();
        let run = |this: &mut Self, transaction: &mut Transaction| {
            let saw = match transaction.get(&this.map, own, &mut this.out)? {
                None => Saw::Absent,
                // What its shape means may not be known any more.
                Some(ValueKind::Shaped) => Saw::Present,
                Some(_) => Saw::Value(number_of(&this.out)),
            };
            transaction.set(&this.map, own, bytes_value(&first.1), ttl)?;
            if deletes {
                transaction.delete(&this.map, others)?;
            } else {
                transaction.set(&this.map, others, bytes_value(&second.1), ttl)?;
            }
            transaction.commit(&this.map)?;
            Ok(saw)
        };
        let mut transaction = Transaction::default();
        let done = run(self, &mut transaction);
        let end = self.end();
        match done {
            Ok(saw) => {
                let place = |target| transaction.placed(&self.map, target).map(|place| place.handle);
                for (key, saw, number, handle) in
                    [(key, saw, first.0, place(own)), (other, Saw::Anything, second.0, place(others))]
                {
                    let does = if handle.is_some() { Does::Write(number) } else { Does::Delete };
                    self.recorded.keys[key].push((Operation { start, end, saw, does }, handle));
                }
            }
            Err(Error::Closed) => self.recorded.closed.push((start, end)),
            Err(
                Error::TransactionConflict
                | Error::MemoryLimit { .. }
                | Error::ValueTooLarge { .. }
                | Error::EntryLimit { .. },
            ) => {}
            Err(error) => panic!("{error}"),
        }
    }

    /// Reads the counter: a copy, if there is a fresh one.
    fn get_counter(&mut self) {
        self.record(
            COUNTER,
            None,
            |this| {
                if let Some(number) = Self::fresh(this.by_key[COUNTER].as_ref()) {
                    return Ok(Some(number));
                }
                let found = this.map.get(Key::string(&this.names[COUNTER]), &mut this.out)?;
                let read = found.map(|found| (found, counted(&this.out)));
                this.by_key[COUNTER] = read.and_then(|(found, number)| Self::keep(&this.map, found.place, number));
                this.seen[COUNTER] = read.map_or(0, |(_, number)| number);
                Ok(read.map(|(_, number)| number))
            },
            |number| Some((number.map_or(Saw::Absent, Saw::Value), Does::Nothing, None)),
        );
    }

    fn replace(&mut self, key: usize) {
        let Some(handle) = self.handles[key] else { return };
        let (number, bytes) = self.new_value();
        let ttl = self.ttl();
        self.record(
            key,
            Some(handle),
            |this| match Self::write(&this.map, number, &bytes, |value| this.map.replace(handle, value, ttl)) {
                Err(Error::HandleNotFound | Error::HandleInvalidated | Error::GenerationMismatch { .. }) => Ok(None),
                written => written.map(Some),
            },
            |written| match written {
                Some(_) => Some((Saw::Tenant(handle), Does::Write(number), None)),
                None => Some((Saw::NoTenant(handle), Does::Nothing, None)),
            },
        );
    }

    /// A read by key: a copy, if there is a fresh one, or else the store's value, which is kept.
    fn get(&mut self, key: usize) {
        self.record(
            key,
            None,
            |this| {
                if let Some(number) = Self::fresh(this.by_key[key].as_ref()) {
                    return Ok(Some(number));
                }
                let name = this.names[key].clone();
                let read = this.read(|map, out| map.get(Key::string(&name), out))?;
                this.seen[key] = read.map_or(0, |(_, number)| number);
                this.by_key[key] = read.and_then(|(found, number)| Self::keep(&this.map, found.place, number));
                Ok(read.map(|(_, number)| number))
            },
            |number| Some((number.map_or(Saw::Absent, Saw::Value), Does::Nothing, None)),
        );
    }

    fn get_native(&mut self, key: usize) {
        self.record(
            key,
            None,
            |this| {
                let name = this.names[key].clone();
                Ok(this.read(|map, out| map.peek(Key::string(&name), out))?.map(|(_, number)| number))
            },
            |number| Some((number.map_or(Saw::Absent, Saw::Value), Does::Nothing, None)),
        );
    }

    fn get_by_handle(&mut self, key: usize) {
        let Some(handle) = self.handles[key] else { return };
        let number = self.record(
            key,
            Some(handle),
            |this| {
                if let Some(number) = Self::fresh(this.by_handle[key].as_ref()) {
                    return Ok(Some(number));
                }
                let read = this.read(|map, out| map.get(handle, out))?;
                this.by_handle[key] = read.and_then(|(found, number)| Self::keep(&this.map, found.place, number));
                Ok(read.map(|(_, number)| number))
            },
            |number| Some((number.map_or(Saw::NoTenant(handle), Saw::Value), Does::Nothing, None)),
        );
        if number == Some(None) {
            self.handles[key] = None;
        }
    }

    fn get_by_handle_native(&mut self, key: usize) {
        let Some(handle) = self.handles[key] else { return };
        self.record(
            key,
            Some(handle),
            |this| Ok(this.read(|map, out| map.peek(handle, out))?.map(|(_, number)| number)),
            |number| Some((number.map_or(Saw::NoTenant(handle), Saw::Value), Does::Nothing, None)),
        );
    }

    fn has(&mut self, key: usize) {
        self.record(
            key,
            None,
            |this| this.map.has(Key::string(&this.names[key])),
            |&is_there| Some((if is_there { Saw::Present } else { Saw::Absent }, Does::Nothing, None)),
        );
    }

    fn find(&mut self, key: usize) {
        let place = self.record(
            key,
            None,
            |this| this.map.place_of(Key::string(&this.names[key])),
            |place| Some((place.map_or(Saw::Absent, |place| Saw::Tenant(place.handle)), Does::Nothing, None)),
        );
        if let Some(Some(place)) = place {
            self.hold(key, place.handle);
        }
    }

    fn delete(&mut self, key: usize) {
        self.by_key[key] = None;
        self.record(
            key,
            None,
            |this| this.map.delete(Key::string(&this.names[key])),
            |&was_there| {
                Some(if was_there { (Saw::Present, Does::Delete, None) } else { (Saw::Absent, Does::Nothing, None) })
            },
        );
    }

    fn delete_handle(&mut self, key: usize) {
        let Some(handle) = self.handles[key] else { return };
        self.by_handle[key] = None;
        self.record(
            key,
            Some(handle),
            |this| this.map.delete(handle),
            |&was_there| {
                Some(if was_there {
                    (Saw::Tenant(handle), Does::Delete, None)
                } else {
                    (Saw::NoTenant(handle), Does::Nothing, None)
                })
            },
        );
    }

    fn remove(&mut self, key: usize) {
        self.by_key[key] = None;
        self.record(
            key,
            None,
            |this| {
                let Some(found) = this.map.remove(Key::string(&this.names[key]), &mut this.out)? else {
                    return Ok(None);
                };
                if found.kind != ValueKind::Shaped {
                    return Ok(Some(number_of(&this.out)));
                }
                let (shape, fields) = parts(&this.out);
                let number = number_of(fields);
                // It cannot be read again, and this thread may use its shape until it removes another. Unless the map
                // has been destroyed since.
                let definition = this.map.shape(shape);
                let is_its = |text: Option<Arc<str>>| text.is_some_and(|text| *text == *shape_of(number));
                assert!(
                    definition.map_or_else(|error| error == Error::Closed, is_its),
                    "a removed record has its shape"
                );
                Ok(Some(number))
            },
            |number| {
                Some(match *number {
                    Some(number) => (Saw::Value(number), Does::Delete, None),
                    None => (Saw::Absent, Does::Nothing, None),
                })
            },
        );
    }

    fn touch(&mut self, key: usize) {
        let ttl = Ttl::Of(1 + self.random.below(2));
        self.record(
            key,
            None,
            |this| this.map.touch(Key::string(&this.names[key]), ttl),
            |&is_there| Some((if is_there { Saw::Present } else { Saw::Absent }, Does::Nothing, None)),
        );
    }

    fn clear(&mut self) {
        let start = self.start();
        let cleared = self.map.clear();
        let end = self.end();
        if cleared.is_ok() {
            self.delete_all(start, end);
        } else {
            self.recorded.closed.push((start, end));
        }
    }

    fn destroy(&mut self) {
        let start = self.start();
        self.map.store().destroy();
        let end = self.end();
        self.delete_all(start, end);
        self.recorded.destroyed = Some((start, end));
    }

    fn delete_all(&mut self, start: u64, end: u64) {
        for operations in &mut self.recorded.keys {
            let deletion = Operation { start, end, saw: Saw::Anything, does: Does::Delete };
            operations.push((deletion, None));
        }
    }

    /// Others come and go, so that the index grows, shrinks and moves, and memory is used again.
    fn churn(&mut self) {
        let other = format!("other-{}", self.random.below(400));
        let is_delete = self.random.below(3) == 0;
        let length = self.random.below(900) as usize;
        self.aside(|map| {
            if is_delete {
                return map.delete(Key::string(&other)).map(drop);
            }
            map.set(Key::string(&other), bytes_value(&vec![7; length]), Ttl::Default).map(drop)
        });
    }
}
