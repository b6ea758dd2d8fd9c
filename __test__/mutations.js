'use strict'

// The lines that the map's promises rest on, each with a change that breaks one, and the test that fails then.
// `scripts/mutations.js` makes the changes; `mutations.spec.js` checks that the lines are still there.
//
// If you change such a line, change it here, too. If you add one, add it here and run `npm run test:mutations -- WORD`.

/**
 * @typedef {object} Test how a mutation is found
 * @property {readonly string[]} [build] builds what the test runs
 * @property {readonly string[]} [test] without one, the build has to fail
 * @property {Record<string, string>} [environment]
 * @property {string} [rust] (part of) the name of a test of the store
 * @property {string} [spec] a spec file
 */

/** @typedef {{ name: string, file: string, from: string, to: string, test: string }} Mutation */

const rustTest = ['cargo', 'test', '--no-default-features', '--lib']
const build = ['npm', 'run', 'build']

/** A test of the store, by (part of) its name. */
const unit = (/** @type {string} */ filter) => ({
  rust: filter,
  build: [...rustTest, '--no-run'],
  test: [...rustTest, filter]
})

/** A test of the wall, by (part of) its name. */
const wall = (/** @type {string} */ filter) => ({
  rust: filter,
  build: ['cargo', 'test', '--lib', '--no-run'],
  test: ['cargo', 'test', '--lib', filter]
})

/** Models of the lock-free protocols, by the module they are in. */
const loom = (/** @type {string} */ filter) => ({
  rust: filter,
  environment: { RUSTFLAGS: '--cfg loom' },
  build: [...rustTest, '--release', '--no-run'],
  test: [...rustTest, '--release', filter]
})

/** A spec file; with words, its tests that have them in their names. */
const spec = (/** @type {string} */ file, /** @type {string} */ words = '') => {
  const place = `__test__/${file}.spec.js`
  const named = words === '' ? [] : [`--test-name-pattern=${words}`]
  return { spec: place, build, test: ['node', '--expose-gc', '--test', ...named, place] }
}

/** @type {Record<string, Test>} */
const TESTS = {
  /** The compiler: the mutation must not be accepted. */
  types: { build: ['cargo', 'check', '--no-default-features'] },
  'models of the index': loom('table::model'),
  'models of reclamation': loom('reclaim::model'),
  'models of slots': loom('models::slots'),
  'models of lives': loom('life::model'),
  'models of expiry': loom('shard::expiry::model'),
  'models of freshness': loom('models::freshness'),
  'models of shapes': loom('shapes'),
  'models of walks': loom('models::walks'),
  reclamation: unit('reclaim::tests'),
  slots: unit('slots::tests'),
  'fields of records': unit('fields::tests'),
  'bytes of entries': unit('block::tests'),
  'frequent items': unit('frequent::tests'),
  'optimal shards': unit('shard_count::tests'),
  'draws of shards': unit('map::draw::tests'),
  'hot keys': unit('hot_keys::tests'),
  'hot-keys.spec': spec('observe/hot-keys'),
  metrics: unit('metrics'),
  'metrics.spec': spec('observe/metrics'),
  'options-shown.spec': spec('observe/options'),
  'otel.spec': spec('otel/otel'),
  'foreseen evictions': unit('tests::foreseen'),
  'lengths of probes': unit('the_length_of_a_probe_is_what_a_reader_looks_at'),
  'free pages': unit('regions::tests'),
  'free runs': unit('free_runs::tests'),
  'version words': unit('words::tests'),
  'fields amid changes': wall('a_record_whose_shape_goes_before_it_is_looked_up_is_read_again'),
  'the naive map': unit('tests::model'),
  recoveries: unit('tests::recovery'),
  'the expiry thread': unit('thread::tests'),
  'remains of maps': unit('remains::tests'),
  'times of pins': unit('tests::pin_times'),
  'refused allocations': unit('tests::failures'),
  clocks: unit('clock::tests'),
  'test-clock.spec': spec('session/test-clock'),
  'timers.spec': spec('threads/timers', 'loaded the package'),
  'earlier deadlines': unit('an_earlier_deadline_wakes_the_thread'),
  'turns of debris': unit('what_waits_is_freed_in_turns'),
  'memory counts': unit('budget::tests'),
  pressure: unit('pressure::tests'),
  'the limit of the process': unit('tests::process_memory'),
  'models of the limit of the process': loom('models::process'),
  'maps under one limit': unit('tests::process::'),
  'counts of locks': unit('counted_lock::tests'),
  'locks.spec': spec('observe/locks'),
  'stats-numbers.spec': spec('observe/stats-numbers'),
  'stats-since.spec': spec('observe/stats-since'),
  'hit-counter.spec': spec('near/hit-counter'),
  'stats-near-hits.spec': spec('observe/stats-near-hits'),
  changes: unit('tests::changes'),
  'changes.spec': spec('observe/changes', 'recovery'),
  'log lines': unit('store::events'),
  'logs.spec': spec('observe/logs'),
  'unheard.spec': spec('observe/unheard'),
  'refusals.spec': spec('observe/refusals'),
  ghosts: unit('ghost::tests'),
  'ghost.spec': spec('observe/ghost'),
  'watched-methods.spec': spec('observe/watched-methods'),
  desks: unit('desk::tests'),
  'probes.spec': spec('observe/probes'),
  'channels.spec': spec('observe/channels'),
  latencies: unit('store::observe::latency'),
  histograms: unit('histogram::tests'),
  'latency.spec': spec('observe/latency'),
  'watch.spec': spec('inspector/watch'),
  'guard.spec': spec('inspector/guard', 'host|origin|token|paths'),
  'near-latency.spec': spec('observe/near-latency'),
  performance: unit('performance::tests'),
  'performance.spec': spec('observe/performance'),
  balance: unit('balance::tests'),
  'parts.spec': spec('inspector/parts'),
  'sliding reads': unit('a_sliding_read_prolongs_a_life_and_no_copy_is_kept'),
  'late reads': unit('what_a_read_found_to_be_over_is_not_prolonged_by_a_late_one'),
  'first deadlines': unit('a_first_deadline_ends_copies_where_hits_depend_on_it'),
  deadlines: unit('nothing_is_returned_after_its_deadline_by_any_path'),
  'updates under a limit': unit('an_update_for_which_others_leave_keeps_its_own_entry'),
  'growth under a limit': unit('growth_in_a_full_map_does_not_empty_it'),
  'exact LRU': unit('lru_with_one_shard_evicts_what_an_exact_lru_does'),
  threads: unit('tests::threads'),
  counters: unit('counter::tests'),
  'codec.spec': spec('entries/codec'),
  'increment.spec': spec('entries/increment'),
  'increment-at.spec': spec('entries/increment-at'),
  splices: unit('splice::tests'),
  'update.spec': spec('entries/update'),
  'load.spec': spec('entries/load'),
  'load-refresh.spec': spec('entries/load-refresh'),
  'load-stale.spec': spec('entries/load-stale'),
  'stale values': unit('tests::stale'),
  'loads.spec': spec('threads/loads'),
  'loads of the store': unit('tests::loads'),
  'models of commits': loom('models::commits'),
  transactions: unit('tests::transactions'),
  'transaction.spec': spec('entries/transaction'),
  'transactions.spec': spec('threads/transactions'),
  'compare-and-set.spec': spec('entries/compare-and-set'),
  'updates by threads': unit('tests::atomic'),
  'batches-each.spec': spec('entries/batches-each'),
  histories: unit('tests::histories'),
  'histories.spec': spec('threads/histories', 'one moment each'),
  'names of types': unit('types::tests'),
  'the table of shapes': unit('entry::shapes::tests'),
  'shapes of entries': unit('store::tests::shapes'),
  'insertion order': unit('order::tests'),
  'logs of types': unit('slab::typed::tests'),
  'entries of a type': unit('store::tests::typed'),
  'views.spec': spec('queries/views'),
  'views-schema.spec': spec('queries/views-schema'),
  'find.spec': spec('queries/find'),
  promises: wall('environment::pending'),
  'delete-where.spec': spec('queries/delete-where'),
  globs: unit('glob::tests'),
  'hashes of keys': unit('hash::tests'),
  folding: unit('folding::tests'),
  'held tables': unit('a_table_that_is_held_grows_when_it_has_to'),
  'growth.spec': spec('session/growth'),
  'key-options.spec': spec('entries/key-options'),
  'normalize-key.spec': spec('entries/normalize-key'),
  scans: unit('tests::scan'),
  queries: unit('query::tests'),
  equality: unit('equality::tests'),
  'refused fences': unit('tests::refused_fences'),
  'types for TypeScript': { build, test: ['node', 'scripts/types.js'] },
  'errors.spec': spec('session/errors'),
  'load-error.spec': spec('package/load-error'),
  'iteration.spec': spec('map/iteration'),
  'near-cache-bytes.spec': spec('near/near-cache-bytes', 'bounded steps'),
  'what loads remember': spec('near/near-cache-bytes', 'what loads remember'),
  'eviction.spec': spec('session/eviction'),
  'explain.spec': spec('observe/explain'),
  'near-cache.spec': spec('near/near-cache'),
  'out-of-memory.spec': spec('session/out-of-memory'),
  'raw-binding.spec': spec('native/raw-binding'),
  'records.spec': spec('map/records'),
  'shapes.spec': spec('map/shapes'),
  'fields.spec': spec('entries/fields'),
  'types-of-entries.spec': spec('entries/types-of-entries'),
  'handles.spec': spec('entries/handles'),
  'handle-get.spec': spec('entries/handle-get')
}

/**
 * @type {{ name: string, file: string, from: string, to: string, test: keyof typeof TESTS }[]}
 * `name`: what is broken. `from` stands once in `file`.
 */
/** @type {readonly Mutation[]} */
const LINES = [
  // ---- The index
  {
    name: 'deleting a word does not bump the move counter',
    file: 'src/store/index/table.rs',
    from: `                table.words()[hole].store(word, Ordering::Release);
                index.bump_moves();`,
    to: '                table.words()[hole].store(word, Ordering::Release);',
    test: 'models of the index'
  },
  {
    name: 'migrating a word does not bump the move counter',
    file: 'src/store/index/table.rs',
    from: `                tables.current.insert(word);
                index.bump_moves();`,
    to: '                tables.current.insert(word);',
    test: 'models of the index'
  },
  {
    name: 'a word is marked as moved before it is in its new place',
    file: 'src/store/index/table.rs',
    from: `                tables.current.insert(word);
                index.bump_moves();
                place.store(MOVED, Ordering::Release);`,
    to: `                place.store(MOVED, Ordering::Release);
                tables.current.insert(word);
                index.bump_moves();`,
    test: 'models of the index'
  },
  {
    name: 'a miss is not confirmed',
    file: 'src/store/index/table.rs',
    from: '            if self.moves.load(Ordering::Acquire) == moves {',
    to: '            if self.moves.load(Ordering::Acquire) >= moves.min(0) {',
    test: 'models of the index'
  },
  // ---- Reclamation
  {
    name: 'a reader does not fence between its pin and its first look',
    file: 'src/store/memory/reclaim.rs',
    from: `        participant.pinned.store(epoch, Ordering::Relaxed);
        light_fence();`,
    to: '        participant.pinned.store(epoch, Ordering::Relaxed);',
    test: 'models of reclamation'
  },
  {
    name: 'a writer does not fence before it looks at the pins',
    file: 'src/store/memory/reclaim.rs',
    from: 'if is_alone { None } else { Some(heavy_fence()?) }',
    to: 'None',
    test: 'models of reclamation'
  },
  {
    name: 'a writer that is one of two in the map takes itself for alone',
    file: 'src/store/memory/reclaim.rs',
    from: 'participants.iter().all(|one| std::ptr::eq(&raw const **one, by));',
    to: 'participants.iter().any(|one| std::ptr::eq(&raw const **one, by));',
    test: 'models of reclamation'
  },
  {
    name: 'the epoch of a fence is read after it',
    file: 'src/store/memory/reclaim.rs',
    from: 'Some(Fenced(self.fenced.fetch_max(epoch, Ordering::AcqRel).max(epoch)))',
    to: `let epoch = epoch.max(self.epoch.load(Ordering::Acquire));
        Some(Fenced(self.fenced.fetch_max(epoch, Ordering::AcqRel).max(epoch)))`,
    test: 'models of reclamation'
  },
  {
    name: 'a fence counts for batches that were sealed after it',
    file: 'src/store/memory/reclaim.rs',
    from: 'collector.oldest_pin().min(fenced.0)',
    to: 'collector.oldest_pin().min(fenced.0 + u64::MAX / 2)',
    test: 'reclamation'
  },
  {
    name: 'a grace period ends one epoch early',
    file: 'src/store/memory/reclaim.rs',
    from: 'self.sealed.front().is_some_and(|batch| batch.epoch < oldest)',
    to: 'self.sealed.front().is_some_and(|batch| batch.epoch <= oldest)',
    test: 'reclamation'
  },
  {
    name: 'what was cleared goes one epoch early',
    file: 'src/store/memory/reclaim.rs',
    from: 'epoch == 0 || epoch > sealed',
    to: 'epoch == 0 || epoch >= sealed',
    test: 'reclamation'
  },
  {
    name: 'an inner pin ends the outer one',
    file: 'src/store/memory/reclaim.rs',
    from: 'let is_inner = participant.pinned.load(Ordering::Relaxed) != 0;',
    to: 'let is_inner = participant.pinned.load(Ordering::Relaxed) == u64::MAX;',
    test: 'reclamation'
  },
  {
    name: 'the expiry thread is no participant of the fence',
    file: 'src/store/map/store.rs',
    from: '            self.as_guest(expire).ok()?;',
    to: '            expire(&self.context).ok()?;',
    test: 'types'
  },
  {
    name: 'clear does not wait for readers',
    file: 'src/store/map/store.rs',
    from: 'self.count.context.collector.is_past(self.epoch)',
    to: 'Some(self.epoch > 0)',
    test: 'histories'
  },
  {
    name: 'an evacuated block is freed at once',
    file: 'src/store/shard/upkeep.rs',
    from: 'let _ = writer.limbo.retire(Retired::Entry(entry), entry.weight_bytes());',
    to: 'unsafe { entry.free(&mut writer.arena, &context.memory) };',
    test: 'threads'
  },
  {
    name: 'a replaced value is freed at once',
    file: 'src/store/shard/write.rs',
    from: `        writer.retire(context, Retired::Entry(old), old.weight_bytes());
        if let Some(policy)`,
    to: `        unmake(writer, context, old, &mut None);
        if let Some(policy)`,
    test: 'threads'
  },
  {
    name: 'an outgrown index is freed at once',
    file: 'src/store/shard/upkeep.rs',
    from: `            writer.resized = Some(self.index.capacity());
            writer.retire_tables(context, tables);`,
    to: `            writer.resized = Some(self.index.capacity());
            drop(tables);`,
    test: 'threads'
  },
  // ---- Version words, and the order of steps in a change
  {
    name: 'a change does not end the copies before it',
    file: 'src/store/slab/words.rs',
    from: `    word.store(begun, Ordering::Relaxed);
    begun`,
    to: '    begun',
    test: 'models of freshness'
  },
  {
    name: 'a change settles on the version from before it',
    file: 'src/store/slab/words.rs',
    from: 'NonZeroU32::new(begun.wrapping_add(1)).unwrap_or(FIRST)',
    to: 'NonZeroU32::new(begun.wrapping_sub(1)).unwrap_or(FIRST)',
    test: 'version words'
  },
  {
    name: 'a word amid a change is a version',
    file: 'src/store/slab/words.rs',
    from: 'NonZeroU32::new(said).filter(|_| said & UNSETTLED == 0).map(Self)',
    to: 'NonZeroU32::new(said).map(Self)',
    test: 'models of freshness'
  },
  {
    name: 'clearing does not end copies',
    file: 'src/store/slab/words.rs',
    from: '            cell.store(0, Ordering::Release);',
    to: '            cell.load(Ordering::Relaxed);',
    test: 'models of freshness'
  },
  {
    name: 'clear detaches before copies have ended',
    file: 'src/store/shard/upkeep.rs',
    from: `        let ended = slots::CopiesEnded::in_words(context.words.withdraw(self.number));
`,
    to: '',
    test: 'types'
  },
  {
    name: 'clear does not end copies that threads hold',
    file: 'src/store/slab/word_table.rs',
    from: 'self.state.lock().given.remove(&shard).unwrap_or_default()',
    to: 'self.state.lock().given.remove(&shard).map(|_| Vec::new()).unwrap_or_default()',
    test: 'models of freshness'
  },
  {
    name: 'words are found after a clear that did not end them',
    file: 'src/store/slab/word_table.rs',
    from: '(now & !GIVEN == number).then_some(number | GIVEN)',
    to: 'Some(now | GIVEN).filter(|_| number < u32::MAX)',
    test: 'threads'
  },
  {
    name: 'words are given away unnoticed by a clear at the same time',
    file: 'src/store/slab/word_table.rs',
    from: '(now & !GIVEN == number).then_some(number | GIVEN)',
    to: '(now & !GIVEN == number).then_some(number)',
    test: 'models of freshness'
  },
  {
    name: 'clear takes the index before the slab',
    file: 'src/store/shard/upkeep.rs',
    from: `        let slab = self.slab.detach(&ended);
`,
    to: `        let tables = self.index.detach(&ended);
        let slab = self.slab.detach(&ended);
        drop(tables);
`,
    test: 'models of freshness'
  },
  {
    name: 'a deleted entry leaves the index before its slot',
    file: 'src/store/shard/write.rs',
    from: `        let Some(entry) = slot.change().vacate() else { return };
        if let Some(spot) = spot {
            writer.index.remove(&self.index, spot);`,
    to: `        if let Some(spot) = spot {
            writer.index.remove(&self.index, spot);
        }
        let Some(entry) = slot.change().vacate() else { return };
        if spot.is_some() {`,
    test: 'models of freshness'
  },
  {
    name: 'a value is exchanged after its change was settled',
    file: 'src/store/shard/write.rs',
    from: `        let _ = change.exchange(entry);
        let stamp = change.settle(self.life(context, number));`,
    to: `        let stamp = change.settle(self.life(context, number));
        let _ = change.exchange(entry);`,
    test: 'types'
  },
  {
    name: 'vacate raises the generation before it unlinks',
    file: 'src/store/slab/slots.rs',
    from: `        let old = self.replace(std::ptr::null_mut());
        slot.generation.store(slot.generation.load(Ordering::Relaxed) + 1, Ordering::Release);`,
    to: `        slot.generation.store(slot.generation.load(Ordering::Relaxed) + 1, Ordering::Release);
        let old = self.replace(std::ptr::null_mut());`,
    test: 'models of freshness'
  },
  {
    name: 'an entry is replaced without release',
    file: 'src/store/slab/slots.rs',
    from: `        slot.entry.store(entry, Ordering::Release);
        old`,
    to: `        slot.entry.store(entry, Ordering::Relaxed);
        old`,
    test: 'models of freshness'
  },
  {
    name: 'a slot keeps its generation from tenant to tenant',
    file: 'src/store/slab/slots.rs',
    from: 'slot.generation.store(slot.generation.load(Ordering::Relaxed) + 1, Ordering::Release);',
    to: 'slot.generation.store(slot.generation.load(Ordering::Relaxed), Ordering::Release);',
    test: 'slots'
  },
  {
    name: 'a slot is used again after its last generation',
    file: 'src/store/slab/slots.rs',
    from: '        if generation <= MAX_GENERATION {',
    to: '        if generation > 0 {',
    test: 'slots'
  },
  {
    name: 'a cleared shard begins with generations that it had before',
    file: 'src/store/slab/slots.rs',
    from: 'Self::new(self.max_generation + 1))',
    to: 'Self::new(self.base_generation))',
    test: 'the naive map'
  },
  {
    name: 'the generation of a handle is compared before its entry is read',
    file: 'src/store/shard/mod.rs',
    from: `        let tenant = self.tenant(handle.slot)?;
        // Pointer before generation: a match proves the tenant.
        (tenant.slot.generation() == handle.generation).then_some(tenant)`,
    to: `        let is_alive = self.slab.slot(handle.slot)?.generation() == handle.generation;
        let tenant = self.tenant(handle.slot)?;
        is_alive.then_some(tenant)`,
    test: 'models of slots'
  },
  {
    name: 'where an entry is, is not confirmed',
    file: 'src/store/shard/mod.rs',
    from: `        let stamp = self.slot.stamp();
        if self.slot.entry() != Some(self.entry) {
            return None;
        }`,
    to: '        let stamp = self.slot.stamp();',
    test: 'models of freshness'
  },
  // ---- Deadlines
  {
    name: 'a write gives a new deadline to what a reader found to be over',
    file: 'src/store/shard/write.rs',
    from: 'Ok(life.is_none_or(|(life, generation)| life.renew(span, generation)))',
    to: `if let Some((life, generation)) = life {
            life.set(span, generation);
        }
        Ok(true)`,
    test: 'models of expiry'
  },
  {
    name: 'a table that grows in a full map is taken for a large value',
    file: 'src/store/shard/context.rs',
    from: `            && value_bytes > MAX_BLOCK_BYTES
            && requested_bytes <= 2 * value_bytes as u64
`,
    to: '',
    test: 'growth under a limit'
  },
  {
    name: 'a life is read without a second look at the slot',
    file: 'src/store/shard/mod.rs',
    from: `        if tenant.slot.entry() != Some(tenant.entry) {
            return Liveness::Gone;
        }
`,
    to: '',
    test: 'models of expiry'
  },
  {
    name: 'a read that finds a deadline over leaves the copies',
    file: 'src/store/shard/mod.rs',
    from: `        if is_over {
            tenant.slot.end_copies(tenant.entry);
        }
`,
    to: '',
    test: 'models of expiry'
  },
  {
    name: 'a read that finds a deadline over amid a change does not hinder it',
    file: 'src/store/slab/words.rs',
    from: 'while seen != 0 && is_there() {',
    to: 'while seen != 0 && seen & UNSETTLED == 0 && is_there() {',
    test: 'models of expiry'
  },
  {
    name: 'a change is settled without a look at the life',
    file: 'src/store/slab/slots.rs',
    from: '            Some(life) if life.is_closed() => return None,\n',
    to: '',
    test: 'models of expiry'
  },
  {
    name: 'a change is settled over a reader that ended copies',
    file: 'src/store/slab/slots.rs',
    from: 'Some(_) => words::settle_unless_ended(word_of, self.begun)?',
    to: 'Some(_) => words::settle(word_of, self.begun)',
    test: 'models of expiry'
  },
  {
    name: 'an entry lives through the millisecond of its deadline',
    file: 'src/store/shard/mod.rs',
    from: 'let is_over = deadline_ms <= now_ms &&',
    to: 'let is_over = deadline_ms < now_ms &&',
    test: 'deadlines'
  },
  {
    name: 'a life is prolonged for any tenant',
    file: 'src/store/expiry/life.rs',
    from: 'if seen < next && deadline_ms > now_ms && seen == word(deadline_ms, generation) {',
    to: 'if seen < next && deadline_ms > now_ms {',
    test: 'models of lives'
  },
  {
    name: 'a read that found a deadline over does not close the life',
    file: 'src/store/shard/mod.rs',
    from: 'let is_over = deadline_ms <= now_ms && life.close(now_ms);',
    to: 'let is_over = deadline_ms <= now_ms && life.deadline_ms().is_some_and(|now| now <= now_ms);',
    test: 'late reads'
  },
  {
    name: 'a first deadline leaves the copies',
    file: 'src/store/shard/expiry.rs',
    from: 'let ends_copies = own.is_none() && span.is_some() && !context.keeps_expiring_copies();',
    to: 'let ends_copies = false;',
    test: 'first deadlines'
  },
  {
    name: 'copies are kept of entries with a deadline that a hit should move, or look at',
    file: 'src/store/shard/context.rs',
    from: '        !(self.sliding || self.strict_ttl)',
    to: '        (self.sliding || !self.sliding)',
    test: 'sliding reads'
  },
  {
    name: 'the expiry thread keeps its promise while it looks',
    file: 'src/store/expiry/thread.rs',
    from: `        shared.next_ms.store(NEVER, Ordering::Relaxed);
        // A map`,
    to: '        // A map',
    test: 'the expiry thread'
  },
  {
    name: 'the expiry thread forgets a promise that was made while it looked',
    file: 'src/store/expiry/thread.rs',
    from: 'shared.next_ms.fetch_min(next_ms.unwrap_or(NEVER), Ordering::Relaxed);',
    to: 'shared.next_ms.store(next_ms.unwrap_or(NEVER), Ordering::Relaxed);',
    test: 'the expiry thread'
  },
  {
    name: 'an earlier deadline does not wake the expiry thread',
    file: 'src/store/expiry/thread.rs',
    from: `        if state.is_running {
            self.0.wake.notify_one();`,
    to: '        if state.is_running {',
    test: 'earlier deadlines'
  },
  // ---- What a map tells of itself
  {
    name: 'a foreseen search does not count the lives that hits give',
    file: 'src/store/eviction/queues.rs',
    from: '(self.lives(slot) + self.hits(slot, access)).min(MAX_LIVES)',
    to: 'self.lives(slot).min(MAX_LIVES)',
    test: 'foreseen evictions'
  },
  {
    name: 'a look for a key counts no words of the old table',
    file: 'src/store/index/table.rs',
    from: 'Some(old) => old.run_length(tag) + steps(&tables.current),',
    to: 'Some(_) => steps(&tables.current),',
    test: 'lengths of probes'
  },
  {
    name: 'what is merged with a sketch brings no error along',
    file: 'src/store/observe/frequent.rs',
    from: '(self.error, self.total) = (self.error + other.error, total);',
    to: 'self.total = total;',
    test: 'frequent items'
  },
  {
    name: 'what a thread has sampled ends with it',
    file: 'src/store/observe/hot_keys.rs',
    from: 'let _ = self.past.lock().merge(&sampler.sketch.lock(), note(&is_there));',
    to: 'let _ = self.past.lock().merge(&Sketch::new(1).unwrap(), note(&is_there));',
    test: 'hot keys'
  },
  {
    name: 'a sample of near hits weighs as much as one of native reads',
    file: 'src/store/map/hot_keys.rs',
    from: 'self.note_sample(shard, tenant, NEAR_INTERVAL);',
    to: 'self.note_sample(shard, tenant, NATIVE_INTERVAL);',
    test: 'hot-keys.spec'
  },
  {
    name: 'metrics leave out what this thread has hit near',
    file: 'lib/observe/metrics.js',
    from: '  eachOpen(open => open.reportHits())\n',
    to: '',
    test: 'metrics.spec'
  },
  {
    name: 'what a meter observes leaves out what this thread has hit near',
    file: 'lib/observe/stats.js',
    from: '  eachOpen(open => open.reportHits())\n',
    to: '',
    test: 'otel.spec'
  },
  {
    name: 'metrics tell of maps that were destroyed',
    file: 'src/store/map/registry.rs',
    from: 'let mut maps: Vec<_> = living.map',
    to: 'let mut maps: Vec<_> = registry.iter().flatten().map',
    test: 'metrics.spec'
  },
  {
    name: 'the seed of a map is shown',
    file: 'src/binding/convert/options.rs',
    from: 'Setting::None | Setting::Secret(_) => Json::Null,',
    to: 'Setting::None => Json::Null,\n        Setting::Secret(seed) => json!(seed),',
    test: 'options-shown.spec'
  },
  {
    name: 'a duration is in the bucket before its own',
    file: 'src/store/observe/metrics/durations.rs',
    from: 'partition_point(|&bound| bound < ns)',
    to: 'partition_point(|&bound| bound < ns).saturating_sub(1)',
    test: 'metrics'
  },
  {
    name: 'a limit that a map has not is a sample',
    file: 'src/store/observe/metrics/families.rs',
    from: 'self.map(Number::Whole)',
    to: 'Some(Number::Whole(self.unwrap_or_default()))',
    test: 'metrics'
  },
  {
    name: 'a busy key asks for more shards',
    file: 'src/store/map/shard_count.rs',
    from: 'Some(mean) if busiest > others => others + mean.min(busiest),',
    to: 'Some(mean) if mean > sum.waits => others + mean.min(busiest),',
    test: 'optimal shards'
  },
  // ---- Memory and eviction
  {
    name: 'a map that has ended is asked for shards that it does not have',
    file: 'src/store/map/store.rs',
    from: 'self.clear_shards(member, from.min(to)..to);',
    to: 'self.clear_shards(member, from..to);',
    test: 'remains of maps'
  },
  {
    name: 'a stretch of a query looks at any number of slots',
    file: 'src/store/query/sweep.rs',
    from: 'const SLOTS: u32 = 256;',
    to: 'const SLOTS: u32 = 1 << 24;',
    test: 'times of pins'
  },
  {
    name: 'a stretch of a query takes any time for each slot',
    file: 'src/store/query/sweep.rs',
    from: 'const WORK: usize = 32 * 1_024;',
    to: 'const WORK: usize = usize::MAX;',
    test: 'times of pins'
  },
  {
    name: 'a long value is looked at under the pin that it was found under',
    file: 'src/store/query/sweep.rs',
    from: 'const LONG: usize = 16 * 1_024;',
    to: 'const LONG: usize = usize::MAX;',
    test: 'times of pins'
  },
  {
    name: 'a query that there is no memory for is none',
    file: 'src/store/query/parse.rs',
    from: 'refused => refused.into(),',
    to: '_ => parser.fault(allowed),',
    test: 'refused allocations'
  },
  {
    name: 'the background frees what a map left behind to its end before the next',
    file: 'src/store/memory/reaper.rs',
    from: `put_back(item, false);
                (0..RELEASES_PER_STEP)`,
    to: `put_back(item, true);
                (0..RELEASES_PER_STEP)`,
    test: 'turns of debris'
  },
  {
    name: 'a reservation may pass the limit once',
    file: 'src/store/memory/budget.rs',
    from: 'if used_bytes.saturating_add(bytes) > ceiling_bytes {',
    to: 'if used_bytes > ceiling_bytes {',
    test: 'memory counts'
  },
  {
    name: 'a dropped reservation keeps its bytes',
    file: 'src/store/memory/budget.rs',
    from: `    fn drop(&mut self) {
        self.memory.release(self.what, self.bytes);`,
    to: `    fn drop(&mut self) {
        self.memory.release(self.what, 0);`,
    test: 'memory counts'
  },
  {
    name: 'a write may evict the entry that it is about',
    file: 'src/store/shard/write.rs',
    from: '        writer.spared = Some(number);',
    to: '        writer.spared = None;',
    test: 'updates under a limit'
  },
  {
    name: 'the policy does not learn of removals',
    file: 'src/store/shard/write.rs',
    from: '            policy.remove(number, hash, cause == Cause::Evicted);',
    to: '            let _ = (policy, hash, cause);',
    test: 'exact LRU'
  },
  // ---- Shapes
  {
    name: 'a writer does not look whose place it has entered',
    file: 'src/store/entry/shapes/places.rs',
    from: 'let is_its = (before >> NUMBER_SHIFT) as u32 == number;',
    to: 'let is_its = number > 0 || before > 0;',
    test: 'models of shapes'
  },
  {
    name: 'a shape is freed though a shard has got an entry of it meanwhile',
    file: 'src/store/entry/shapes/places.rs',
    from: 'self.0.compare_exchange(unused, 0, Ordering::Acquire, Ordering::Relaxed).is_ok()',
    to: 'self.0.load(Ordering::Acquire) == unused && self.0.swap(0, Ordering::Acquire) > 0',
    test: 'models of shapes'
  },
  {
    name: 'a place gets a number that is stored over a user that is about to leave',
    file: 'src/store/entry/shapes/places.rs',
    from: 'self.0.fetch_add(u64::from(number) << NUMBER_SHIFT, Ordering::Relaxed);',
    to: 'self.0.store(u64::from(number) << NUMBER_SHIFT, Ordering::Relaxed);',
    test: 'models of shapes'
  },
  {
    name: 'the thread that gives a place away does not see what its last user took away',
    file: 'src/store/entry/shapes/places.rs',
    from: 'self.0.fetch_sub(1, Ordering::Release);',
    to: 'self.0.fetch_sub(1, Ordering::Relaxed);',
    test: 'models of shapes'
  },
  {
    name: 'a shape that is held makes room for another',
    file: 'src/store/entry/shapes/table.rs',
    from: `            if row.holds == 0 {
                place.enter(number);
            }
`,
    to: '            let _ = place;\n',
    test: 'the table of shapes'
  },
  {
    name: 'a place gets the number that it had',
    file: 'src/store/entry/shapes/table.rs',
    from: '                    *number = next;\n',
    to: '                    let _ = next;\n',
    test: 'the table of shapes'
  },
  {
    name: 'a shard that goes stays a user of its shapes',
    file: 'src/store/entry/shapes/counts.rs',
    from: 'self.tally.iter().for_each(|(number, _)| self.leave_shape(number));',
    to: '',
    test: 'shapes of entries'
  },
  {
    name: 'a record that is overwritten stays counted',
    file: 'src/store/shard/write.rs',
    from: 'writer.leave_shape(reshaped.from);',
    to: 'let _ = reshaped.from;',
    test: 'shapes of entries'
  },
  {
    name: 'a record that is removed stays counted',
    file: 'src/store/shard/write.rs',
    from: '        writer.leave_shape(entry.shape());\n',
    to: '',
    test: 'shapes of entries'
  },
  {
    name: 'a record whose deadline could not be set stays counted',
    file: 'src/store/shard/write.rs',
    from: 'writer.leave_shape(reshaped.to);',
    to: 'let _ = reshaped.to;',
    test: 'shapes of entries'
  },
  {
    name: 'a record that was not inserted stays counted',
    file: 'src/store/shard/write.rs',
    from: `            writer.leave_shape(shape);
            writer.typed.tidy`,
    to: '            writer.typed.tidy',
    test: 'shapes of entries'
  },
  {
    name: 'the shape of a removed record goes before it was read',
    file: 'src/store/map/local.rs',
    from: 'self.removed_shape.set(self.store.context.shapes.hold(number));',
    to: 'self.removed_shape.set(self.store.context.shapes.hold(number).filter(|_| false));',
    test: 'shapes of entries'
  },
  {
    name: 'the shape of a reported record goes before its listener reads it',
    file: 'src/store/observe/report.rs',
    from: 'entry.shape().and_then(|number| shapes.hold(number))',
    to: 'entry.shape().filter(|_| false).and_then(|number| shapes.hold(number))',
    test: 'shapes of entries'
  },
  // ---- Changes
  {
    name: 'a large entry is freed while a report of it waits',
    file: 'src/store/entry/block.rs',
    from: 'self.owners().fetch_sub(1, Ordering::AcqRel) == 1',
    to: 'self.owners().fetch_sub(1, Ordering::AcqRel) >= 1',
    test: 'changes'
  },
  {
    name: 'a large entry that only a report has counts as memory of the map',
    file: 'src/store/entry/block.rs',
    from: 'large::count_off(size, memory);',
    to: '',
    test: 'bytes of entries'
  },
  {
    name: 'a large value is copied for each that is told',
    file: 'src/store/observe/report.rs',
    from: 'let held = if is_carried { Held::new(entry) } else { None };',
    to: 'let held: Option<Held> = None;',
    test: 'changes'
  },
  {
    name: 'an insertion is no change that is reported',
    file: 'src/store/shard/write.rs',
    from: 'writer.has_news |= context.removals.tell_created(entry, place.handle);',
    to: '',
    test: 'changes'
  },
  {
    name: 'an insertion of a transaction is no change that is reported',
    file: 'src/store/shard/commit.rs',
    from: 'writer.has_news |= context.removals.tell_created(new, place.handle);',
    to: '',
    test: 'changes'
  },
  {
    name: 'a change is reported before what it replaced',
    file: 'src/store/observe/changes.rs',
    from: `        self.push(old, handle, What::Removed(Cause::Replaced));
        self.push(new, handle, What::Updated);`,
    to: `        self.push(new, handle, What::Updated);
        self.push(old, handle, What::Removed(Cause::Replaced));`,
    test: 'changes'
  },
  {
    name: 'changes of keys that begin otherwise take room',
    file: 'src/store/observe/queue.rs',
    from: 'KeyKind::String => entry.key().bytes().starts_with(bytes),',
    to: 'KeyKind::String => entry.key().bytes().starts_with(&bytes[..0]),',
    test: 'changes'
  },
  {
    name: 'a clear looks at any number of keys that begin otherwise',
    file: 'src/store/observe/queue.rs',
    from: 'waiting.passed_over += 1;',
    to: 'waiting.passed_over += 0;',
    test: 'changes'
  },
  {
    name: 'a listener that matched nothing is not woken again',
    file: 'src/store/observe/changes.rs',
    from: 'let has_more = taken > 0 || dropped > 0;',
    to: 'let has_more = (taken > 0 && out.len() > before) || dropped > 0;',
    test: 'changes'
  },
  {
    name: 'what a recovery lost is not said to listeners',
    file: 'src/store/shard/rebuild.rs',
    from: 'context.removals.tell_missed(u64::from(is_in_doubt).max(tally.dropped + tally.expired));',
    to: '',
    test: 'changes.spec'
  },
  // ---- The near cache
  {
    name: 'a copy is kept although native code says that nothing would end it',
    file: 'lib/near/near-cache.js',
    from: ' || states[row + CHUNK] === UNKEPT || states[row + VERSION] === 0)',
    to: ')',
    test: 'near-cache.spec'
  },
  {
    name: 'a hit by key is not marked for the policy',
    file: 'lib/map.js',
    from: '      if (marks < limit) words[word + 1] = marks + 1\n',
    to: '',
    test: 'explain.spec'
  },
  {
    name: 'a hit by key is not noted where hits are kept in order',
    file: 'lib/map.js',
    from: 'if (limit === 0 || near.left <= near.end) return near.recordKey',
    to: 'if (near.left <= near.end) return near.recordKey',
    test: 'eviction.spec'
  },
  {
    name: 'the copy of a key is taken for fresh',
    file: 'lib/map.js',
    from: `
    if (word < 0 || words[word] !== seen[place | 1])`,
    to: `
    if (word < 0)`,
    test: 'near-cache.spec'
  },
  {
    name: 'the copy of a key that was not read lately is taken for fresh',
    file: 'lib/near/copies.js',
    from: `    if (this.kept[place][word] !== seen[place | 1]) return false
`,
    to: '',
    test: 'near-cache.spec'
  },
  {
    name: 'the copy of a handle is taken for fresh',
    file: 'lib/handle.js',
    from: ' && value.#words[value.#word] === value.#version',
    to: '',
    test: 'near-cache.spec'
  },
  {
    name: 'a handle that answers for itself takes its copy for fresh',
    file: 'lib/handle.js',
    from: 'if (word < 0 || this.#words[word] !== this.#version)',
    to: 'if (word < 0)',
    test: 'handle-get.spec'
  },
  {
    name: 'a handle answers for a map that was closed',
    file: 'lib/session/open-map.js',
    from: '    this.origin.close()\n',
    to: '',
    test: 'handle-get.spec'
  },
  {
    name: 'the guest is taken for fresh',
    file: 'lib/near/near-cache.js',
    from: '    if (!guest.isFresh(item)) return STALE',
    to: '    if (guest.item !== item) return STALE',
    test: 'near-cache.spec'
  },
  {
    name: 'a handle of another map reads an entry of this one',
    file: 'lib/session/open-map.js',
    from: 'if (handle.map === this.instance) return true',
    to: 'if (handle.map >= 0) return true',
    test: 'handles.spec'
  },
  {
    name: 'the sweep takes a copy that takes no bytes for fresh',
    file: 'lib/near/ring.js',
    from: '    if (freed === FRESH) return false',
    to: '    if (freed <= 0) return false',
    test: 'near-cache-bytes.spec'
  },
  // ---- The system refuses
  {
    name: 'a read whose copy cannot be allocated ends the process',
    file: 'src/store/platform/fallible.rs',
    from: '        reserve_for_copy(out, bytes.len())?;',
    to: '        out.reserve(bytes.len());',
    test: 'out-of-memory.spec'
  },
  {
    name: 'a buffer for a copy is made where a refusal ends the process',
    file: 'src/binding/engine/make.rs',
    from: '        if len < REFUSABLE_BYTES {',
    to: '        if len < usize::MAX - REFUSABLE_BYTES {',
    test: 'out-of-memory.spec'
  },
  {
    name: 'membarrier is relied on once it was announced',
    file: 'src/store/platform/sync.rs',
    from: 'if announce() && command() { YES }',
    to: 'if announce() { YES }',
    test: 'refused fences'
  },
  {
    name: 'a fence that the system refused counts as one',
    file: 'src/store/platform/sync.rs',
    from: '            command() || announce() && command()',
    to: '            command() || announce()',
    test: 'refused fences'
  },
  // ---- What an entry's header says
  {
    name: 'a large entry is not found by its key',
    file: 'src/store/entry/block.rs',
    from: 'return head & KIND_MASK == LARGE && self.key() == key;',
    to: 'return false;',
    test: 'bytes of entries'
  },
  {
    name: 'of the length of a key that is sought only the bits of a header are compared',
    file: 'src/store/entry/block.rs',
    from: 'if u64::from(head & KEY_MASK) != key.kind_and_len() {',
    to: 'if head & KEY_MASK != key.kind_and_len() as u32 & KEY_MASK {',
    test: 'bytes of entries'
  },
  {
    name: 'a damaged length leads validation out of its table',
    file: 'src/store/entry/block.rs',
    from: 'self.is_large() || size <= MAX_BLOCK_BYTES && unsafe',
    to: 'self.is_large() || unsafe',
    test: 'bytes of entries'
  },
  // ---- What users name
  {
    name: 'names of types are not counted',
    file: 'src/store/entry/types.rs',
    from: '        self.held.grow(name.len() + NAME_BYTES)?;',
    to: '        self.held.grow(0)?;',
    test: 'types-of-entries.spec'
  },
  {
    name: 'names of types stay when their entries are gone',
    file: 'src/store/entry/types.rs',
    from: '        let is_crowded = idle.len() > IDLE_TYPES;',
    to: '        let is_crowded = idle.len() > usize::MAX - IDLE_TYPES;',
    test: 'names of types'
  },
  {
    name: 'there may be any number of types',
    file: 'src/store/entry/types.rs',
    from: '        if self.by_id.len() == MAX_TYPES {',
    to: '        if self.by_id.len() == usize::MAX - MAX_TYPES {',
    test: 'names of types'
  },
  {
    name: 'the error about a key that is an object does not name map.handle',
    file: 'lib/errors.js',
    from: "(given === 'object' ? '; map.handle(data) makes a handle of what postMessage or JSON made of one' : ''),",
    to: "    '',",
    test: 'errors.spec'
  },
  // ---- Insertion order
  {
    name: 'segments without entries stay in the middle of the order',
    file: 'src/store/slab/order.rs',
    from: `            self.segments[number as usize].reset();
        } else {`,
    to: `            self.segments[number as usize].reset();
        } else if self.segments[number as usize].older == NONE {`,
    test: 'insertion order'
  },
  {
    name: 'segments that are nearly empty are not joined',
    file: 'src/store/slab/order.rs',
    from: '            if segment.live.is_multiple_of(LOOK_EACH) {',
    to: '            if segment.live.is_multiple_of(u32::MAX - LOOK_EACH) {',
    test: 'insertion order'
  },
  {
    name: 'numbers of segments are not used again',
    file: 'src/store/slab/order.rs',
    from: 'if self.vacant == NONE { self.segments.len() } else { self.vacant as usize };',
    to: 'self.segments.len();',
    test: 'insertion order'
  },
  {
    name: 'a segment gets a number that positions cannot tell apart',
    file: 'src/store/slab/order.rs',
    from: '        if number == MAX_SEGMENTS {',
    to: '        if number == usize::MAX - MAX_SEGMENTS {',
    test: 'insertion order'
  },
  // ---- Types of entries
  {
    name: 'a small neighbour in the log of a type is not joined',
    file: 'src/store/slab/typed/log.rs',
    from: 'if cells > JOINED_CELLS || older.high() != newer.high() {',
    to: 'if cells > 1 || older.high() != newer.high() {',
    test: 'logs of types'
  },
  {
    name: 'neighbours whose sequences are far apart are joined',
    file: 'src/store/slab/typed/log.rs',
    from: 'if cells > JOINED_CELLS || older.high() != newer.high() {',
    to: 'if cells > JOINED_CELLS {',
    test: 'logs of types'
  },
  {
    name: 'a log keeps the segment of an entry that did not come',
    file: 'src/store/slab/typed/log.rs',
    from: 'if self.segments.get(at).is_some_and(|segment| segment.cells.is_empty()) {',
    to: 'if self.segments.get(at).is_some_and(|segment| segment.cells.len() > SEGMENT_CELLS) {',
    test: 'logs of types'
  },
  {
    name: 'an entry that gets another type stays in the log of the old one',
    file: 'src/store/shard/write.rs',
    from: `        if self.from != 0 {
            writer.leave_type`,
    to: `        if self.from != 0 && self.to != 0 {
            writer.leave_type`,
    test: 'entries of a type'
  },
  {
    name: 'a write to a type that is refused leaves its room in the log',
    file: 'src/store/shard/write.rs',
    from: '            writer.typed.tidy(draft.type_id, sequence);',
    to: '',
    test: 'entries of a type'
  },
  {
    name: 'a write gives its type to an entry of another',
    file: 'src/store/shard/write.rs',
    from: 'if type_id != had && type_id != 0 && had != 0 {',
    to: 'if type_id != had && type_id != 0 && had == SAME_TYPE {',
    test: 'entries of a type'
  },
  {
    name: 'a large entry is stored with the type that it was made with before the lock',
    file: 'src/store/shard/write.rs',
    from: 'if prepared.as_mut().is_some_and(|prepared| prepared.type_id() == type_id && prepared.respell(key)) {',
    to: 'if prepared.as_ref().is_some() {',
    test: 'entries of a type'
  },
  {
    name: 'an entry is deleted whatever its type is',
    file: 'src/store/map/typed.rs',
    from: 'is_other = tenant.entry.type_id() != type_id;',
    to: 'is_other = tenant.entry.type_id() == 0;',
    test: 'entries of a type'
  },
  {
    name: 'an entry of another type counts as used',
    file: 'src/store/map/typed.rs',
    from: 'let found = self.find(target, Look::Peek, |shard, tenant| {',
    to: 'let found = self.find(target, Look::Use, |shard, tenant| {',
    test: 'entries of a type'
  },
  {
    name: 'a view answers from a copy that it has not read',
    file: 'lib/queries/views.js',
    from: 'if (isObject(copy) && this.#known.has(copy) && near.lookup(key) !== STALE) return copy',
    to: 'if (isObject(copy) && near.lookup(key) !== STALE) return copy',
    test: 'views.spec'
  },
  {
    name: 'what was given is stored in place of what the schema made of it',
    file: 'lib/queries/views.js',
    from: 'const output = this.#output === undefined ? value : this.#output(value)',
    to: 'const output = this.#output === undefined || this.#output(value) === GONE ? value : value',
    test: 'views-schema.spec'
  },
  // ---- Words of shards, by which a walk knows whether what it fetched ahead is fresh
  {
    name: 'a shard is said to change after it has changed',
    file: 'src/store/shard/mod.rs',
    from: `        let changing = context.changes.begin(self.number);
        let answer = write(&mut guard);`,
    to: `        let answer = write(&mut guard);
        let changing = context.changes.begin(self.number);`,
    test: 'models of walks'
  },
  {
    name: 'a shard is said to be done before it has changed',
    file: 'src/store/shard/mod.rs',
    from: `        let changing = context.changes.begin(self.number);
        let answer = write(&mut guard);`,
    to: `        let changing = drop(context.changes.begin(self.number));
        let answer = write(&mut guard);`,
    test: 'models of walks'
  },
  {
    name: 'a change of a shard moves its word at its end only',
    file: 'src/store/shard/changes.rs',
    from: 'cell.store(before + CHANGING, Ordering::Relaxed);',
    to: '',
    test: 'models of walks'
  },
  {
    name: 'the end of a change of a shard is stored without release',
    file: 'src/store/shard/changes.rs',
    from: 'cell.store(self.begun.wrapping_add(1), Ordering::Release)',
    to: 'cell.store(self.begun.wrapping_add(1), Ordering::Relaxed)',
    test: 'models of walks'
  },
  {
    name: 'the word of a shard is loaded without acquire',
    file: 'src/store/shard/changes.rs',
    from: 'map(|cell| cell.load(Ordering::Acquire))',
    to: 'map(|cell| cell.load(Ordering::Relaxed))',
    test: 'models of walks'
  },
  {
    name: 'a walk is told what the word of a shard says amid a change',
    file: 'src/store/shard/changes.rs',
    from: 'Some(odd) => odd.wrapping_sub(2),',
    to: 'Some(odd) => odd,',
    test: 'models of walks'
  },
  {
    name: 'a walk asks what the word of a shard says after it has read',
    file: 'src/store/map/local.rs',
    from: `        self.seen
    }`,
    to: `        self.local.seen_changes(self.handle)
    }`,
    test: 'models of walks'
  },
  {
    name: 'a walk asks for deadlines before it asks what the word of a shard says',
    file: 'src/store/map/local.rs',
    from: `        let seen = context.changes.seen(handle.shard);
        // After that: a deadline that comes later makes the word move.
        if context.may_expire() {`,
    to: `        let may_expire = context.may_expire();
        let seen = context.changes.seen(handle.shard);
        if may_expire {`,
    test: 'models of walks'
  },
  {
    name: 'words of shards are used while a writer does not know of them',
    file: 'src/store/shard/changes.rs',
    from: `        wait();
`,
    to: '',
    test: 'models of walks'
  },
  {
    name: 'only the thread that makes the words of shards waits for writers',
    file: 'src/store/shard/changes.rs',
    from: `        }
        wait();
`,
    to: `            wait();
        }
`,
    test: 'models of walks'
  },
  {
    name: 'the words of shards do not end with their map',
    file: 'src/store/shard/context.rs',
    from: `        self.words.end();
        self.changes.end_all();`,
    to: '        self.words.end();',
    test: 'models of walks'
  },
  {
    name: 'a writer that was at work when the map ended does not end the word of its shard',
    file: 'src/store/shard/mod.rs',
    from: `            context.changes.end(self.number);
`,
    to: '',
    test: 'models of walks'
  },
  // ---- The wall
  {
    name: 'a change of a shard is not counted for walks',
    file: 'src/store/shard/changes.rs',
    from: 'cell.store(self.begun.wrapping_add(1), Ordering::Release)',
    to: 'cell.store(self.begun.wrapping_sub(1), Ordering::Release)',
    test: 'iteration.spec'
  },
  {
    name: 'a cleared shard is not counted for walks',
    file: 'src/store/shard/upkeep.rs',
    from: '        let changing = context.changes.begin(self.number);',
    to: '        let changing = ();',
    test: 'iteration.spec'
  },
  {
    name: 'a walk of a map with deadlines is told to look at its shards only',
    file: 'src/store/map/local.rs',
    from: 'if context.may_expire() { Changes::unseen(seen) } else { seen }',
    to: 'seen',
    test: 'iteration.spec'
  },
  {
    name: 'a walk fetches values of any size',
    file: 'src/binding/operations/walk.rs',
    from: '            if bytes >= WALK_BYTES {',
    to: '            if bytes >= usize::MAX - WALK_BYTES {',
    test: 'iteration.spec'
  },
  {
    name: 'a walk gives as many entries as it is asked for',
    file: 'src/binding/operations/walk.rs',
    from: '.min(table.len() / STEP_ROW);',
    to: '.min(table.len() / STEP_ROW + usize::MAX / 2);',
    test: 'raw-binding.spec'
  },
  {
    name: 'elements are taken to be where they were before JavaScript ran',
    file: 'src/binding/engine/read.rs',
    from: 'if self.runs_seen.get() != self.many.runs() && self.look().is_err() {',
    to: 'if self.runs_seen.get() > self.many.runs() && self.look().is_err() {',
    test: 'raw-binding.spec'
  },
  {
    name: 'a batch goes on with a table that was taken away',
    file: 'src/binding/operations/batch/mod.rs',
    from: `        })?;
        table.check()?;
        Ok(read)`,
    to: `        })?;
        Ok(read)`,
    test: 'raw-binding.spec'
  },
  // ---- Records
  {
    name: 'a number that JSON does not have is null in a record',
    file: 'lib/codec/fields.js',
    from: 'fields[top++] = Number.isFinite(value) ? value : null\n      step = member',
    to: 'fields[top++] = value\n      step = member',
    test: 'records.spec'
  },
  {
    name: 'rows have the members of the first',
    file: 'lib/codec/fields.js',
    from: 'rowEnd === end ? undefined',
    to: 'rowEnd !== undefined ? undefined',
    test: 'records.spec'
  },
  {
    name: 'a row is found behind the rows before it',
    file: 'src/store/entry/fields.rs',
    from: 'cursor.skip_objects(layout, index)?;',
    to: '',
    test: 'fields of records'
  },
  {
    name: 'a way to a field counts the fields of objects before it',
    file: 'src/store/entry/fields/route.rs',
    from: 'Some(count + fields_of(&layout.members)?)',
    to: 'Some(count + 1)',
    test: 'fields of records'
  },
  {
    name: 'a number behind texts that are longer than the tail is none',
    file: 'src/store/entry/fields/route.rs',
    from: 'if texts > record.tail.len() {',
    to: 'if false {',
    test: 'fields of records'
  },
  {
    name: 'of members with one name the last is found',
    file: 'src/store/entry/json_text.rs',
    from: 'if is_named(name, token)? {',
    to: 'if found.is_none() && is_named(name, token)? {',
    test: 'fields.spec'
  },
  {
    name: 'escaped names are compared unescaped',
    file: 'src/store/entry/json_text.rs',
    from: "if memchr::memchr(b'\\\\', name).is_none() {",
    to: 'if true {',
    test: 'fields.spec'
  },
  {
    name: 'native code does not read a record again whose shape is gone',
    file: 'src/binding/operations/field.rs',
    from: `        if let Some(known) = meaning(shape)? {
            return Ok(Some(known));
        }`,
    to: `        if let Some(known) = meaning(shape)? {
            return Ok(Some(known));
        }
        break;`,
    test: 'fields amid changes'
  },
  {
    name: 'a record whose shape is gone is read as one without a shape',
    file: 'src/binding/operations/field.rs',
    from: `        if let Some(known) = meaning(shape)? {
            return Ok(Some(known));
        }`,
    to: '        return meaning(shape);',
    test: 'fields amid changes'
  },
  {
    name: 'a part of a record whose shape is gone is read again',
    file: 'lib/entries/read.js',
    from: 'if (value === GONE) return readFieldNatively(open, key, options, at)',
    to: '',
    test: 'shapes.spec'
  },
  {
    name: 'inherited properties are no fields',
    file: 'lib/codec/field.js',
    from: 'if (!isOwn.call(at, token) || ',
    to: 'if (!(token in at) || ',
    test: 'fields.spec'
  },
  {
    name: 'the type is checked before a field of a copy is read',
    file: 'lib/entries/read.js',
    from: 'const known = type === undefined ? copyAtHand(open, key) : STALE',
    to: 'const known = copyAtHand(open, key)',
    test: 'fields.spec'
  },
  {
    name: 'names that are inherited are defined',
    file: 'lib/codec/record.js',
    from: 'if (isInherited) for',
    to: 'if (false) for',
    test: 'shapes.spec'
  },
  {
    name: 'the records of a batch are held while its values are read',
    file: 'lib/entries/batch.js',
    from: '    // The next value is written behind it.\n    records.hold()',
    to: '',
    test: 'shapes.spec'
  },
  {
    name: 'the records of a batch begin where those of the last one did',
    file: 'lib/entries/batch.js',
    from: '  const firstRecord = records.nextStart()\n  try {\n    for (let index = 0; index < count; index++) {\n',
    to: '  const firstRecord = records.hold()\n  try {\n    for (let index = 0; index < count; index++) {\n',
    test: 'shapes.spec'
  },
  {
    name: 'a record is held while room is made for it',
    file: 'lib/session/room-maker.js',
    from: 'const held = records.hold()',
    to: 'const held = 0',
    test: 'shapes.spec'
  },
  {
    name: 'a write whose shape is gone is repeated as text',
    file: 'lib/session/room-maker.js',
    from: 'if (refused === SHAPE_GONE) {',
    to: 'if (refused === undefined) {',
    test: 'shapes.spec'
  },
  {
    name: 'a batch with a shape that is gone is repeated as text',
    file: 'lib/entries/batch.js',
    from: 'if (error === SHAPE_GONE) {',
    to: 'if (error === undefined) {',
    test: 'shapes.spec'
  },
  {
    name: 'the texts of a long record do not cross as one string',
    file: 'src/binding/environment/evaluation.rs',
    from: 'tail.is_empty() || tail.len() > JOINED_TEXT_BYTES',
    to: 'tail.is_empty()',
    test: 'shapes.spec'
  },
  // ---- Clocks of tests
  {
    name: 'a clock that is let go shows the time of the system',
    file: 'src/store/platform/clock.rs',
    from: 'self.0.state.store(ahead_ms << 1, Ordering::Release);',
    to: 'self.0.state.store(0, Ordering::Release);',
    test: 'clocks'
  },
  {
    name: 'a clock runs when one of its holders lets go',
    file: 'src/store/platform/clock.rs',
    from: `            if hand.holders > 0 {
                return;
            }
`,
    to: '',
    test: 'clocks'
  },
  {
    name: 'what sleeps by a clock does not learn that it runs again',
    file: 'src/store/platform/clock.rs',
    from: `        }
        self.notify();
    }

    /// Moves`,
    to: `        }
    }

    /// Moves`,
    test: 'clocks'
  },
  {
    name: 'one step of what is due is removed when time was moved',
    file: 'src/store/map/test_clock.rs',
    from: 'while self.expire(now_ms).is_some_and(|next_ms| next_ms <= now_ms) {}',
    to: 'drop(self.expire(now_ms));',
    test: 'clocks'
  },
  {
    name: 'a map that is opened under a clock is not held',
    file: 'src/binding/operations/lifecycle.rs',
    from: 'Environment::of(engine)?.clocks().join(&map);',
    to: 'let _ = Environment::of(engine)?;',
    test: 'test-clock.spec'
  },
  {
    name: 'a map that is opened twice is moved twice',
    file: 'src/binding/environment/test_clock.rs',
    from: '.map(|map| (map.instance(), map)).collect();',
    to: '.enumerate().collect();',
    test: 'test-clock.spec'
  },
  {
    name: 'a map that nothing can reach stays held',
    file: 'src/binding/environment/test_clock.rs',
    from: '.chain(self.holds.unreachable())',
    to: '',
    test: 'test-clock.spec'
  },
  {
    name: 'a clock outlives the realm that set it',
    file: 'src/binding/environment/state.rs',
    from: 'self.clocks.end_foreign(engine, given[0])?;',
    to: '',
    test: 'test-clock.spec'
  },
  {
    name: 'copies are kept of what expires while time is told of late',
    file: 'src/store/expiry/thread.rs',
    from: 'self.state.load(Ordering::Acquire) == THERE',
    to: 'self.state.load(Ordering::Acquire) & THERE == THERE',
    test: 'clocks'
  },
  {
    name: 'copies that were kept before time was told of late stay',
    file: 'src/store/map/test_clock.rs',
    from: `            self.unattended(false);
`,
    to: '',
    test: 'clocks'
  },
  {
    name: 'maps of other evaluations are not told of time',
    file: 'lib/session/told-time.js',
    from: '= /** @type {any} */ (shared).told',
    to: '= /** @type {any} */ ({ opens: new Set(), tell: undefined })',
    test: 'test-clock.spec'
  },
  {
    name: 'the function of a clock may use maps',
    file: 'lib/session/test-clock.js',
    from: "if (this.#isAsking) throw badOption('now', 'must not use a map')",
    to: 'if (this.#isAsking) return this.#shownMs',
    test: 'test-clock.spec'
  },
  {
    name: 'timers that a test tool put into `node:timers` are used',
    file: 'lib/native/timer.js',
    from: 'return isOwn(timer) ? undefined : timersOfSockets()',
    to: 'return undefined',
    test: 'timers.spec'
  },
  // ---- Types for TypeScript
  {
    name: 'an error is a value',
    file: 'types/keys-and-values.d.ts',
    from: 'type IsError<T> = T extends Error ? (keyof Error extends keyof T ? true : false) : false',
    to: 'type IsError<T> = T extends Error ? (keyof Error extends keyof T ? false : false) : false',
    test: 'types for TypeScript'
  },
  {
    name: 'an unknown value is refused',
    file: 'types/keys-and-values.d.ts',
    from: `type JsonOf<T> = unknown extends T
  ? T`,
    to: `type JsonOf<T> = unknown extends T
  ? never`,
    test: 'types for TypeScript'
  },
  {
    name: 'arrays are looked into before that is needed',
    file: 'types/keys-and-values.d.ts',
    from: '        ? { readonly length: number; readonly [index: number]: JsonOf<Element> }',
    to: '        ? JsonOf<Element> extends Element ? T : never',
    test: 'types for TypeScript'
  },
  {
    name: 'keys are given as keys or handles',
    file: 'types/map.d.ts',
    from: "  keys(): ReturnType<ReadonlyMap<K, unknown>['keys']>",
    to: "  keys(): ReturnType<ReadonlyMap<K | Handle, unknown>['keys']>",
    test: 'types for TypeScript'
  },

  // ---- Scans
  {
    name: 'a scan passes over the slot behind an entry',
    file: 'src/store/shard/scan.rs',
    from: 'self.next += 1;',
    to: 'self.next += 2;',
    test: 'scans'
  },
  {
    name: 'a scan gives the last entry of a page again',
    file: 'src/store/map/scan.rs',
    from: '.then_some(self.place)',
    to: '.then_some(Place { slot: self.place.slot.saturating_sub(1), ..self.place })',
    test: 'scans'
  },
  {
    name: 'a slot beyond all others is none of the end',
    file: 'src/store/shard/scan.rs',
    from: 'self.run.map(|_| self.next)',
    to: 'Some(self.next)',
    test: 'scans'
  },
  {
    name: 'a draw passes over every other cell',
    file: 'src/store/slab/order/draw.rs',
    from: 'let place = below((self.sorted.len() * SEGMENT_CELLS) as u64) as usize;',
    to: 'let place = below((self.sorted.len() * SEGMENT_CELLS) as u64) as usize / 2 * 2;',
    test: 'scans'
  },
  {
    name: 'a shard is drawn as often as any other, however many entries it has',
    file: 'src/store/map/draw.rs',
    from: 'let mut left = random.below(store.len());',
    to: 'let mut left = random.below(2) * (store.len() - 1);',
    test: 'scans'
  },
  {
    name: 'a character leads nowhere from the last position of a word',
    file: 'src/store/entry/glob.rs',
    from: 'carry = moved >> (BITS - 1);',
    to: 'carry = moved & 0;',
    test: 'globs'
  },

  // ---- Updates
  {
    name: 'an update writes over what came in between',
    file: 'src/store/shard/atomic.rs',
    from: 'Ok(slot) if slot.version() == version => {',
    to: 'Ok(slot) if slot.version() >= version => {',
    test: 'update.spec'
  },
  {
    name: 'an update removes what came in between',
    file: 'src/store/shard/atomic.rs',
    from: 'is_same = tenant.slot.version() == version;',
    to: 'is_same = tenant.slot.version() >= version;',
    test: 'update.spec'
  },
  {
    name: 'a computed value with its state overwrites the value that was first',
    file: 'lib/map.js',
    from: 'if (withState) return write.getOrSet(open, this.#room, key, value, ttl, true)',
    to: 'if (withState) return { value: write.setComputed(open, this.#room, key, value, ttl), inserted: true }',
    test: 'update.spec'
  },

  // ---- Loads
  {
    name: 'a deletion of what is not there does not make a load void',
    file: 'src/store/shard/write.rs',
    from: 'if cause == Cause::Explicit && !writer.loads.is_empty() {\n                            writer',
    to: 'if cause == Cause::Evicted && !writer.loads.is_empty() {\n                            writer',
    test: 'load.spec'
  },
  {
    name: 'a write does not make a load void',
    file: 'src/store/shard/write.rs',
    from: 'writer.loads.void(key, hash);\n            }\n            if !writer.stale',
    to: '_ = hash;\n            }\n            if !writer.stale',
    test: 'load.spec'
  },
  {
    name: 'an eviction makes a load void',
    file: 'src/store/shard/upkeep.rs',
    from: 'writer.loads = old.loads;\n        if cause == Cause::Cleared {',
    to: 'writer.loads = old.loads;\n        if cause != Cause::Expired {',
    test: 'loads of the store'
  },
  {
    name: 'a void load is stored',
    file: 'src/store/shard/loading.rs',
    from: 'if is_stored && is_good {',
    to: 'if is_stored && (is_good || !is_good) {',
    test: 'load.spec'
  },
  {
    name: 'a load whose lease is over keeps its token',
    file: 'src/store/shard/load.rs',
    from: '        self.token = time.seats.next_token();\n',
    to: '',
    test: 'load.spec'
  },
  {
    name: 'newcomers join a load that is void',
    file: 'src/store/shard/loads.rs',
    from: 'find(|load| !load.is_void() && load.is_of(key))',
    to: 'find(|load| load.is_of(key))',
    test: 'load.spec'
  },
  {
    name: 'a thread that ends takes its loads along',
    file: 'src/binding/environment/open_map.rs',
    from: '    fn drop(&mut self) {\n        self.stand_up();',
    to: '    fn drop(&mut self) {',
    test: 'loads.spec'
  },
  {
    name: 'a key that has an entry by now is loaded again',
    file: 'src/store/shard/loading.rs',
    from: 'return Ok(Begun::Present);',
    to: '',
    test: 'loads of the store'
  },
  {
    name: 'nothing waits for a loader, which does not learn of it',
    file: 'src/store/shard/load.rs',
    from: 'self.owner.seat.send(Notice::Unwanted(self.owner.ticket));',
    to: '',
    test: 'loads.spec'
  },
  {
    name: 'compareAndSet is a comparison, and then a write',
    file: 'src/store/map/compare.rs',
    from: 'self.replace_within("compareAndSet", found.place.handle, version, next, ttl)?',
    to: 'self.replace(found.place.handle, next, ttl).ok()',
    test: 'updates by threads'
  },
  {
    name: 'compareAndSet writes over what came in between',
    file: 'src/store/map/compare.rs',
    from: 'self.replace_within("compareAndSet", found.place.handle, version, next, ttl)?',
    to: '{ std::thread::yield_now(); self.replace(found.place.handle, next, ttl).ok() }',
    test: 'histories'
  },
  {
    name: '-0 is not 0',
    file: 'src/store/entry/equality.rs',
    from: 'one == other || one.is_nan() && other.is_nan(),',
    to: 'one.to_bits() == other.to_bits() || one.is_nan() && other.is_nan(),',
    test: 'equality'
  },
  {
    name: 'an object that another thread wrote is kept as what compareAndSet has set',
    file: 'lib/entries/compare.js',
    from: 'const value = swapped ? decodeWritten(shapes, kind, wire) : decode(shapes, found, raw)',
    to: 'const value = decodeWritten(shapes, kind, wire)',
    test: 'compare-and-set.spec'
  },

  {
    name: 'loads remember keys of any length',
    file: 'lib/entries/refresh.js',
    from: '? key.length <= LONGEST_KEY',
    to: '? true',
    test: 'what loads remember'
  },
  {
    name: 'loads remember keys with the texts that they are parts of',
    file: 'lib/entries/refresh.js',
    from: "      if (typeof key === 'string') detach(key)\n",
    to: '',
    test: 'what loads remember'
  },
  {
    name: 'an entry that is to be loaded again keeps its copies',
    file: 'src/store/shard/refresh.rs',
    from: 'if let Some(change) = self.slab.slot(number).map(SlotRef::change) {',
    to: 'if let Some(change) = self.slab.slot(number).filter(|_| false).map(SlotRef::change) {',
    test: 'load-refresh.spec'
  },
  {
    name: 'a copy is trusted that any read has made',
    file: 'lib/entries/refresh.js',
    from: 'return handle === undefined ? STALE : near.lookup(handle)',
    to: 'return handle === undefined ? STALE : near.lookup(key)',
    test: 'load-refresh.spec'
  },
  {
    name: 'a written entry is loaded again at the time of the one before',
    file: 'src/store/shard/write.rs',
    from: 'writer.refreshes.cancel(number);\n        }\n        place',
    to: '}\n        place',
    test: 'load-refresh.spec'
  },

  {
    name: 'a deletion leaves the value that loads hand out',
    file: 'src/store/shard/write.rs',
    from: 'if !writer.stale.is_empty() {\n                            Self',
    to: 'if writer.stale.is_empty() {\n                            Self',
    test: 'load-stale.spec'
  },
  {
    name: 'a stale value is handed out for ever',
    file: 'src/store/shard/stale.rs',
    from: 'filter(|value| value.end.0 > now_ms)',
    to: 'filter(|value| value.end.0 + now_ms > 0)',
    test: 'stale values'
  },
  {
    name: 'entries are evicted before stale values',
    file: 'src/store/shard/room.rs',
    from: 'if context.stale_entries.load(Ordering::Relaxed) > 0 {',
    to: 'if context.stale_entries.load(Ordering::Relaxed) > u64::MAX - 1 {',
    test: 'stale values'
  },

  // ---- Transactions
  {
    name: 'a commit does not look whether what was read has changed',
    file: 'src/store/map/commit.rs',
    from: '        if !is_same {\n            changed.push(at);\n        }',
    to: '        let _ = (is_same, at, &changed);',
    test: 'transactions'
  },
  {
    name: 'a read of a transaction does not look at those before it',
    file: 'src/store/map/observe.rs',
    from: '        self.look_again(map, &pin, &held);\n        drop(held);',
    to: '        drop(held);',
    test: 'transactions'
  },
  {
    name: 'what was absent is not looked up again by the next read',
    file: 'src/store/map/observe.rs',
    from: 'tenant.is_none_or(|tenant| !is_alive(map, shard, tenant))',
    to: 'tenant.is_none_or(|_| true)',
    test: 'transactions'
  },
  {
    name: 'a commit evicts what it has read',
    file: 'src/store/shard/stage.rs',
    from: '                    self.spare(writer, about);\n',
    to: '                    let _ = about;\n',
    test: 'transactions'
  },
  {
    name: 'a commit for which nothing was staged adds entries beyond the limit',
    file: 'src/store/shard/commit.rs',
    from: `            if context.admit_entry().is_err() {
                return false;
            }
            staged.is_admitted = true;`,
    to: '            staged.is_admitted = true;',
    test: 'transactions'
  },
  {
    name: 'the place of an entry that a commit adds is kept when others are removed',
    file: 'src/store/shard/commit.rs',
    from: 'change.occupy(new, slot.position());',
    to: 'change.occupy(new, 0);',
    test: 'transactions'
  },
  {
    name: 'a large value that a commit puts in the place of another is not remembered',
    file: 'src/store/shard/commit.rs',
    from: `                if new.is_large() {
                    writer.arena.admit_entry_to_look_at();
                }
                let change = slot.change();
                let place`,
    to: `                let change = slot.change();
                let place`,
    test: 'histories'
  },
  {
    name: 'the word of commits stays even during a commit',
    file: 'src/store/shard/commits.rs',
    from: '    word.store(begun, Ordering::Relaxed);\n',
    to: '',
    test: 'models of commits'
  },
  {
    name: 'the word of commits is the same after a commit',
    file: 'src/store/shard/commits.rs',
    from: 'self.word.store(self.begun.wrapping_add(1), Ordering::Release);',
    to: 'self.word.store(self.begun & !COMMITTING, Ordering::Release);',
    test: 'models of commits'
  },
  {
    name: 'copies of an entry end when a commit comes to it, and not before the first change',
    file: 'src/store/shard/commit.rs',
    from: '            slot.end_copies_of_change();\n',
    to: '            let _ = slot;\n',
    test: 'models of commits'
  },
  {
    name: 'many are read without a look at the word of commits',
    file: 'src/binding/operations/batch/mod.rs',
    from: '            if map.local().commits() == before {',
    to: '            if true {',
    test: 'transactions.spec'
  },
  {
    name: 'copies are put beside what was read after a commit',
    file: 'lib/entries/batch.js',
    from: 'if (!isOfOneCall && Atomics.load(commits, 0) !== before) getAll(open, list, table, found)',
    to: '',
    test: 'transactions.spec'
  },
  {
    name: 'a doomed attempt throws what its callback threw',
    file: 'lib/entries/transaction.js',
    from: '      if (one.#isValid()) throw error\n',
    to: '      throw error\n',
    test: 'transaction.spec'
  },

  // ---- Rows of batches
  {
    name: 'a row without a ttl gets that of an earlier batch',
    file: 'lib/entries/batch.js',
    from: '      table.putTtl(index, readWriteOptions(entry[2]))',
    to: '      if (entry[2] !== undefined) table.putTtl(index, readWriteOptions(entry[2]))',
    test: 'batches-each.spec'
  },

  // ---- Steps of counters
  {
    name: 'a step is a read, and then a write',
    file: 'lib/entries/atomic.js',
    from: '  if (!isHandleKey(target)) return incrementBinding(open.id, target)',
    to: `  if (!isHandleKey(target)) {
    scratchFloats[STEP_VALUE] = (binding.get(open.id, target) ?? step.initial) + step.by
    binding.set(open.id, target, scratchFloats[STEP_VALUE], kindOf(open.shapes, scratchFloats[STEP_VALUE]))
    return true
  }`,
    test: 'increment.spec'
  },
  {
    name: 'a step gives an entry that is there another deadline',
    file: 'src/store/shard/atomic.rs',
    from: 'let draft = Draft { key: None, value: sum, type_id: SAME_TYPE, ttl: Ttl::Keep };',
    to: 'let draft = Draft { key: None, value: sum, type_id: SAME_TYPE, ttl: increment.ttl };',
    test: 'increment.spec'
  },
  {
    name: 'numbers go on where integers are not exact',
    file: 'src/store/entry/counter.rs',
    from: 'if sum.abs() <= MAX_SAFE {',
    to: 'if !sum.is_nan() {',
    test: 'counters'
  },

  // ---- Codecs
  {
    name: 'a batch has several values in the memory that a codec uses again',
    file: 'lib/entries/batch.js',
    from: 'others.push(kind === KIND.Encoded ? ownBytes(wire) : wire)',
    to: 'others.push(wire)',
    test: 'codec.spec'
  },
  {
    name: 'a refused write is repeated with what its codec wrote meanwhile',
    file: 'lib/session/room-maker.js',
    from: 'if (parameters[valueAt + 1] === KIND.Encoded) parameters[valueAt] = ownBytes(parameters[valueAt])',
    to: '',
    test: 'codec.spec'
  },
  {
    name: 'an entry is removed before its value is decoded',
    file: 'lib/entries/write.js',
    from: 'return open.shapes.codec === undefined ? removeNow(open, key) : removeDecoded(open, key)',
    to: 'return removeDecoded === undefined || removeNow(open, key)',
    test: 'codec.spec'
  },
  {
    name: 'a value is written before its codec has decoded it',
    file: 'lib/codec/values.js',
    from: 'if (kind !== ENCODED) return { kind: kindOfWire(kind, wire), wire, known: LATER }',
    to: 'if (kind >= 0) return { kind: kindOfWire(kind, wire), wire, known: LATER }',
    test: 'codec.spec'
  },
  {
    name: 'a value that came after the one that was decoded is removed',
    file: 'lib/entries/write.js',
    from: 'if (removeSeen(open, target, seen)) return seen.value',
    to: 'if (deleteEntry(open, target) && removeSeen !== undefined) return seen.value',
    test: 'codec.spec'
  },
  {
    name: 'an open that is refused for its codec holds the map',
    file: 'lib/session/open-map.js',
    from: '    closeBinding(id)\n    throw error',
    to: '    if (id < 0) closeBinding(id)\n    throw error',
    test: 'codec.spec'
  },
  {
    name: 'a batch writes scalars around the codec',
    file: 'lib/entries/batch.js',
    from: 'let kind = values.kindOf(shapes, value)',
    to: "let kind = values.kindOf(typeof value === 'object' ? shapes : { ...shapes, codec: undefined }, value)",
    test: 'codec.spec'
  },
  {
    name: 'increment adds to a value that a codec made',
    file: 'lib/entries/atomic.js',
    from: '    open.checkJson(NAME)\n    try {\n      const step',
    to: '    try {\n      const step',
    test: 'codec.spec'
  },

  {
    name: 'a step of a field is a read, and then a write',
    file: 'src/store/map/field.rs',
    from: 'self.replace_within("increment", found.place.handle, version, value, Ttl::Keep)?',
    to: 'self.replace(found.place.handle, value, Ttl::Keep).ok()',
    test: 'increment-at.spec'
  },
  {
    name: 'a new field is added to what came in between',
    file: 'lib/entries/atomic.js',
    from: '  if (!isSame) return false\n',
    to: '',
    test: 'increment-at.spec'
  },
  {
    name: 'a number that has grown has the bytes of the one before',
    file: 'src/store/entry/splice.rs',
    from: 'out.extend_from_slice(cursor.fields);',
    to: 'out.extend_from_slice(&cursor.fields[made.len().min(2) - 1..]);',
    test: 'splices'
  },

  // ---- Queries
  {
    name: 'ne fails where the field is missing',
    file: 'src/store/query/mod.rs',
    from: 'matches!(operator, Operator::Ne(_) | Operator::Exists(false))',
    to: 'matches!(operator, Operator::Exists(false))',
    test: 'queries'
  },
  {
    name: 'a record has the members of the shape that was asked for before',
    file: 'src/store/query/shapes.rs',
    from: 'Some((last, known)) if *last == number => Some(known),',
    to: 'Some((_, known)) => Some(known),',
    test: 'queries'
  },
  {
    name: 'objects are equal that have some of the members',
    file: 'src/store/entry/equality.rs',
    from: 'Some(Open { node, compared }) if compared == self.len(node) => continue,',
    to: 'Some(Open { node, compared }) if compared <= self.len(node) => continue,',
    test: 'queries'
  },
  {
    name: 'a record equals an object that has more members',
    file: 'src/store/entry/equality.rs',
    from: 'Ok(members.len() == self.object_len(object) && all',
    to: 'Ok(members.len() <= self.object_len(object) && all',
    test: 'equality'
  },
  {
    name: 'of many names, those are not found that are out of order',
    file: 'src/store/entry/pattern.rs',
    from: 'sorted.binary_search_by(compare).ok().map(|at| sorted[at] as usize)',
    to: 'sorted.binary_search_by(compare).ok()',
    test: 'equality'
  },
  {
    name: 'a part of a text is found in the middle of a code unit',
    file: 'src/store/query/text.rs',
    from: '_ => aligned_find(&units(text), &units(Text::Wide(&needle.wide))),',
    to: '_ => memmem::find(&wide(&units(text)), &needle.wide).is_some(),',
    test: 'queries'
  },
  {
    name: 'texts are ordered by their bytes',
    file: 'src/store/query/text.rs',
    from: 'units(text).cmp(&units(Text::Wide(&needle.wide)))',
    to: 'text.compare(Text::Utf8(&needle.utf8))',
    test: 'queries'
  },

  // ---- Jobs, and promises that native code settles
  {
    name: 'a job passes over an entry whose shape it does not know yet',
    file: 'src/store/query/sweep.rs',
    from: 'Err(stop) => return End::At(tenant.number(), Some(stop)),',
    to: 'Err(stop) => return End::At(tenant.number() + 1, Some(stop)),',
    test: 'find.spec'
  },
  {
    name: 'a job deletes what an entry is now, which may match no more',
    file: 'src/store/shard/atomic.rs',
    from: 'is_same = tenant.slot.version() == version;',
    to: 'is_same = true;',
    test: 'delete-where.spec'
  },
  {
    name: 'a load stores what it brings although its key was deleted by a query',
    file: 'src/store/query/job.rs',
    from: 'if self.task == Task::Delete {',
    to: 'if self.task == Task::Count {',
    test: 'delete-where.spec'
  },
  {
    name: 'a promise of a map that was destroyed waits on',
    file: 'src/binding/environment/pending.rs',
    from: 'if is_destroyed {',
    to: 'if is_destroyed && count == 0 {',
    test: 'promises'
  },
  {
    name: 'notice of a promise that did not begin is about the next one',
    file: 'src/binding/environment/pending.rs',
    from: 'let promise = Rc::new(start(Arc::new(Notice { noticed, number }))?);',
    to: 'let promise = Rc::new(start(Arc::new(Notice { noticed, number: number + 1 }))?);',
    test: 'promises'
  },
  {
    name: 'a promise keeps no process alive',
    file: 'lib/session/pending.js',
    from: '  hold()',
    to: '',
    test: 'find.spec'
  },
  // ---- Memory from the system and back
  {
    name: 'a page is handed out before it is prepared',
    file: 'src/store/memory/regions.rs',
    from: 'if region.touched[word] & page != page {',
    to: 'if region.touched[word] & page == !0 {',
    test: 'free pages'
  },
  {
    name: 'a run is handed out although its memory was refused',
    file: 'src/store/memory/free_runs.rs',
    from: 'if !has_memory && !prepare((run / SPAN_GRAINS) as usize, first) {',
    to: 'if !has_memory && !prepare((run / SPAN_GRAINS) as usize, first) && grains == 0 {',
    test: 'free runs'
  },
  {
    name: 'units that became free before the rest of their page of the system are not given back with it',
    file: 'src/store/memory/regions.rs',
    from: '*word = groups_of(loose, group) & region.free[n];',
    to: '*word = loose;',
    test: 'free pages'
  },
  {
    name: 'pages that became free before the rest of a page of the system are not given back with it',
    file: 'src/store/memory/free_runs.rs',
    from: 'let page = (touched / os_page_pages * os_page_pages).max(first_page);',
    to: 'let page = touched;',
    test: 'free runs'
  },
  {
    name: 'a file that is cut off is loaded, and the process is killed',
    file: 'lib/addon/executable.js',
    from: 'isWhole: end <= size, assumes',
    to: 'isWhole: true, assumes',
    test: 'load-error.spec'
  },
  {
    name: 'an addon of another version is taken',
    file: 'lib/addon/load.js',
    from: 'if (found === VERSION) return',
    to: 'if (found !== null) return',
    test: 'load-error.spec'
  },
  {
    name: 'npm is blamed for the lock file of another package manager',
    file: 'lib/addon/diagnose.js',
    from: 'if (lock?.isOfNpm && lock.platforms.length > 0) {',
    to: 'if (lock !== null && lock.platforms.length > 0) {',
    test: 'load-error.spec'
  },
  {
    name: 'an addon of another C library is for another reason refused',
    file: 'lib/addon/diagnose.js',
    from: 'return family === libc() ? null :',
    to: 'return libc() !== family ? null :',
    test: 'load-error.spec'
  },

  // ---- Growing
  {
    name: 'a table that is held grows where others do',
    file: 'src/store/index/table.rs',
    from: 'if self.is_held && wanted as f64 <= capacity as f64 * HELD_LOAD_FACTOR {',
    to: 'if self.is_held && wanted as f64 <= capacity as f64 * self.max_load_factor {',
    test: 'held tables'
  },
  {
    name: 'a table that is held shrinks',
    file: 'src/store/index/table.rs',
    from: 'if !is_sparse || self.is_held || index.is_migrating() {',
    to: 'if !is_sparse || index.is_migrating() {',
    test: 'held tables'
  },
  {
    name: 'a shard that was emptied forgets that its tables are held',
    file: 'src/store/shard/mod.rs',
    from: 'index.hold(context.holds_tables());',
    to: 'index.hold(false);',
    test: 'growth.spec'
  },
  {
    name: 'a migration that was brought forward ends with the first shard',
    file: 'src/store/map/growth.rs',
    from: 'while has_some && !patience.is_over() && shard.rehash(&self.member(), WORDS_PER_LOCK)? {}',
    to: 'if has_some && !patience.is_over() && shard.rehash(&self.member(), WORDS_PER_LOCK)? {}',
    test: 'growth.spec'
  },

  // ---- Keys in several spellings, and hashes
  {
    name: 'FNV-1a chooses shards without its last step',
    file: 'src/store/entry/algorithm.rs',
    from: 'mix(finish(hasher, key, folds))',
    to: 'finish(hasher, key, folds)',
    test: 'hashes of keys'
  },
  {
    name: 'another hash function minds the case of a key that is not to be minded',
    file: 'src/store/entry/algorithm.rs',
    from: 'if folds { finish(Xxh3::with_seed(seed), key, true) } else { xxh3_64_with_seed(key.bytes(), seed) }',
    to: 'xxh3_64_with_seed(key.bytes(), seed ^ u64::from(folds))',
    test: 'hashes of keys'
  },
  {
    name: 'a folded key is cut where its own bytes are',
    file: 'src/store/entry/folding.rs',
    from: '            self.write_if_full();',
    to: '            (self.write)(&self.bytes[..std::mem::take(&mut self.len)]);',
    test: 'folding'
  },
  {
    name: 'a key in another case is not the key of its entry',
    file: 'src/store/shard/mod.rs',
    from: 'entry.has_key(key) || self.ignores_case && entry.has_key_in_another_case(key)',
    to: 'entry.has_key(key) || self.ignores_case && entry.has_key(key)',
    test: 'the naive map'
  },
  {
    name: 'a large value is stored under the last spelling of its key',
    file: 'src/store/entry/block.rs',
    from: 'if own != key {',
    to: 'if false {',
    test: 'the naive map'
  },
  {
    name: 'an entry that is large by the first spelling of its key is made as a small one',
    file: 'src/store/shard/write.rs',
    from: 'if draft.key.is_none() || type_id != draft.type_id || prepared.is_some() || self.ignores_case {',
    to: 'if draft.key.is_none() || type_id != draft.type_id || prepared.is_some() {',
    test: 'the naive map'
  },
  {
    name: 'a range of a glob has the letters that it names and no others',
    file: 'src/store/entry/glob.rs',
    from: '                    _ => self.ranges.push((folded, folded)),',
    to: '                    _ => {}',
    test: 'globs'
  },
  {
    name: 'a thread opens a map that normalises its keys, and does not',
    file: 'src/store/map/registry.rs',
    from: 'if existing.normalises_keys && !given.normalises_keys {',
    to: 'if given.normalises_keys && !existing.normalises_keys {',
    test: 'normalize-key.spec'
  },
  {
    name: 'the near cache is asked for a key as it was given',
    file: 'lib/near/near-cache.js',
    from: 'this.isIndirect = this.isSplit || options.normalizes',
    to: 'this.isIndirect = this.isSplit',
    test: 'normalize-key.spec'
  },
  {
    name: 'a batch takes keys as they were given',
    file: 'lib/entries/batch.js',
    from: 'return open.normalizes ? items.map(item => open.keyOf(item)) : items',
    to: 'return items',
    test: 'key-options.spec'
  },

  // ---- Locks that count
  {
    name: 'a lock that was free counts as one that was waited for',
    file: 'src/store/platform/counted_lock.rs',
    from: '            Some(guard) => (guard, 0),',
    to: '            Some(guard) => (guard, 1),',
    test: 'counts of locks'
  },
  {
    name: 'a wait is not counted',
    file: 'src/store/platform/counted_lock.rs',
    from: '        raise(&self.waits, 1);',
    to: '        raise(&self.waits, 0);',
    test: 'counts of locks'
  },
  {
    name: 'a lock that was taken is not counted',
    file: 'src/store/platform/counted_lock.rs',
    from: '        raise(&self.acquisitions, 1);',
    to: '        raise(&self.acquisitions, 0);',
    test: 'counts of locks'
  },
  {
    name: 'a look at the statistics counts as a use of the locks',
    file: 'src/store/shard/stats.rs',
    from: 'let writer = self.writer.lock_uncounted();\n        let counts',
    to: 'let writer = self.writer.lock();\n        let counts',
    test: 'locks.spec'
  },

  // ---- Logs and probes
  {
    name: 'a subscriber gets lines of targets that it did not name',
    file: 'src/store/events/mod.rs',
    from: 'level as u32 >= word & LEVEL_MASK && word >> TARGETS_SHIFT & target.bit() != 0',
    to: 'level as u32 >= word & LEVEL_MASK',
    test: 'log lines'
  },
  {
    name: 'what listeners of a thread want is what the last one wants',
    file: 'lib/observe/audience.js',
    from: 'for (const target of listener.targets) targets |= 1 << TARGETS.indexOf(target)',
    to: 'for (const target of listener.targets) targets = 1 << TARGETS.indexOf(target)',
    test: 'logs.spec'
  },
  {
    name: 'lines of calls wait without a bound',
    file: 'lib/observe/audience.js',
    from: 'if (this.#lines.length >= MOST_LINES) this.#droppedLines++',
    to: 'if (this.#lines.length < 0) this.#droppedLines++',
    test: 'logs.spec'
  },
  {
    name: 'an error that something listens to is put onto a desk, too',
    file: 'src/store/events/desk.rs',
    from: '        if self.error(error, operation) {\n            return;\n        }',
    to: '        self.error(error, operation);',
    test: 'desks'
  },
  {
    name: 'the desk of a map that was closed stays at its events',
    file: 'src/store/events/desk.rs',
    from: '            desks.remove(at);',
    to: '            let _ = at;',
    test: 'desks'
  },
  {
    name: 'a recovery that fails by itself is put onto no desk',
    file: 'src/store/map/recover.rs',
    from: '                    context.events.report(refused, "recover");',
    to: '                    context.events.error(refused, "recover");',
    test: 'unheard.spec'
  },
  {
    name: 'a ghost cache is as large as the map, for a part of its keys',
    file: 'src/store/eviction/ghost.rs',
    from: '(capacity * size * rate).round()',
    to: '(capacity * size).round()',
    test: 'ghosts'
  },
  {
    name: 'a ghost cache does not see what was missed',
    file: 'src/store/map/local.rs',
    from: '            self.note_ghost_miss(target);',
    to: '            let _ = target;',
    test: 'ghost.spec'
  },
  {
    name: 'a loader that runs on is told of at each look',
    file: 'lib/entries/running-loads.js',
    from: ' || ms < job.toldMs * 2',
    to: '',
    test: 'performance.spec'
  },
  {
    name: 'a swap that was refused is published as a write',
    file: 'lib/observe/probes.js',
    from: "  if (wrote === 'swapped') return result.swapped",
    to: "  if (wrote === 'swapped') return true",
    test: 'watched-methods.spec'
  },
  {
    name: 'an iterable of a batch that is observed is gone through twice',
    file: 'lib/observe/probes.js',
    from: '    return [noted.items, ...args.slice(1)]',
    to: '    return args',
    test: 'watched-methods.spec'
  },
  {
    name: 'an error is counted by each map whose call it passes through',
    file: 'lib/session/refusals.js',
    from: '    markCounted(error)\n',
    to: '',
    test: 'refusals.spec'
  },
  {
    name: 'an error of native code is counted by JavaScript as well',
    file: 'lib/native/attach.js',
    from: 'SHAPE_GONE : markCounted(createError(number, readData(details))),',
    to: 'SHAPE_GONE : createError(number, readData(details)),',
    test: 'refusals.spec'
  },
  {
    name: 'a refused write for which room was made is counted',
    file: 'src/store/map/stats.rs',
    from: 'error.is_limit() && self.context.when_full.asks_caller()',
    to: 'error.is_limit() && !self.context.when_full.asks_caller()',
    test: 'refusals.spec'
  },
  {
    name: 'a conflict of a callback that is called again is counted',
    file: 'lib/entries/transaction.js',
    from: 'return this.#isScoped && isConflict(error) ? error',
    to: 'return isConflict(error) && !this.#isScoped ? error',
    test: 'refusals.spec'
  },
  {
    name: 'each error is a warning of its own',
    file: 'lib/session/unheard.js',
    from: 'if (held === undefined) return this.#give',
    to: 'if (held !== null) return this.#give',
    test: 'unheard.spec'
  },
  {
    name: 'a method stays switched after its last probe',
    file: 'lib/observe/probes.js',
    from: '  place(prototype, operation, one.plain)',
    to: '',
    test: 'probes.spec'
  },
  {
    name: 'handles answer for themselves while they are observed',
    file: 'lib/observe/probes.js',
    from: '    return observe(probesOf(open, HANDLE_GET), map, open, HANDLE_GET, [handle], () => read(handle))',
    to: '    return read(handle)',
    test: 'probes.spec'
  },
  {
    name: 'handles are read by way of their map after they were observed',
    file: 'lib/handle.js',
    from: 'if (observer === undefined && this.#opened !== undefined) this.open(this.#opened)',
    to: '',
    test: 'probes.spec'
  },
  {
    name: 'a call that another one makes for its work is seen, too',
    file: 'lib/observe/probes.js',
    from: 'running.map === this && running.calls.includes(operation) && isHandleKey(args[0])',
    to: 'operation === undefined',
    test: 'probes.spec'
  },
  {
    name: 'calls of functions that a call runs are not seen',
    file: 'lib/observe/probes.js',
    from: 'running.map === this && running.calls.includes(operation) && isHandleKey(args[0])',
    to: 'running.map !== undefined',
    test: 'probes.spec'
  },
  {
    name: 'a read whose codec has read another map is taken for that one',
    file: 'lib/codec/values.js',
    from: '  scratch[SCRATCH.STATE] = state\n',
    to: '',
    test: 'probes.spec'
  },
  {
    name: 'a read whose key was made by way of another map is taken for that one',
    file: 'lib/session/open-map.js',
    from: '  scratch[SCRATCH.STATE] = state\n',
    to: '',
    test: 'probes.spec'
  },
  {
    name: 'an update that removes a value that is undefined is taken for one that found nothing',
    file: 'lib/observe/probes.js',
    from: 'noted.wasThere = scratch[STATE] !== ABSENT',
    to: 'noted.wasThere = given !== undefined',
    test: 'watched-methods.spec'
  },
  {
    name: 'a batch that wrote nothing is published',
    file: 'lib/observe/channels.js',
    from: ' || call.hits === 0 || call.keys?.length === 0',
    to: '',
    test: 'watched-methods.spec'
  },
  {
    name: 'subscribers that came before the package are not looked for',
    file: 'lib/observe/channels.js',
    from: ', look)\n  look()\n}\n\n/**\n * Publishes calls',
    to: ', look)\n}\n\n/**\n * Publishes calls',
    test: 'channels.spec'
  },
  {
    name: 'a channel holds the maps that it tells of',
    file: 'lib/observe/channels.js',
    from: '      const publish = publisher(channel, new WeakRef(open))',
    to: '      const publish = publisher(channel, /** @type {any} */ ({ deref: () => open }))',
    test: 'channels.spec'
  },
  {
    name: 'a traced call hands out its result',
    file: 'lib/observe/channels.js',
    from: '      if (!(result instanceof Promise)) return result',
    to: '      context.result = result\n      if (!(result instanceof Promise)) return result',
    test: 'channels.spec'
  },

  // ---- Statistics
  {
    name: 'what a thread counted goes with it',
    file: 'src/store/observe/stats/table.rs',
    from: 'self.past.add(counters);',
    to: '',
    test: 'stats-numbers.spec'
  },
  {
    name: 'a reset begins anew for the threads that are there alone',
    file: 'src/store/observe/stats/table.rs',
    from: 'self.base = self.all();',
    to: 'self.threads.iter().for_each(|counters| self.base.add(counters));',
    test: 'stats-since.spec'
  },
  {
    name: 'what a shard counted goes with a clear',
    file: 'src/store/shard/upkeep.rs',
    from: 'writer.counts = old.counts;',
    to: '',
    test: 'stats-numbers.spec'
  },
  {
    name: 'what is replaced stays counted in the bytes of values',
    file: 'src/store/shard/stats.rs',
    from: 'counts.value_bytes + new.value as u64 - old.value as u64',
    to: 'counts.value_bytes + new.value as u64',
    test: 'stats-numbers.spec'
  },
  {
    name: 'hits of handles are reported with the next native call',
    file: 'lib/session/open-map.js',
    from: '    this.origin.onFull = () => this.reportHits()',
    to: '',
    test: 'stats-near-hits.spec'
  },
  {
    name: 'hits of keys are reported with the next native call',
    file: 'lib/near/near-cache.js',
    from: 'if (onFull !== undefined) this.onFull = onFull',
    to: '',
    test: 'stats-near-hits.spec'
  },
  {
    name: 'hits of a thread that does nothing more wait for its next call',
    file: 'lib/near/sweeper.js',
    from: '  tellHits()\n  let left',
    to: '  let left',
    test: 'stats-near-hits.spec'
  },
  {
    name: 'a transaction that meets a conflict while it reads is not counted',
    file: 'src/store/map/observe.rs',
    from: 'if !self.changed.is_empty() {\n            map.counters().conflicts.add(1);',
    to: 'if !self.changed.is_empty() {',
    test: 'stats-numbers.spec'
  },

  // ---- Latencies
  {
    name: 'a sample counts for the calls until the next one',
    file: 'src/store/observe/latency.rs',
    from: `        let count = u64::from(gap.drawn.get());
        self.draw(gap);`,
    to: `        self.draw(gap);
        let count = u64::from(gap.drawn.get());`,
    test: 'latencies'
  },
  {
    name: 'the highest bit of a value is left out of its bucket',
    file: 'src/store/observe/histogram.rs',
    from: '    shift as usize * SUB_BUCKETS + (ns >> shift) as usize',
    to: '    shift as usize * SUB_BUCKETS + (ns >> shift) as usize % SUB_BUCKETS',
    test: 'histograms'
  },
  {
    name: 'what a thread has measured goes with it',
    file: 'src/store/observe/latency.rs',
    from: '        self.past.add(histograms);',
    to: '',
    test: 'latency.spec'
  },
  {
    name: 'who looks at a map is one of its threads',
    file: 'src/store/map/local.rs',
    from: 'Local::with_counters(Arc::clone(self), Arc::default())',
    to: 'Local::with_counters(Arc::clone(self), self.add_counters())',
    test: 'watch.spec'
  },
  {
    name: 'a map that was destroyed is looked at',
    file: 'src/binding/environment/watched.rs',
    from: 'watch.store.upgrade().filter(|store| !store.is_destroyed())',
    to: 'watch.store.upgrade()',
    test: 'watch.spec'
  },
  {
    name: 'a look takes the log lines of a watch with it',
    file: 'src/binding/environment/watched.rs',
    from: '            watch.events = events;',
    to: '            drop((events, watch));',
    test: 'watch.spec'
  },
  {
    name: 'the inspector answers under any name',
    file: 'lib/inspector/guard.js',
    from: 'host === undefined || !this.#isOurs(host, socket)',
    to: 'host === undefined',
    test: 'guard.spec'
  },
  {
    name: 'the inspector answers any origin',
    file: 'lib/inspector/guard.js',
    from: 'origin !== undefined && !isOriginOf(origin, host)',
    to: 'origin === undefined && isOriginOf(String(origin), host)',
    test: 'guard.spec'
  },
  {
    name: 'the token is compared as far as it was given',
    file: 'lib/inspector/guard.js',
    from: 'return /^bearer /i.test(authorization) && isSame(authorization.slice(7), token)',
    to: 'return /^bearer /i.test(authorization) && token.startsWith(authorization.slice(7))',
    test: 'guard.spec'
  },
  {
    name: 'the cookie of the inspector is its token',
    file: 'lib/inspector/guard.js',
    from: 'return cookie !== undefined && isSame(cookie, this.#session)',
    to: 'return cookie !== undefined && isSame(cookie, token)',
    test: 'guard.spec'
  },
  {
    name: 'the inspector is told of all calls, not of those since its last look',
    file: 'src/store/observe/histogram.rs',
    from: '*mark = *count as f64;',
    to: '',
    test: 'histograms'
  },
  {
    name: 'a second in which all was slow is passed over in the long history',
    file: 'lib/inspector/history.js',
    from: 'for (const [at, column] of HIGHEST.entries()) row[column] = this.#highest[at]',
    to: '',
    test: 'parts.spec'
  },
  {
    name: 'a hit that is read again to be timed counts twice',
    file: 'lib/hit-counter.js',
    from: `    this.left++
`,
    to: '',
    test: 'hit-counter.spec'
  },
  {
    name: 'a hit that is timed is read again under the key that a function made',
    file: 'lib/map.js',
    from: 'near.read(key, given)',
    to: 'near.read(key, key)',
    test: 'near-latency.spec'
  },
  {
    name: 'a hit is to be timed where nothing times any, after two thousand million of them',
    file: 'lib/hit-counter.js',
    from: 'this.#timer === undefined || this.#untilTimed > 0',
    to: 'this.#untilTimed > 0',
    test: 'hit-counter.spec'
  },
  {
    name: 'hits of which none was timed are not owed to the next one',
    file: 'lib/hit-counter.js',
    from: 'this.#counts += count',
    to: '',
    test: 'hit-counter.spec'
  },
  {
    name: 'a counter that continues another forgets the hits that were taken',
    file: 'lib/hit-counter.js',
    from: 'this.#taken = other.#taken',
    to: '',
    test: 'hit-counter.spec'
  },
  {
    name: 'a portion that is not over does not count for the next sample',
    file: 'lib/hit-counter.js',
    from: 'this.#untilSampled -= hits',
    to: 'if (this.left <= this.end) this.#untilSampled -= hits',
    test: 'hit-counter.spec'
  },
  {
    name: 'hits of a portion that is not over are lost when hits are taken',
    file: 'lib/hit-counter.js',
    from: `    this.#add()
    this.#timer?.flush()`,
    to: '    this.#timer?.flush()',
    test: 'stats-near-hits.spec'
  },
  {
    name: 'lines that are left out are not counted',
    file: 'src/store/observe/performance.rs',
    from: '        self.left_out.fetch_add(1, Ordering::Relaxed);',
    to: '',
    test: 'performance'
  },
  {
    name: 'calls are timed whatever a listener wants',
    file: 'src/store/observe/performance.rs',
    from: 'self.has_targets || events.listens(&lines::GET_SLOW)',
    to: 'true',
    test: 'performance'
  },
  {
    name: 'a wait for another thread is not reported',
    file: 'src/store/shard/mod.rs',
    from: '        if waited_ns > 0 {',
    to: '        if waited_ns == u64::MAX {',
    test: 'performance.spec'
  },
  {
    name: 'an entry far from its place in the index is not reported',
    file: 'src/store/index/table.rs',
    from: '            if words >= LONG_PROBE {',
    to: '            if words == usize::MAX {',
    test: 'performance.spec'
  },
  {
    name: 'writes of a shard are not noted',
    file: 'src/store/shard/mod.rs',
    from: '        if !Balance::is_due(self.changes) {',
    to: '        if self.changes > 0 {',
    test: 'performance.spec'
  },
  {
    name: 'a shard compares its writes with all that ever were',
    file: 'src/store/observe/balance.rs',
    from: 'std::mem::replace(seen, notes)',
    to: '*seen',
    test: 'balance'
  },
  {
    name: 'a shard looks with its first note, which comes at about the time of those of others',
    file: 'src/store/observe/balance.rs',
    from: '        if !writes.is_multiple_of(WRITES_PER_NOTE * NOTES_PER_LOOK) {',
    to: '        if writes == 0 {',
    test: 'balance'
  },
  {
    name: 'of few shards, one with all writes has no more than its share',
    file: 'src/store/observe/balance.rs',
    from: '(2 * TIMES).min(1 + self.shards)',
    to: '(2 * TIMES)',
    test: 'balance'
  },
  {
    name: 'a look for advice is a load of its shard',
    file: 'src/store/shard/glance.rs',
    from: 'self.writer.lock_uncounted()',
    to: 'self.writer.lock()',
    test: 'locks.spec'
  },
  {
    name: 'a draw is a load of its shard',
    file: 'src/store/shard/scan.rs',
    from: 'let writer = self.writer.lock_uncounted();\n        let slot = writer.order.draw(below)?;',
    to: 'let writer = self.writer.lock();\n        let slot = writer.order.draw(below)?;',
    test: 'locks.spec'
  },
  {
    name: 'a thread that the inspector was late to ask is blocked',
    file: 'lib/inspector/asked.js',
    from: '      answer.unansweredSince ??= time',
    to: '      answer.unansweredSince ??= answer.answeredAt',
    test: 'parts.spec'
  },
  {
    name: 'a thread that is blocked is said to be so again and again',
    file: 'lib/inspector/asked.js',
    from: '      this.#blocked.add(thread)',
    to: '',
    test: 'parts.spec'
  },
  {
    name: 'a thread that has ended is blocked',
    file: 'lib/inspector/asked.js',
    from: "if (kind === 'end' && name === null) this.#forget(thread)",
    to: "if (kind === 'end' && name === null) this.#blocked.delete(thread)",
    test: 'parts.spec'
  },
  {
    name: 'the inspector does not have memory watched for its log',
    file: 'src/binding/environment/watched.rs',
    from: 'store.listen(level, targets, false, Arc::new(Unheard))',
    to: 'store.events().subscribe(level, targets, false, Arc::new(Unheard))',
    test: 'watch.spec'
  },

  // ---- Recoveries
  {
    name: 'a recovered shard gives generations again',
    file: 'src/store/shard/rebuild.rs',
    from: 'writer.slab = writer.slab.successor_above(rebuild.highest).ok_or(Error::Broken)?;',
    to: 'writer.slab = writer.slab.successor_above(0).ok_or(Error::Broken)?;',
    test: 'recoveries'
  },
  {
    name: 'entries are recovered in the order of their slots',
    file: 'src/store/shard/rebuild.rs',
    from: '        self.places.sort_unstable();\n',
    to: '        self.places.iter_mut().for_each(|place| place.0 = UNKNOWN);\n',
    test: 'recoveries'
  },
  {
    name: 'an entry whose deadline has passed is recovered',
    file: 'src/store/shard/rebuild.rs',
    from: 'span.is_some_and(|span| span.deadline_ms <= now_ms)',
    to: 'span.is_some_and(|span| span.deadline_ms == 0 && now_ms == 0)',
    test: 'recoveries'
  },
  {
    name: 'what a shard in doubt had stays counted',
    file: 'src/store/shard/rebuild.rs',
    from: 'leaked_bytes += context.memory.write_off(what, bytes as u64);',
    to: 'leaked_bytes += bytes as u64 + what as u64;',
    test: 'recoveries'
  },
  {
    name: 'words stay withheld after a recovery',
    file: 'src/store/shard/context.rs',
    from: '        self.words.resume();\n',
    to: '',
    test: 'recoveries'
  },
  {
    name: 'the commit word stays odd after a recovery',
    file: 'src/store/shard/context.rs',
    from: '        self.commits.resume();\n',
    to: '',
    test: 'recoveries'
  },
  {
    name: 'the words of shards stay odd after a recovery',
    file: 'src/store/shard/rebuild.rs',
    from: '        context.changes.resume(self.number);\n',
    to: '',
    test: 'recoveries'
  },
  {
    name: 'a share is kept though the map did not count it',
    file: 'src/store/memory/process.rs',
    from: '        self.process.release(self.bytes);',
    to: '        let _ = self.process;',
    test: 'models of the limit of the process'
  },
  {
    name: 'a total grows whether or not the process counts it by now',
    file: 'src/store/memory/budget.rs',
    from: 'if now & SHARED != is_shared || (now',
    to: 'if is_shared == 1 || (now',
    test: 'models of the limit of the process'
  },
  {
    name: 'a map counts for the process only what it takes after the limit was set',
    file: 'src/store/memory/budget.rs',
    from: '            self.process.add(before);',
    to: '            self.process.add(0);',
    test: 'the limit of the process'
  },
  {
    name: 'what a map releases stays counted for the process',
    file: 'src/store/memory/budget.rs',
    from: '            self.process.release(bytes);',
    to: '            self.process.release(0);',
    test: 'the limit of the process'
  },
  {
    name: 'a map that is made under a limit of the process does not count',
    file: 'src/store/memory/process.rs',
    from: `        if self.limit().is_some() {
            memory.share();
        }`,
    to: '',
    test: 'the limit of the process'
  },
  {
    name: 'what was freed above the limit of the process is used again',
    file: 'src/store/memory/process.rs',
    from: '            let lowered = limit.max(used_bytes.min(ceiling));',
    to: '            let lowered = limit.max(ceiling.max(used_bytes));',
    test: 'the limit of the process'
  },
  {
    name: 'a map without a policy evicts for the limit of the process',
    file: 'src/store/shard/room.rs',
    from: '            None if context.when_full == WhenFull::Evict => {',
    to: '            None if context.when_full == WhenFull::Reject => {',
    test: 'maps under one limit'
  },
  {
    name: 'a small map evicts before those that use more',
    file: 'src/store/map/process.rs',
    from: '            store.spare(store.total() < small_bytes);',
    to: '            store.spare(store.total() < small_bytes.min(0));',
    test: 'maps under one limit'
  },
  {
    name: 'a map with entries of its own to evict is not compared with others',
    file: 'src/store/memory/standing.rs',
    from: 'self.refusals.fetch_add(1, Ordering::Relaxed).is_multiple_of(LOOKS_PER)',
    to: 'self.refusals.fetch_add(1, Ordering::Relaxed) == u32::MAX',
    test: 'maps under one limit'
  },
  {
    name: 'advice looks at the first shards alone',
    file: 'src/store/map/draw.rs',
    from: 'let entry = random.below(entries);',
    to: 'let entry = random.below(entries) / 2;',
    test: 'draws of shards'
  },
  {
    name: 'other maps evict alike, whatever they use',
    file: 'src/store/map/process.rs',
    from: '            let share = u128::from(bytes) * u128::from(*used) / u128::from(sum.max(1));',
    to: '            let (share, _) = (bytes / givers.len() as u64, (used, sum));',
    test: 'maps under one limit'
  },
  {
    name: 'a fall of memory is not compared with its mark',
    file: 'src/store/memory/budget.rs',
    from: '        self.marks.fallen((before & !SHARED) - bytes, self);\n',
    to: '        let _ = before;\n',
    test: 'pressure'
  },
  {
    name: 'a threshold is left where it was passed',
    file: 'src/store/observe/pressure.rs',
    from: '    threshold - RELIEF.min(threshold * RELIEF_PART)',
    to: '    threshold - 0.0 * RELIEF.min(threshold * RELIEF_PART)',
    test: 'pressure'
  },
  {
    name: 'a fall that was not fetched yet takes the place of the rise before it',
    file: 'src/store/observe/pressure.rs',
    from: '            self.fallen = Some(news);',
    to: '            (self.risen, self.fallen) = (None, Some(news));',
    test: 'pressure'
  },
  {
    name: 'the limit stays lifted after a recovery',
    file: 'src/store/shard/context.rs',
    from: '        self.memory.set_limit(self.memory.limit());\n',
    to: '',
    test: 'recoveries'
  }
]

/** Protocols of operations that the histories of Node know: what breaks one is found by them, too. */
const IN_HISTORIES = [
  'compareAndSet writes over what came in between',
  'a step is a read, and then a write',
  'a step of a field is a read, and then a write',
  'a commit does not look whether what was read has changed',
  'a void load is stored',
  'a job deletes what an entry is now, which may match no more'
]
const again = LINES.filter(({ name }) => IN_HISTORIES.includes(name))
/** @type {readonly Mutation[]} */
const MUTATIONS = [
  ...LINES,
  ...again.map(one => ({ ...one, name: `${one.name}, in histories`, test: 'histories.spec' }))
]

module.exports = { MUTATIONS, TESTS }
