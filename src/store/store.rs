//! A map: its shards and what they share.

use super::clock::Clock;
use super::config::Config;
use super::context::Context;
use super::error::Error;
use super::events::{Events, Level};
use super::local::Local;
use super::memory::Use;
use super::reaper::{self, Debris};
use super::shard::{Contents, Shard};
use super::stats::{Counters, MemoryStats, Operations, Stats};
use super::sync::{Arc, AtomicU32, AtomicU64, CachePadded, Mutex, Ordering, RwLock, process};

/// One map, for all threads of the process.
pub struct Store {
    instance: u32,
    config: Config,
    pub(super) context: Arc<Context>,
    shards: Box<[Shard]>,
    /// Where the next keyless entry goes.
    turn: AtomicU32,
    /// Bytes that `clear` took out and that are being freed.
    debris: Arc<AtomicU64>,
    counters: Mutex<CounterTable>,
    types: RwLock<Vec<String>>,
    clock: Clock,
}

#[derive(Default)]
struct CounterTable {
    threads: Vec<Arc<CachePadded<Counters>>>,
    /// Sums of threads that left.
    past: Operations,
}

/// Contents of a map on their way out.
struct Detached {
    contents: Vec<Contents>,
    bytes: usize,
    epoch: u64,
    context: Arc<Context>,
    debris: Arc<AtomicU64>,
}

impl Debris for Detached {
    fn bytes(&self) -> usize {
        self.bytes
    }

    fn is_unreachable(&self) -> bool {
        self.context.collector.is_past(self.epoch)
    }
}

impl Drop for Detached {
    fn drop(&mut self) {
        self.contents.clear();
        self.debris.fetch_sub(self.bytes as u64, Ordering::Release);
    }
}

impl Store {
    /// A new map. Fails if not even an empty one fits under the limit.
    pub fn new(config: &Config) -> Result<Arc<Self>, Error> {
        static NEXT_INSTANCE: process::AtomicU32 = process::AtomicU32::new(1);
        let config = config.normalised();
        let context = Arc::new(Context::new(&config));
        let shards = config.shards.unwrap_or(1);
        context.memory.reserve(Use::Fixed, Self::fixed_bytes(shards))?;
        let initial_capacity = config.initial_capacity.unwrap_or(0);
        let store = Self {
            instance: NEXT_INSTANCE.fetch_add(1, Ordering::Relaxed),
            shards: (0..shards).map(|number| Shard::new(number, &context)).collect(),
            config,
            context,
            turn: AtomicU32::new(0),
            debris: Arc::new(AtomicU64::new(0)),
            counters: Mutex::new(CounterTable::default()),
            types: RwLock::new(Vec::new()),
            clock: Clock::start(),
        };
        if initial_capacity > 0 {
            store.reserve(initial_capacity)?;
        }
        Ok(Arc::new(store))
    }

    /// Makes room in the index for this many entries at once, so that it does not grow until there are more. It does not
    /// shrink below that by itself.
    pub fn reserve(&self, entries: u64) -> Result<(), Error> {
        self.context.check()?;
        // Keys do not spread evenly: room for four standard deviations above a shard's share.
        let share = entries / u64::from(self.shards()) + 1;
        let share = share + 4 * share.isqrt();
        let share = usize::try_from(share).unwrap_or(usize::MAX);
        let reserved =
            self.as_participant(|| self.shards.iter().try_for_each(|shard| shard.reserve(&self.context, share)));
        if reserved.is_err() {
            // Not all or nothing would be room for some keys and a wasted limit for the others.
            self.shrink_to_fit()?;
        }
        reserved
    }

    /// Gives back what the entries that are there do not need: the index shrinks, step by step, to their number.
    pub fn shrink_to_fit(&self) -> Result<(), Error> {
        self.context.check()?;
        self.as_participant(|| self.shards.iter().try_for_each(|shard| shard.shrink_to_fit(&self.context)))
    }

    /// Whoever frees what was retired must be a participant. Callers from outside become one for as long as that takes.
    fn as_participant<T>(&self, work: impl FnOnce() -> T) -> T {
        let guest = self.context.collector.join();
        let answer = work();
        self.context.collector.leave(&guest);
        answer
    }

    fn fixed_bytes(shards: u32) -> usize {
        size_of::<Self>() + size_of::<Context>() + shards as usize * size_of::<Shard>()
    }

    /// Lets a thread take part.
    pub fn join(self: &Arc<Self>) -> Local {
        Local::new(Arc::clone(self))
    }

    /// Number of this map in the process, never used again.
    pub fn instance(&self) -> u32 {
        self.instance
    }

    /// What the map was made with, choices of its own filled in.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Number of shards, a power of two.
    pub fn shards(&self) -> u32 {
        self.shards.len() as u32
    }

    /// What happens in the map.
    pub fn events(&self) -> &Events {
        &self.context.events
    }

    pub(super) fn all_shards(&self) -> &[Shard] {
        &self.shards
    }

    pub(super) fn shard(&self, number: u32) -> Option<&Shard> {
        self.shards.get(number as usize)
    }

    /// The shard of a hash: its high bits choose, its low 32 are the tag.
    #[inline]
    pub(super) fn shard_of(&self, hash: u64) -> &Shard {
        &self.shards[(hash >> 40) as usize & (self.shards.len() - 1)]
    }

    /// Keyless entries go around.
    pub(super) fn next_shard(&self) -> &Shard {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        &self.shards[turn as usize & (self.shards.len() - 1)]
    }

    /// Entries in the map.
    pub fn len(&self) -> u64 {
        self.shards.iter().map(Shard::len).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes everything out, shard by shard, and lets the reaper free it.
    pub(super) fn clear(&self) -> u64 {
        let contents: Vec<Contents> = self.shards.iter().filter_map(|shard| shard.detach(&self.context)).collect();
        if contents.is_empty() {
            return 0;
        }
        let entries = contents.iter().map(Contents::entries).sum();
        let bytes: usize = contents.iter().map(Contents::bytes).sum();
        self.debris.fetch_add(bytes as u64, Ordering::Relaxed);
        reaper::dispose(Detached {
            contents,
            bytes,
            epoch: self.context.collector.seal(),
            context: Arc::clone(&self.context),
            debris: Arc::clone(&self.debris),
        });
        entries
    }

    /// Whether memory that was cleared is still being freed.
    pub(super) fn is_freeing(&self) -> bool {
        self.debris.load(Ordering::Acquire) > 0
    }

    /// Ends the map for all threads: what was in it is freed, and every operation fails with [`Error::Closed`].
    pub fn destroy(&self) {
        if self.context.destroy() {
            let entries = self.clear();
            self.context.events.log(Level::Info, "map.destroyed", &[("entries", entries)]);
        }
    }

    /// Whether [`Store::destroy`] was called.
    pub fn is_destroyed(&self) -> bool {
        self.context.check() == Err(Error::Closed)
    }

    /// The number of a type's name, from 1; the same for the same name.
    pub fn intern_type(&self, name: &str) -> u32 {
        let known = |types: &[String]| types.iter().position(|other| other == name).map(|n| n as u32 + 1);
        if let Some(id) = known(&self.types.read()) {
            return id;
        }
        let mut types = self.types.write();
        known(&types).unwrap_or_else(|| {
            types.push(name.to_owned());
            types.len() as u32
        })
    }

    /// The number of a type's name, if anything was ever inserted with it.
    pub fn type_id(&self, name: &str) -> Option<u32> {
        self.types.read().iter().position(|other| other == name).map(|n| n as u32 + 1)
    }

    /// The name of a type.
    pub fn type_name(&self, id: u32) -> Option<String> {
        self.types.read().get(id.checked_sub(1)? as usize).cloned()
    }

    pub(super) fn add_counters(&self) -> Arc<CachePadded<Counters>> {
        let counters = Arc::new(CachePadded(Counters::default()));
        self.counters.lock().threads.push(Arc::clone(&counters));
        counters
    }

    pub(super) fn forget_counters(&self, counters: &Arc<CachePadded<Counters>>) {
        let mut table = self.counters.lock();
        table.past.add(counters);
        table.threads.retain(|other| !Arc::ptr_eq(other, counters));
    }

    /// Sums over all threads and shards. Costs a lock per shard.
    pub fn stats(&self) -> Stats {
        let (operations, threads) = {
            let table = self.counters.lock();
            let mut operations = table.past;
            table.threads.iter().for_each(|counters| operations.add(counters));
            (operations, table.threads.len() as u64)
        };
        let (mut capacity, mut keyed, mut retired) = (0, 0, 0);
        for shard in &self.shards {
            let inventory = shard.inventory();
            capacity += inventory.0 as u64;
            keyed += inventory.1 as u64;
            retired += inventory.2 as u64;
        }
        let live = self.shards.iter().map(Shard::weight_bytes).sum();
        retired += self.debris.load(Ordering::Relaxed);
        Stats {
            entries: self.len(),
            operations,
            memory: MemoryStats::new(&self.context.memory, live, retired),
            capacity,
            load_factor: if capacity == 0 { 0.0 } else { keyed as f64 / capacity as f64 },
            shards: self.shards(),
            threads,
            uptime_ms: self.clock.elapsed_ms(),
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.clear();
        self.context.memory.release(Use::Fixed, Self::fixed_bytes(self.shards()));
    }
}
