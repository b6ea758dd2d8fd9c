//! How fast is the store itself, without JavaScript, next to the concurrent maps of the field?
//!
//! Every contender is asked the same through one trait, compiled once for each, so that nothing is called through a
//! pointer. A read looks at the first byte of the value, because a read that never touches the value is not one; an
//! insert makes whatever the map must own, key and value included. Keys are strings, read in an order that has nothing
//! to do with the order in which they were written.

use std::collections::HashMap;
use std::collections::hash_map::RandomState as SipHash;
use std::hash::BuildHasher;
use std::hint::black_box;
use std::sync::{Arc, Barrier, Mutex, PoisonError, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use ahash::RandomState as AHash;
use criterion::measurement::WallTime;
use criterion::{BatchSize, BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use typed_superdashmap::store::{Config, Handle, Key, Local, Store, Ttl, Value, ValueKind};

const ENTRIES: usize = 100_000;

/// Operations between two looks at the clock.
const PORTION: usize = 1_000;

const SMALL_VALUE: usize = 64;
const VALUE_SIZES: [usize; 4] = [64, 1_024, 8_192, 65_536];
const THREADS: [usize; 4] = [1, 2, 4, 8];

const KEY_SIZES: [usize; 4] = [8, 32, 128, 1_024];

/// Entries where values are large.
const FEW_ENTRIES: usize = 2_000;

const MEASUREMENT: Duration = Duration::from_secs(2);
const WARM_UP: Duration = Duration::from_millis(500);
const SAMPLES: usize = 30;

/// A map that threads share.
trait Contender: Sync + Sized {
    const NAME: &'static str;
    /// What one thread uses it through.
    type Session<'m>: Session
    where
        Self: 'm;
    fn new() -> Self;
    fn session(&self) -> Self::Session<'_>;
}

trait Session {
    fn insert(&self, key: &str, value: &[u8]);
    /// What `look` makes of the value, which it sees where the map keeps it.
    fn look<T>(&self, key: &str, look: impl FnOnce(&[u8]) -> T) -> Option<T>;
    /// The first byte of the value.
    fn read(&self, key: &str) -> Option<u8> {
        self.look(key, |value| value[0])
    }
}

// ---- the store
// -------------------------------------------------------------------------------------------------------

struct Typed(Arc<Store>);

fn new_store() -> Arc<Store> {
    Store::new(&Config::default()).expect("an empty store fits into memory")
}

impl Contender for Typed {
    const NAME: &'static str = "typed-superdashmap";
    type Session<'m> = Local;
    fn new() -> Self {
        Typed(new_store())
    }
    fn session(&self) -> Local {
        self.0.join()
    }
}

impl Session for Local {
    fn insert(&self, key: &str, value: &[u8]) {
        self.set(Key::string(key), bytes(value), Ttl::Default).expect("there is memory");
    }
    fn look<T>(&self, key: &str, look: impl FnOnce(&[u8]) -> T) -> Option<T> {
        self.with(Key::string(key), look).expect("the store is open")
    }
}

fn bytes(value: &[u8]) -> Value<'_> {
    Value { kind: ValueKind::Buffer, bytes: value }
}

// ---- the peers
// -------------------------------------------------------------------------------------------------------

/// What a map of Rust values owns: a key and a value of its own.
fn owned(key: &str, value: &[u8]) -> (String, Box<[u8]>) {
    (key.to_owned(), value.into())
}

/// A map under one lock. A lock is never poisoned here, because nothing panics under it.
macro_rules! locked {
    ($contender:ident, $name:literal, $lock:ident, $read:ident, $write:ident) => {
        struct $contender($lock<HashMap<String, Box<[u8]>>>);
        impl Contender for $contender {
            const NAME: &'static str = $name;
            type Session<'m> = &'m Self;
            fn new() -> Self {
                $contender($lock::new(HashMap::new()))
            }
            fn session(&self) -> &Self {
                self
            }
        }
        impl Session for &$contender {
            fn insert(&self, key: &str, value: &[u8]) {
                let (key, value) = owned(key, value);
                self.0.$write().unwrap_or_else(PoisonError::into_inner).insert(key, value);
            }
            fn look<T>(&self, key: &str, look: impl FnOnce(&[u8]) -> T) -> Option<T> {
                self.0.$read().unwrap_or_else(PoisonError::into_inner).get(key).map(|value| look(value))
            }
        }
    };
}

locked!(Rw, "RwLock<HashMap>", RwLock, read, write);
locked!(Mutexed, "Mutex<HashMap>", Mutex, lock, lock);

/// A concurrent map, with its default hasher and with the one that the store uses.
macro_rules! concurrent {
    (
        $contender:ident, $name:literal, $map:ty,
        $self:ident, $key:ident, $value:ident, $look:ident,
        $insert:expr, $read:expr
    ) => {
        struct $contender($map);
        impl Contender for $contender {
            const NAME: &'static str = $name;
            type Session<'m> = &'m Self;
            fn new() -> Self {
                $contender(<$map>::with_hasher(Default::default()))
            }
            fn session(&self) -> &Self {
                self
            }
        }
        impl Session for &$contender {
            fn insert(&$self, key: &str, value: &[u8]) {
                let ($key, $value) = owned(key, value);
                $insert;
            }
            fn look<T>(&$self, $key: &str, $look: impl FnOnce(&[u8]) -> T) -> Option<T> {
                $read
            }
        }
    };
}

macro_rules! dashmap {
    ($contender:ident, $name:literal, $hasher:ty) => {
        concurrent!(
            $contender,
            $name,
            dashmap::DashMap<String, Box<[u8]>, $hasher>,
            self,
            key,
            value,
            look,
            self.0.insert(key, value),
            self.0.get(key).map(|value| look(&value))
        );
    };
}
dashmap!(DashSip, "dashmap", SipHash);
dashmap!(DashAHash, "dashmap, ahash", AHash);

concurrent!(
    Papaya,
    "papaya, ahash",
    papaya::HashMap<String, Box<[u8]>, AHash>,
    self,
    key,
    value,
    look,
    self.0.pin().insert(key, value),
    self.0.pin().get(key).map(|value| look(value))
);

concurrent!(
    Scc,
    "scc, ahash",
    scc::HashMap<String, Box<[u8]>, AHash>,
    self,
    key,
    value,
    look,
    self.0.upsert_sync(key, value),
    self.0.read_sync(key, |_, value| look(value))
);

/// Runs `$run::<T>($arguments)` for every contender.
macro_rules! for_each {
    ($run:ident($($argument:expr),*)) => {
        $run::<Typed>($($argument),*);
        $run::<DashSip>($($argument),*);
        $run::<DashAHash>($($argument),*);
        $run::<Papaya>($($argument),*);
        $run::<Scc>($($argument),*);
        $run::<Rw>($($argument),*);
        $run::<Mutexed>($($argument),*);
    };
}

// ---- what they are asked
// ---------------------------------------------------------------------------------------------

fn keys(entries: usize) -> Vec<String> {
    (0..entries).map(|i| format!("user:{i}")).collect()
}

/// The same items in another order, always the same one.
fn shuffled<T: Clone>(items: &[T]) -> Vec<T> {
    let mut shuffled = items.to_vec();
    let mut state = 0x5eed_u64;
    for i in (1..shuffled.len()).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        shuffled.swap(i, (state >> 33) as usize % (i + 1));
    }
    shuffled
}

/// Portions of `items`, round and round.
fn portions<T>(items: &[T]) -> impl Iterator<Item = &[T]> {
    items.chunks_exact(PORTION).cycle()
}

fn filled<C: Contender>(keys: &[String], value: &[u8]) -> C {
    let map = C::new();
    let session = map.session();
    for key in keys {
        session.insert(key, value);
    }
    drop(session);
    map
}

fn portion_size() -> Throughput {
    Throughput::Elements(PORTION as u64)
}

fn configure(group: &mut BenchmarkGroup<'_, WallTime>) {
    group.measurement_time(MEASUREMENT).warm_up_time(WARM_UP).sample_size(SAMPLES);
}

/// Filling an empty map.
fn insert(criterion: &mut Criterion) {
    fn run<C: Contender>(group: &mut BenchmarkGroup<'_, WallTime>, keys: &[String]) {
        let value = [7; SMALL_VALUE];
        group.bench_function(C::NAME, |bencher| {
            bencher.iter_batched(
                C::new,
                |map| {
                    let session = map.session();
                    for key in keys {
                        session.insert(key, &value);
                    }
                    drop(session);
                    // Freed back, so that it is dropped outside the clock.
                    map
                },
                BatchSize::PerIteration,
            );
        });
    }
    let keys = keys(ENTRIES);
    let mut group = criterion.benchmark_group("insert");
    configure(&mut group);
    group.throughput(Throughput::Elements(ENTRIES as u64));
    for_each!(run(&mut group, &keys));
}

/// Reading by key, and for the store by handle, with one thread.
fn read(criterion: &mut Criterion) {
    fn run<C: Contender>(group: &mut BenchmarkGroup<'_, WallTime>, keys: &[String], order: &[String]) {
        let map: C = filled(keys, &[7; SMALL_VALUE]);
        let session = map.session();
        let mut portions = portions(order);
        group.bench_function(C::NAME, |bencher| {
            bencher.iter(|| {
                for key in portions.next().into_iter().flatten() {
                    assert_eq!(session.read(black_box(key)), Some(7));
                }
            });
        });
    }
    let keys = keys(ENTRIES);
    let order = shuffled(&keys);
    let mut group = criterion.benchmark_group("read");
    configure(&mut group);
    group.throughput(portion_size());
    for_each!(run(&mut group, &keys, &order));

    let (store, handles) = with_handles(&keys);
    let local = store.join();
    let mut portions = portions(&handles);
    group.bench_function("typed-superdashmap by handle", |bencher| {
        bencher.iter(|| {
            for handle in portions.next().into_iter().flatten() {
                assert_eq!(read_handle(&local, *black_box(handle)), Some(7));
            }
        });
    });
}

/// A filled store, and the handles of its entries in random order.
fn with_handles(keys: &[String]) -> (Arc<Store>, Vec<Handle>) {
    let Typed(store) = filled(keys, &[7; SMALL_VALUE]);
    let local = store.join();
    let place = |key: &String| local.place_of(Key::string(key)).expect("the store is open").expect("the key is there");
    let handles: Vec<Handle> = keys.iter().map(|key| place(key).handle).collect();
    (store, shuffled(&handles))
}

fn read_handle(local: &Local, handle: Handle) -> Option<u8> {
    local.with(handle, |value| value[0]).expect("the store is open")
}

/// Wall time of `rounds` portions in each of `threads` threads that begin together. `portion` is given the number of
/// the thread and that of the portion; `join` makes what the thread needs before the clock starts.
fn together<S>(
    threads: usize,
    rounds: u64,
    join: impl Fn() -> S + Sync,
    portion: impl Fn(&S, usize, u64) + Sync,
) -> Duration {
    let barrier = Barrier::new(threads + 1);
    thread::scope(|scope| {
        for thread in 0..threads {
            let (barrier, join, portion) = (&barrier, &join, &portion);
            scope.spawn(move || {
                let session = join();
                barrier.wait();
                for round in 0..rounds {
                    portion(&session, thread, round);
                }
                barrier.wait();
            });
        }
        barrier.wait();
        let started = Instant::now();
        barrier.wait();
        started.elapsed()
    })
}

/// Where a thread's portion begins in a list of `len`: threads start apart from each other.
fn portion_of(thread: usize, round: u64, len: usize) -> std::ops::Range<usize> {
    let count = len / PORTION;
    let at = (thread * count / THREADS[THREADS.len() - 1] + round as usize) % count * PORTION;
    at..at + PORTION
}

/// Reading from several threads at once.
fn read_threads(criterion: &mut Criterion) {
    fn run<C: Contender>(group: &mut BenchmarkGroup<'_, WallTime>, keys: &[String], order: &[String]) {
        let map: C = filled(keys, &[7; SMALL_VALUE]);
        for threads in THREADS {
            group.throughput(Throughput::Elements((PORTION * threads) as u64));
            group.bench_with_input(BenchmarkId::new(C::NAME, threads), &threads, |bencher, &threads| {
                bencher.iter_custom(|rounds| {
                    together(
                        threads,
                        rounds,
                        || map.session(),
                        |session, thread, round| {
                            for key in &order[portion_of(thread, round, order.len())] {
                                assert_eq!(session.read(black_box(key)), Some(7));
                            }
                        },
                    )
                });
            });
        }
    }
    let keys = keys(ENTRIES);
    let order = shuffled(&keys);
    let mut group = criterion.benchmark_group("read by threads");
    configure(&mut group);
    for_each!(run(&mut group, &keys, &order));

    let (store, handles) = with_handles(&keys);
    for threads in THREADS {
        group.throughput(Throughput::Elements((PORTION * threads) as u64));
        group.bench_with_input(
            BenchmarkId::new("typed-superdashmap by handle", threads),
            &threads,
            |bencher, &threads| {
                bencher.iter_custom(|rounds| {
                    together(
                        threads,
                        rounds,
                        || store.join(),
                        |local, thread, round| {
                            for handle in &handles[portion_of(thread, round, handles.len())] {
                                assert_eq!(read_handle(local, *black_box(handle)), Some(7));
                            }
                        },
                    )
                });
            },
        );
    }
}

/// Writing from several threads at once, each over keys that are there.
fn write_threads(criterion: &mut Criterion) {
    fn run<C: Contender>(group: &mut BenchmarkGroup<'_, WallTime>, keys: &[String], order: &[String]) {
        let value = [7; SMALL_VALUE];
        let map: C = filled(keys, &value);
        for threads in THREADS {
            group.throughput(Throughput::Elements((PORTION * threads) as u64));
            group.bench_with_input(BenchmarkId::new(C::NAME, threads), &threads, |bencher, &threads| {
                bencher.iter_custom(|rounds| {
                    together(
                        threads,
                        rounds,
                        || map.session(),
                        |session, thread, round| {
                            for key in &order[portion_of(thread, round, order.len())] {
                                session.insert(black_box(key), &value);
                            }
                        },
                    )
                });
            });
        }
    }
    let keys = keys(ENTRIES);
    let order = shuffled(&keys);
    let mut group = criterion.benchmark_group("write by threads");
    configure(&mut group);
    for_each!(run(&mut group, &keys, &order));
}

/// Writing and reading values from 64 bytes to 64 KB. A read copies the whole value: that is what leaves a shared map.
fn value_sizes(criterion: &mut Criterion) {
    fn run<C: Contender>(group: &mut BenchmarkGroup<'_, WallTime>, size: usize, keys: &[String], order: &[String]) {
        let value = vec![7; size];
        let map: C = filled(keys, &value);
        let session = map.session();
        let mut copy = Vec::with_capacity(size);
        let mut turn = portions(order);
        group.bench_with_input(BenchmarkId::new(format!("read, {}", C::NAME), size), &size, |bencher, _| {
            bencher.iter(|| {
                for key in turn.next().into_iter().flatten() {
                    copy.clear();
                    session.look(black_box(key), |value| copy.extend_from_slice(value)).expect("the key is there");
                    black_box(&copy);
                }
            });
        });
        let mut turn = portions(order);
        group.bench_with_input(BenchmarkId::new(format!("write, {}", C::NAME), size), &size, |bencher, _| {
            bencher.iter(|| {
                for key in turn.next().into_iter().flatten() {
                    session.insert(black_box(key), &value);
                }
            });
        });
    }
    let keys = keys(FEW_ENTRIES);
    let order = shuffled(&keys);
    let mut group = criterion.benchmark_group("value sizes");
    configure(&mut group);
    for size in VALUE_SIZES {
        group.throughput(Throughput::Bytes((size * PORTION) as u64));
        for_each!(run(&mut group, size, &keys, &order));
    }
}

/// What a hash of a string key costs, by its length: as the store computes it, next to the standard library's. ahash
/// takes AES instructions where the build allows them: `RUSTFLAGS=-Ctarget-feature=+aes cargo bench -- hash` is the
/// other row.
fn hash(criterion: &mut Criterion) {
    fn run(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, hasher: &impl BuildHasher) {
        for bytes in KEY_SIZES {
            let order: Vec<String> = (0..PORTION).map(|i| format!("{i:0bytes$}")).collect();
            group.bench_with_input(BenchmarkId::new(name, bytes), &bytes, |bencher, _| {
                bencher.iter(|| order.iter().fold(0, |all, key| all ^ hasher.hash_one(black_box(key))));
            });
        }
    }
    let mut group = criterion.benchmark_group("hash");
    configure(&mut group);
    group.throughput(portion_size());
    let ahash = if cfg!(target_feature = "aes") { "ahash, AES" } else { "ahash, no AES" };
    run(&mut group, ahash, &AHash::default());
    run(&mut group, "siphash", &SipHash::default());
}

/// Looking up keys that are there and keys that are not, with vector instructions and without.
fn simd(criterion: &mut Criterion) {
    let keys = keys(ENTRIES);
    let hits = shuffled(&keys);
    let misses: Vec<String> = hits.iter().map(|key| key.replace("user", "none")).collect();
    let mut group = criterion.benchmark_group("simd");
    configure(&mut group);
    group.throughput(portion_size());
    for simd in [true, false] {
        let config = Config { simd: Some(simd), seed: Some(1), ..Config::default() };
        let store = Store::new(&config).expect("an empty store fits into memory");
        let local = store.join();
        for key in &keys {
            Session::insert(&local, key, &[7; SMALL_VALUE]);
        }
        let level = store.stats().simd.level;
        for (what, order, expected) in [("present key", &hits, Some(7)), ("absent key", &misses, None)] {
            let mut portions = portions(order);
            group.bench_function(BenchmarkId::new(what, level), |bencher| {
                bencher.iter(|| {
                    for key in portions.next().into_iter().flatten() {
                        assert_eq!(local.read(black_box(key)), expected);
                    }
                });
            });
        }
    }
}

criterion_group!(benches, insert, read, read_threads, write_threads, value_sizes, hash, simd);
criterion_main!(benches);
