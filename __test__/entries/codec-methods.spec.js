'use strict'

// Every method that gives or takes a value does so through the codec of the map. The methods are those of the stalls
// rows, which name everything public: one that is new fails here until it has a row below, or stands among those
// without a value.

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { inspect } = require('node:util')
const { TypedMap } = require('../..')
const { ROWS } = require('../../benchmark/stalls/rows.js')
const { CODECS } = require('../support/codecs.js')
const { isTyped } = require('../support/errors.js')
const { until } = require('../support/turns.js')

require('../support/sound.js')

/** Nothing in it is JSON. */
const make = () => {
  const value = { when: new Date(5), names: new Map([['a', new Set([1n, /x/g])]]), bytes: Buffer.from('abc') }
  value.self = value
  return value
}

/** @param {TypedMap} map */
const put = map => {
  map.set('key', make())
  return 'key'
}

/** A schema that makes of any value what `make` makes. */
const schemaOf = output => ({ '~standard': { version: 1, vendor: 'test', validate: () => ({ value: output() }) } })

/**
 * What each method gives, as a list of values that all have to be what `make` makes. A method that writes gives what
 * was written, read back. Each `map` is empty and has a codec.
 *
 * @type {Record<string, (map: any, codec: any) => any[] | Promise<any[]>>}
 */
const GIVES = {
  'TypedMap.prototype.constructor': (_, codec) => [new TypedMap([['a', make()]], { codec }).get('a')],
  'TypedMap.open': (_, codec) => {
    const map = TypedMap.open(`codec methods ${process.pid}`, { codec })
    const value = map.set('a', make()).get('a')
    map.destroy()
    return [value]
  },
  'TypedMap.prototype.get': map => {
    const handle = map.insertWithHandle('key', make())
    return [map.get('key'), map.get('key', { copy: true }), map.get(handle), map.get(handle, { copy: true })]
  },
  'TypedMap.prototype.getByHandle': map => [map.getByHandle(map.insert(make()))],
  'Handle.prototype.get': map => {
    const handle = map.insert(make(), { type: 'T' })
    return [handle.get(), handle.get(), map.get(handle, 'T')]
  },
  'TypedMap.prototype.peek': map => [map.peek(put(map)), map.peek(map.getHandle('key'))],
  'TypedMap.prototype.getMany': map => [...map.getMany([put(map), map.getHandle('key'), 'key'])],
  'TypedMap.prototype.set': map => [map.set('a', 1).set('a', make()).get('a'), map.set(map.insert(1), make()).get('a')],
  'TypedMap.prototype.setMany': map => {
    map.setMany([
      ['a', make()],
      ['b', make(), { ttl: 1_000 }]
    ])
    return [...map.values()]
  },
  'TypedMap.prototype.updateMany': map => {
    map.updateMany([
      [put(map), make()],
      [map.insert(1), make()]
    ])
    return [...map.values()]
  },
  'TypedMap.prototype.insert': map => [map.insert(make()).get()],
  'TypedMap.prototype.insertMany': map => map.insertMany([make(), make(), make()]).map(handle => handle.get()),
  'TypedMap.prototype.insertWithHandle': map => [map.insertWithHandle('a', make()).get(), map.get('a')],
  'TypedMap.prototype.replace': map => {
    const handle = map.insert(1)
    return [map.replace(handle, make()).get(handle)]
  },
  'TypedMap.prototype.getOrInsert': map => {
    const [missing, present] = [map.getOrInsert('a', make()), map.getOrInsert('a', 1)]
    const { value } = map.getOrInsert('a', 1, { withState: true })
    const { value: inserted } = map.getOrInsert('b', make(), { withState: true })
    return [missing, present, value, inserted, map.getOrInsert(map.getHandle('a'), 1), ...map.values()]
  },
  'TypedMap.prototype.getOrInsertComputed': map => {
    const [missing, present] = [map.getOrInsertComputed('a', make), map.getOrInsertComputed('a', () => 1)]
    const { value } = map.getOrInsertComputed('a', () => 1, { withState: true })
    const { value: inserted } = map.getOrInsertComputed('b', make, { withState: true })
    return [missing, present, value, inserted, map.getOrInsertComputed(map.getHandle('a'), make), ...map.values()]
  },
  'TypedMap.prototype.getOrLoad': async map => {
    const load = () => map.getOrLoad('a', async () => make())
    return [...(await Promise.all([load(), load(), load()])), await load(), map.get('a')]
  },
  'TypedMap.prototype.getManyOrLoad': async map => {
    const load = () => map.getManyOrLoad(['a', 'b'], async keys => keys.map(make))
    return [...(await Promise.all([load(), load()])), await load(), [...map.values()]].flat()
  },
  'TypedMap.prototype.transaction': map => {
    put(map)
    const values = map.transaction(tx => {
      tx.set('a', make())
      return [tx.get('key'), tx.get('a'), tx.get('a'), tx.get(tx.insert(make()))]
    })
    return [...values, ...map.values()]
  },
  'TypedMap.prototype.begin': map => {
    const tx = map.begin()
    const values = [tx.set(put(map), make()).get('key'), tx.get('key')]
    const handle = tx.insert(make())
    tx.commit()
    return [...values, map.get('key'), handle.get()]
  },
  'TypedMap.prototype.update': map => {
    const given = []
    const note = value => {
      given.push(value)
      return make()
    }
    given.push(map.update(put(map), note), map.update(map.getHandle('key'), note))
    given.push(
      map.update('new', () => make()),
      ...map.values()
    )
    return given
  },
  'TypedMap.prototype.remove': map => [map.remove(put(map)), map.remove(map.insert(make()))],
  'TypedMap.prototype.entries': map => [...map.set('a', make()).set('b', make()).entries()].map(([, value]) => value),
  'TypedMap.prototype[Symbol.iterator]': map => [...map.set('a', make())].map(([, value]) => value),
  'TypedMap.prototype.values': map => [...map.set('a', make()).values(), ...map.values()],
  'TypedMap.prototype.forEach': map => {
    const values = []
    map.set('a', make()).set('b', make())
    map.forEach(value => {
      values.push(value)
    })
    return values
  },
  'TypedMap.prototype.scan': map => map.scan('0', { count: put(map).length }).entries.map(([, value]) => value),
  'TypedMap.prototype.scanIterator': map => [...map.set('a', make()).scanIterator()].map(([, value]) => value),
  'TypedMap.prototype.randomEntry': map => [map.set('a', make()).randomEntry()[1], map.randomEntry()[1]],
  'TypedMap.prototype.filter': async map => {
    const values = []
    map.set('a', make())
    await map.filter(value => values.push(value))
    return values
  },
  'TypedMap.prototype.onEvict': async map => {
    const values = []
    const causes = ['explicit', 'replaced', 'cleared']
    map.onEvict(({ value }) => values.push(value), { causes })
    map.set('a', make()).set('a', make())
    map.set('b', make()).delete('a')
    map.clear()
    await until(() => values.length === causes.length)
    return values
  },
  'TypedMap.prototype.onChange': async map => {
    const values = []
    map.onChange(({ value }) => values.push(value))
    map.set('a', make()).set('a', make()).delete('a')
    await until(() => values.length === 3)
    return values
  },
  'TypedMap.prototype.ofType': map => [map.ofType('T').insert(make()).get(), ...map.ofType('T').values()],
  'TypedView.prototype.get': map => {
    const view = map.ofType('T')
    const handle = view.insert(make())
    return [view.get(handle), view.get(handle, { copy: true }), view.get(handle)]
  },
  'TypedView.prototype.insert': map => [map.ofType('T', schemaOf(make)).insert(5).get()],
  'TypedView.prototype.set': map => [map.ofType('T').set('a', 1).set('a', make()).get('a'), map.get('a')],
  'TypedView.prototype.values': map => [...map.ofType('T').set('a', make()).values()],
  'TypedView.prototype.entries': map => [...map.ofType('T').set('a', make()).entries()].map(([, value]) => value),
  'TypedView.prototype[Symbol.iterator]': map => [...map.ofType('T').set('a', make())].map(([, value]) => value),
  'TypedView.prototype.scan': map => [map.ofType('T').set('a', make()).scan('0').entries[0][1]],
  'TypedMap.prototype[nodejs.util.inspect.custom]': map => {
    const text = inspect(map.set('a', make()), { depth: 5 })
    for (const part of [/1970-01-01T00:00:00.005Z/, /Set\(2\) \{ 1n, \/x\/g \}/, /Buffer 61 62 63/])
      assert.match(text, part)
    return []
  }
}

/** Those that look into values, which throw. @type {Record<string, (map: any) => unknown>} */
const REFUSED = {
  'TypedMap.prototype.increment': map => map.increment('new'),
  'TypedMap.prototype.compareAndSet': map => map.compareAndSet('key', 1, 2),
  'TypedView.prototype.find': map => map.ofType('T').find({ where: { '/when': 5 } }),
  'TypedMap.prototype.find': map => map.find({ where: { '/when': 5 } }),
  'TypedMap.prototype.count': map => map.count({ where: {} }),
  'TypedMap.prototype.deleteWhere': map => map.deleteWhere({ key: 'none', where: {} })
}

/** What a call throws, or its promise rejects with. */
async function errorOf(call) {
  try {
    await call()
  } catch (error) {
    return error
  }
  return assert.fail('it is not refused')
}

/** Those that neither give nor take a value of a map with a codec. */
const WITHOUT_VALUE = [
  'Handle.prototype.constructor',
  'Handle.prototype.id',
  'MapIterator.prototype.next',
  'MapIterator.prototype[Symbol.toStringTag]',
  // Makes a map of JSON.
  'TypedMap.groupBy',
  'TypedMap.metrics',
  'TypedMap.names',
  'TypedMap.onProcessPressure',
  'TypedMap.processMemory',
  'TypedMap.setProcessLimit',
  'TypedMap.setClock',
  'TypedMap[Symbol.species]',
  'TypedMap.prototype[Symbol.dispose]',
  'TypedMap.prototype[Symbol.toStringTag]',
  ...'autoResize clear close delete deleteMany deletePrefix destroy evict getHandle getStats handle has hasMany'
    .concat(' isMigrating keys memoryUsage onError onLog onPressure purgeExpired randomKey rehash reserve')
    .concat(' setLimits shrinkToFit size touch ttlOf validate advise dump explain getHotKeys getMemoryDistribution')
    .concat(' metrics options predictOptimalShardCount recover resetStats')
    .split(' ')
    .map(name => `TypedMap.prototype.${name}`),
  ...'delete has keys name size'.split(' ').map(name => `TypedView.prototype.${name}`),
  'TypedView.prototype[Symbol.toStringTag]'
]

describe('codec: methods', () => {
  it('each public one is known here', () => {
    const known = [...Object.keys(GIVES), ...Object.keys(REFUSED), ...WITHOUT_VALUE]
    const methods = Object.keys(ROWS).filter(name => !name.startsWith('TestClock'))
    const unknown = methods.filter(name => !known.includes(name))
    assert.deepEqual(unknown, [], 'add a row that shows the values that it gives or takes, or that it has none')
    const gone = known.filter(name => !(name in ROWS))
    assert.deepEqual(gone, [], 'no public methods')
  })

  for (const [codecName, makeCodec] of Object.entries(CODECS)) {
    for (const [method, give] of Object.entries(GIVES)) {
      it(`${codecName}: ${method} gives values as they were, each of its own`, async () => {
        const codec = makeCodec()
        const map = new TypedMap({ codec })
        const values = await give(map, codec)
        for (const value of values) {
          assert.deepStrictEqual(value, make())
          assert.ok(!Object.isFrozen(value) && !Object.isFrozen(value.when))
        }
        assert.equal(new Set(values).size, values.length, 'none is shared')
        map.close()
      })
    }

    for (const [method, call] of Object.entries(REFUSED)) {
      it(`${codecName}: ${method} looks into values, and is refused`, async () => {
        const codec = makeCodec()
        const map = new TypedMap({ codec })
        map.set('key', 1)
        const error = await errorOf(() => call(map))
        isTyped(error, 'ERR_WRONG_TYPE', { says: [/codec 'json'/, /this one has '/] })
        assert.equal(error.details.found, codec.contentType ?? codec)
        assert.deepEqual([...map], [['key', 1]])
        map.close()
        isTyped(await errorOf(() => call(map)), 'ERR_CLOSED')
      })
    }
  }
})
