'use strict'

/*
 * A row for each public method. `call(map, n)` is measured; `n` counts the calls, so that each can take another key. A
 * row that `spends` its map gets a fresh one for each call. One that `reads` a value is judged per MB where values are
 * huge. A call whose work is in its arguments is judged `per` item. `before(map, n)` is not measured.
 */

const { inspect } = require('node:util')
const { TypedMap } = require('typed-superdashmap')
const { HUGE_BYTES, fill, pairOf } = require('./worlds.js')

const BULK = 1_000

const keysFrom = n => Array.from({ length: BULK }, (_, at) => n * BULK + at)
const pairsFrom = n => keysFrom(n).map(key => [key, pairOf(key)])
const huge = Buffer.alloc(HUGE_BYTES)
const hugeText = 'x'.repeat(HUGE_BYTES)
const megabytes = HUGE_BYTES / 1024 ** 2
/** Members of an object whose text has some 10 MB. */
const wide = Array.from({ length: 100_000 }, (_, at) => [`member ${at}`, { id: at, text: 'x'.repeat(70) }])
const WIDE_BYTES = JSON.stringify(Object.fromEntries(wide)).length
const DISPOSE = Symbol.dispose ?? Symbol.for('Symbol.dispose')
const anyHandle = map => map.insertWithHandle('handle', 1)

/** Methods by `Class.method`; some have several rows. */
const ROWS = {
  'TypedMap.prototype.constructor': [
    { call: () => new TypedMap() },
    { what: 'shards: 4096', call: () => new TypedMap({ shards: 4_096 }) },
    { what: 'initialCapacity', call: () => new TypedMap({ initialCapacity: 5_000_000 }) }
  ],
  'TypedMap.prototype.size': [{ call: map => map.size }],
  'TypedMap.prototype.get': [
    { reads: true, call: (map, n) => map.get(n) },
    { what: 'a field', reads: true, call: (map, n) => map.get(n, { at: '/port' }) },
    {
      what: 'a field of 100 MB of text',
      before: (map, n) => ignoreRefusal(() => map.set('huge', { [`first ${n}`]: hugeText, last: 1 })),
      call: map => map.get('huge', { at: '/last' }),
      per: megabytes
    }
  ],
  'TypedMap.prototype.getByHandle': [{ call: (map, _, { handle }) => map.getByHandle(handle), before: withHandle }],
  'TypedMap.prototype.has': [{ call: (map, n) => map.has(n) }],
  'TypedMap.prototype.getMany': [{ call: (map, n) => map.getMany(keysFrom(n)), per: BULK }],
  'TypedMap.prototype.set': [
    { call: (map, n) => map.set(n, pairOf(n)) },
    { what: 'new key', call: (map, n) => map.set(`new ${n}`, pairOf(n)) },
    { what: '100 MB', call: (map, n) => map.set(`huge ${n}`, huge), per: megabytes },
    {
      what: 'in place of 100 MB',
      before: map => ignoreRefusal(() => map.set('huge', huge)),
      call: map => map.set('huge', 1)
    },
    { what: 'after clear()', spends: true, before: map => map.clear(), call: (map, n) => map.set(n, pairOf(n)) }
  ],
  'TypedMap.prototype.increment': [
    { call: map => map.increment('counter') },
    { what: 'a new counter', call: (map, n) => map.increment(`counter ${n}`, 1, { ttl: 60_000 }) },
    { what: 'of a field', before: setPair, call: (map, n) => incrementField(map, n, '/port') },
    { what: 'of a new field', before: setPair, call: (map, n) => incrementField(map, n, '/visits') },
    {
      what: 'of a field, 10 MB',
      before: (map, n) => ignoreRefusal(() => map.set(`wide ${n}`, Object.fromEntries(wide))),
      call: (map, n) => incrementField(map, `wide ${n}`, n % 2 === 0 ? '/member 99999/id' : '/visits'),
      per: WIDE_BYTES / 1024 ** 2
    }
  ],
  'TypedMap.prototype.update': [{ call: (map, n) => map.update(n, pair => pair ?? pairOf(n)) }],
  'TypedMap.prototype.compareAndSet': [
    { call: (map, n) => map.compareAndSet(n, pairOf(n), pairOf(n + 1)) },
    {
      what: '10 MB, in another order',
      before: (map, n) => {
        const expected = Object.fromEntries(wide.toReversed())
        ignoreRefusal(() => map.set(`wide ${n}`, Object.fromEntries(wide)))
        return { expected }
      },
      call: (map, n, { expected }) => map.compareAndSet(`wide ${n}`, expected, n),
      per: WIDE_BYTES / 1024 ** 2
    },
    {
      what: '100 MB of bytes',
      before: (map, n) => ignoreRefusal(() => map.set(`huge ${n}`, huge)),
      call: (map, n) => map.compareAndSet(`huge ${n}`, huge, n),
      per: megabytes
    }
  ],
  'TypedMap.prototype.transaction': [
    { call: (map, n) => map.transaction(tx => tx.set(n, pairOf(n)).set(`new ${n}`, tx.get(n))) },
    {
      what: '1,000 keys',
      call: (map, n) =>
        map.transaction(tx => {
          for (const key of keysFrom(n)) tx.set(key, pairOf(key))
        }),
      per: BULK
    }
  ],
  'TypedMap.prototype.begin': [{ call: map => map.begin().rollback() }],
  'TypedMap.prototype.getOrInsert': [{ call: (map, n) => map.getOrInsert(`or ${n}`, 1) }],
  'TypedMap.prototype.getOrInsertComputed': [{ call: (map, n) => map.getOrInsertComputed(`computed ${n}`, () => 1) }],
  'TypedMap.prototype.getOrLoad': [
    { reads: true, call: (map, n) => ignoreRejection(map.getOrLoad(n, () => pairOf(n))) },
    { what: 'a new key', call: (map, n) => ignoreRejection(map.getOrLoad(`load ${n}`, () => 1)) },
    {
      what: 'staleFor',
      call: (map, n) => ignoreRejection(map.getOrLoad(`stale ${n}`, () => 1, { ttl: 1, staleFor: 5 }))
    },
    {
      what: 'refreshAfter',
      reads: true,
      call: (map, n) => ignoreRejection(map.getOrLoad(n, () => pairOf(n), { refreshAfter: 1 }))
    }
  ],
  'TypedMap.prototype.getManyOrLoad': [
    { call: (map, n) => ignoreRejection(map.getManyOrLoad(keysFrom(n), keys => keys.map(pairOf))), per: BULK },
    {
      what: 'new keys',
      call: (map, n) => ignoreRejection(map.getManyOrLoad(keysFrom(n).map(String), keys => keys.map(Number))),
      per: BULK
    }
  ],
  'TypedMap.prototype.delete': [
    { call: (map, n) => map.delete(n) },
    { what: '100 MB', before: map => ignoreRefusal(() => map.set('huge', huge)), call: map => map.delete('huge') }
  ],
  'TypedMap.prototype.remove': [{ reads: true, call: (map, n) => map.remove(1_000 + n) }],
  'TypedMap.prototype.clear': [
    { spends: true, call: map => map.clear() },
    { what: 'with a listener', spends: true, before: listen, call: map => map.clear() },
    { what: 'with a listener to changes of other keys', spends: true, before: watch, call: map => map.clear() }
  ],
  'TypedMap.prototype.reserve': [{ call: (map, n) => map.reserve(10_000_000 + n) }],
  'TypedMap.prototype.autoResize': [
    { call: map => map.autoResize },
    {
      what: 'set',
      call: map => {
        map.autoResize = true
      }
    }
  ],
  'TypedMap.prototype.isMigrating': [{ call: map => map.isMigrating }],
  'TypedMap.prototype.rehash': [
    { what: '2 ms', call: map => map.rehash(2) },
    { what: '2 ms, growing', before: (map, n) => map.reserve(10_000_000 + n), call: map => map.rehash(2) }
  ],
  'TypedMap.prototype.shrinkToFit': [
    { call: map => map.shrinkToFit() },
    { what: 'after reserve()', before: map => map.reserve(20_000_000), call: map => map.shrinkToFit() }
  ],
  'TypedMap.prototype.setMany': [{ call: (map, n) => map.setMany(pairsFrom(n)), per: BULK }],
  'TypedMap.prototype.updateMany': [{ call: (map, n) => map.updateMany(pairsFrom(n)), per: BULK }],
  'TypedMap.prototype.hasMany': [{ call: (map, n) => map.hasMany(keysFrom(n)), per: BULK }],
  'TypedMap.prototype.deleteMany': [
    { call: (map, n) => map.deleteMany(keysFrom(n)), per: BULK },
    { what: 'each', call: (map, n) => map.deleteMany(keysFrom(n), { each: true }), per: BULK }
  ],
  'TypedMap.prototype.insert': [{ call: (map, n) => map.insert(pairOf(n)) }],
  'TypedMap.prototype.insertMany': [{ call: (map, n) => map.insertMany(keysFrom(n)), per: BULK }],
  'TypedMap.prototype.insertWithHandle': [{ call: (map, n) => map.insertWithHandle(`with ${n}`, 1) }],
  'TypedMap.prototype.getHandle': [{ call: (map, n) => map.getHandle(n) }],
  'TypedMap.prototype.replace': [{ call: (map, n, { handle }) => map.replace(handle, n), before: withHandle }],
  'TypedMap.prototype.handle': [{ call: (map, _, { handle }) => map.handle({ ...handle }), before: withHandle }],
  'TypedMap.prototype.peek': [{ reads: true, call: (map, n) => map.peek(n) }],
  'TypedMap.prototype.ttlOf': [{ call: (map, n) => map.ttlOf(n) }],
  'TypedMap.prototype.touch': [{ call: (map, n) => map.touch(n, { ttl: 60_000 }) }],
  'TypedMap.prototype.memoryUsage': [
    { call: map => map.memoryUsage() },
    { what: 'key', call: map => map.memoryUsage(1) }
  ],
  'TypedMap.prototype.getMemoryDistribution': [{ call: map => ignoreRejection(map.getMemoryDistribution()) }],
  'TypedMap.prototype.advise': [{ call: map => map.advise() }],
  'TypedMap.prototype.predictOptimalShardCount': [{ call: map => map.predictOptimalShardCount() }],
  'TypedMap.prototype.dump': [{ what: '1,000 slots', call: map => map.dump(0, { slots: 1_000 }) }],
  'TypedMap.prototype.getHotKeys': [
    { what: '100', before: () => withHotKeys(), call: (_, __, { hot }) => hot.getHotKeys(100) }
  ],
  'TypedMap.prototype.explain': [{ call: (map, n) => map.explain(n) }],
  'TypedMap.prototype.purgeExpired': [
    { call: map => map.purgeExpired() },
    { what: '100,000 due', before: withExpired, call: map => map.purgeExpired() }
  ],
  'TypedMap.prototype.evict': [
    { what: '1', call: map => map.evict(1) },
    { what: '1,000', call: map => map.evict(BULK), per: BULK }
  ],
  'TypedMap.prototype.setLimits': [{ call: map => map.setLimits({ maxValueBytes: 2 * HUGE_BYTES }) }],
  'TypedMap.prototype.keys': [{ call: map => map.keys() }],
  'TypedMap.prototype.values': [{ call: map => map.values() }],
  'TypedMap.prototype.entries': [{ call: map => map.entries() }],
  'TypedMap.prototype.forEach': [
    {
      call: map => {
        let left = 1_000
        try {
          map.forEach(() => {
            if (left-- === 0) throw stop
          })
        } catch (error) {
          if (error !== stop) throw error
        }
      },
      per: BULK
    }
  ],
  'TypedMap.prototype.scan': [
    { reads: true, call: map => map.scan('0') },
    { what: 'count: 4096', reads: true, call: map => map.scan('0', { count: 4_096 }) },
    { what: 'without a match', call: map => map.scan('0', { match: '*a*b*c*d*' }) },
    {
      what: 'behind 100,000 deleted',
      spends: true,
      before: map => {
        for (let start = 0; start < 100; start++) map.deleteMany(keysFrom(start))
      },
      call: map => map.scan('0')
    }
  ],
  'TypedMap.prototype.scanIterator': [{ reads: true, call: map => map.scanIterator().next() }],
  'TypedMap.prototype.filter': [
    { what: 'until its first turn ends', reads: true, call: map => void map.filter(() => false).catch(() => {}) }
  ],
  'TypedMap.prototype.find': [
    { what: 'until it waits', call: map => void map.find({ where: { '/port': 1 } }).catch(() => {}) }
  ],
  'TypedMap.prototype.deleteWhere': [
    { what: 'until it waits', call: map => void map.deleteWhere({ where: { '/port': 1 } }).catch(() => {}) }
  ],
  'TypedMap.prototype.deletePrefix': [
    { what: 'until it waits', call: map => void map.deletePrefix('none').catch(() => {}) }
  ],
  'TypedMap.prototype.count': [
    { what: 'until it waits', call: map => void map.count({ where: { '/port': 1 } }).catch(() => {}) }
  ],
  'TypedMap.prototype.ofType': [{ call: map => map.ofType('View') }],
  'TypedView.prototype.name': [{ before: withView, call: (_, __, { view }) => view.name }],
  'TypedView.prototype.size': [{ before: withView, call: (_, __, { view }) => view.size }],
  'TypedView.prototype.get': [{ before: withView, call: (_, n, { view }) => view.get(`view ${n}`) }],
  'TypedView.prototype.has': [{ before: withView, call: (_, n, { view }) => view.has(`view ${n}`) }],
  'TypedView.prototype.insert': [{ before: withView, call: (_, n, { view }) => view.insert(pairOf(n)) }],
  'TypedView.prototype.set': [
    { before: withView, call: (_, n, { view }) => view.set(`view ${n}`, pairOf(n)) },
    {
      what: 'in place of one without a type',
      before: (map, n) => {
        map.set(`plain ${n}`, n)
        return withView(map, n)
      },
      call: (_, n, { view }) => view.set(`plain ${n}`, pairOf(n))
    }
  ],
  'TypedView.prototype.delete': [{ before: withView, call: (_, n, { view }) => view.delete(`view ${n}`) }],
  'TypedView.prototype.keys': [{ before: withView, call: (_, __, { view }) => view.keys().next() }],
  'TypedView.prototype.values': [{ before: withView, call: (_, __, { view }) => view.values().next() }],
  'TypedView.prototype.entries': [{ before: withView, call: (_, __, { view }) => view.entries().next() }],
  'TypedView.prototype[Symbol.iterator]': [
    { before: withView, call: (_, __, { view }) => view[Symbol.iterator]().next() }
  ],
  'TypedView.prototype[Symbol.toStringTag]': [{ before: withView, call: (_, __, { view }) => String(view) }],
  'TypedView.prototype.find': [
    {
      what: 'until it waits',
      before: withView,
      call: (_, __, { view }) => void view.find({ where: { '/port': 1 } }).catch(() => {})
    }
  ],
  'TypedView.prototype.scan': [{ reads: true, before: withView, call: (_, __, { view }) => view.scan('0') }],
  'TypedMap.prototype.randomKey': [{ call: map => map.randomKey() }],
  'TypedMap.prototype.randomEntry': [{ reads: true, call: map => map.randomEntry() }],
  'TypedMap.prototype.getStats': [
    { call: map => map.getStats() },
    { what: 'shards: true', call: map => map.getStats({ shards: true }) }
  ],
  'TypedMap.prototype.options': [{ call: map => map.options }],
  'TypedMap.prototype.metrics': [{ call: map => map.metrics() }],
  'TypedMap.prototype.resetStats': [{ call: map => map.resetStats() }],
  'TypedMap.prototype.validate': [
    { what: 'until its first turn ends', call: map => void map.validate().catch(() => {}) }
  ],
  'TypedMap.prototype.recover': [{ what: 'until it waits', call: map => void map.recover().catch(() => {}) }],
  'TypedMap.prototype.onError': [{ call: map => map.onError(() => {})() }],
  'TypedMap.prototype.onLog': [{ call: map => map.onLog(() => {})() }],
  'TypedMap.prototype.onEvict': [{ call: map => map.onEvict(() => {})() }],
  'TypedMap.prototype.onChange': [{ call: map => map.onChange(() => {}, { match: 'config:*' })() }],
  'TypedMap.prototype.onPressure': [{ call: map => map.onPressure(() => {})() }],
  'TypedMap.prototype.close': [{ spends: true, call: map => map.close() }],
  'TypedMap.prototype.destroy': [{ spends: true, call: map => map.destroy() }],
  'TypedMap.prototype[Symbol.dispose]': [{ spends: true, call: map => map[Symbol.dispose]() }],
  'TypedMap.prototype[nodejs.util.inspect.custom]': [{ call: map => inspect(map) }],
  'TypedMap.prototype[Symbol.iterator]': [{ call: map => map[Symbol.iterator]() }],
  'TypedMap.prototype[Symbol.toStringTag]': [{ call: map => map[Symbol.toStringTag] }],
  'TypedMap.open': [{ call: () => TypedMap.open('stalls') }],
  'TypedMap.names': [
    { call: () => TypedMap.names() },
    { what: 'details: true', call: () => TypedMap.names({ details: true }) }
  ],
  'TypedMap.metrics': [{ call: () => TypedMap.metrics() }],
  'TypedMap.setProcessLimit': [
    {
      what: 'set and removed',
      call: () => {
        TypedMap.setProcessLimit('64gb')
        TypedMap.setProcessLimit(null)
      }
    }
  ],
  'TypedMap.processMemory': [{ call: () => TypedMap.processMemory() }],
  'TypedMap.onProcessPressure': [{ call: () => TypedMap.onProcessPressure(() => {})() }],
  'TypedMap.setClock': [{ call: () => TypedMap.setClock().restore() }],
  'TypedMap.groupBy': [{ call: (_, n) => TypedMap.groupBy(keysFrom(n), key => key % 10), per: BULK }],
  'TypedMap[Symbol.species]': [{ call: () => TypedMap[Symbol.species] }],
  'Handle.prototype.constructor': [{ call: (map, n) => map.getHandle(n) }],
  'Handle.prototype.get': [
    { call: (_, __, { handle }) => handle.get(), before: withHandle },
    { what: 'near', call: (_, __, { handle }) => handle.get(), before: withReadHandle }
  ],
  'Handle.prototype.id': [{ call: (_, __, { handle }) => handle.id, before: withHandle }],
  'TestClock.prototype.constructor': [{ call: () => TypedMap.setClock().restore() }],
  'TestClock.prototype.advance': [
    { call: (_, __, { clock }) => advance(clock), before: withClock },
    {
      what: 'over 100,000 deadlines',
      before: withDeadlines,
      call: (_, __, { clock }) => advance(clock),
      per: 100_000
    }
  ],
  'TestClock.prototype.restore': [{ call: (_, __, { clock }) => clock.restore(), before: withClock }],
  'TestClock.prototype[Symbol.dispose]': [{ call: (_, __, { clock }) => clock[DISPOSE](), before: withClock }],
  'MapIterator.prototype.next': [
    { reads: true, call: (_, __, { iterator }) => iterator.next(), before: withIterator },
    { what: 'the second', reads: true, call: (_, __, { iterator }) => iterator.next(), before: withSecondIterator },
    { what: 'of keys', call: (_, __, { iterator }) => iterator.next(), before: map => ({ iterator: map.keys() }) },
    {
      what: 'behind 100,000 deleted',
      spends: true,
      before: map => {
        for (let start = 0; start < 100; start++) map.deleteMany(keysFrom(start))
        return withIterator(map)
      },
      call: (_, __, { iterator }) => iterator.next()
    }
  ],
  'MapIterator.prototype[Symbol.toStringTag]': [{ call: map => map.keys()[Symbol.toStringTag] }]
}

/** Of a call that waits when its map is closed. @param {Promise<unknown>} promise */
const ignoreRejection = promise => void promise.catch(() => {})

const stop = new Error('enough')

/** Each removal is copied for it, as many as may wait. */
function listen(map) {
  map.onEvict(() => {}, { causes: ['cleared'] })
}

/** Each removed entry is looked at for it, a bounded number of them. */
function watch(map) {
  map.onChange(() => {}, { match: 'config:*' })
}

/** A map of its own, because the others do not sample. Of the keys, as many are known as a thread tells apart. */
function withHotKeys() {
  const hot = new TypedMap({ hotKeys: true, nearCache: false })
  for (let n = 0; n < BULK; n++) hot.set(n, n)
  for (let n = 0; n < 200 * BULK; n++) hot.get((n * 7_919) % BULK)
  return { hot }
}

function withHandle(map) {
  return { handle: anyHandle(map) }
}

function withReadHandle(map) {
  const handle = anyHandle(map)
  handle.get()
  return { handle }
}

/** A view of a type that has an entry for this call. */
function withView(map, n) {
  const view = map.ofType('View')
  ignoreRefusal(() => view.set(`view ${n}`, pairOf(n)))
  return { view }
}

function withIterator(map) {
  return { iterator: map.entries() }
}

/** The first batch of an iterator is small; the second is not. */
function withSecondIterator(map) {
  const iterator = map.entries()
  for (let n = 0; n < 4; n++) iterator.next()
  return { iterator }
}

/** Entries that are due and that the expiry thread has not removed yet. */
function withExpired(map) {
  fill(map, 100_000, pairOf, { ttl: 1 })
  const end = performance.now() + 2
  while (performance.now() < end);
}

function withClock() {
  return { clock: TypedMap.setClock() }
}

function withDeadlines(map) {
  const clock = TypedMap.setClock()
  ignoreRefusal(() => fill(map, 100_000, pairOf, { ttl: 1 }))
  return { clock }
}

/** And ends the clock, under which the time of later rows would stand still. */
function advance(clock) {
  clock.advance(1)
  clock.restore()
}

function setPair(map, n) {
  ignoreRefusal(() => map.set(n, pairOf(n)))
}

/** Counts a field of an entry. In a map whose limit was lowered the entry may have been evicted, and has no fields. */
function incrementField(map, key, at) {
  if (map.has(key)) map.increment(key, 1, { at })
}

/** Runs what a limit may refuse, such as a huge value in a map that was made small. */
function ignoreRefusal(write) {
  try {
    return write()
  } catch (error) {
    if (!['ERR_MEMORY_LIMIT', 'ERR_VALUE_TOO_LARGE'].includes(error.code)) throw error
  }
}

const symbolName = symbol => {
  const { description } = symbol
  if (symbol === Symbol.dispose || description === 'nodejs.dispose') return '[Symbol.dispose]'
  return `[${description}]`
}

/** Names of everything public that can be called or read. */
function publicSurface({ TypedMap: Api, Handle }) {
  const MapIterator = Object.getPrototypeOf(new Api().keys())
  const clock = Api.setClock()
  clock.restore()
  const names = (prefix, object, leftOut = []) =>
    Reflect.ownKeys(object)
      .filter(key => !leftOut.includes(key))
      .map(key => prefix + (typeof key === 'symbol' ? symbolName(key) : `.${key}`))
  const ofFunctions = ['length', 'name', 'prototype']
  return [
    ...names('TypedMap.prototype', Api.prototype),
    ...names('TypedMap', Api, ofFunctions),
    ...names('Handle.prototype', Handle.prototype),
    ...names('Handle', Handle, ofFunctions),
    ...names('MapIterator.prototype', MapIterator),
    ...names('TypedView.prototype', Object.getPrototypeOf(new Api().ofType('View'))),
    ...names('TestClock.prototype', Object.getPrototypeOf(clock))
  ]
}

module.exports = { ROWS, ignoreRefusal, publicSurface }
