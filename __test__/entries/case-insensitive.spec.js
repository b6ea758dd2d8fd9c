'use strict'

// Keys that differ in case only are one key, which is kept as it was spelled first.

const { describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { TypedMap } = require('../..')
const { throwsTyped } = require('../support/errors.js')
const { seededRandom } = require('../support/random.js')
const { inWorker, startWorker } = require('../support/workers.js')

require('../support/sound.js')

const ignoringCase = (more = {}) => new TypedMap({ caseInsensitiveKeys: true, ...more })

/**
 * The map has the data of Unicode 16. Node.js may know letters that came later.
 *
 * @param {number} code
 */
const isLater = code =>
  // Latin letters and Beria Erfe, of Unicode 17.
  (code >= 0xa7ce && code <= 0xa7d5) ||
  (code >= 0x1_6ea0 && code <= 0x1_6ed3) ||
  (Number(process.versions.unicode) > 17 && !ignoringCase().set(String.fromCodePoint(code), 1).has(flip(code)))

const flip = (/** @type {number} */ code) => {
  const one = String.fromCodePoint(code)
  return one === one.toLowerCase() ? one.toUpperCase() : one.toLowerCase()
}

/** Whether two texts are one key. */
const isOneKey = (one, other) => ignoringCase().set(one, 1).has(other)

describe('caseInsensitiveKeys: what is one key', () => {
  it('letters, of any script', () => {
    for (const [one, other] of [
      ['Content-Type', 'content-TYPE'],
      ['ÉTÉ', 'été'],
      ['ΣΊΣΥΦΟΣ', 'σίσυφος'],
      ['σ', 'ς'],
      ['STRAẞE', 'straße'],
      ['\u212a', 'k'],
      ['\u212a', 'K'],
      ['\u212b', 'å'],
      ['ſ', 'S'],
      ['µ', 'Μ'],
      ['Ꭰ', 'ꭰ'],
      ['Ж', 'ж'],
      ['𐐀', '𐐨'],
      ['ǅ', 'ǆ'],
      ['', '']
    ]) {
      assert.ok(isOneKey(one, other), `${one} and ${other}`)
      assert.ok(isOneKey(other, one), `${other} and ${one}`)
    }
  })

  it('not what folding by several characters or by a language would make one', () => {
    for (const [one, other] of [
      ['ß', 'ss'],
      ['ẞ', 'SS'],
      ['İ', 'i'],
      ['İ', 'i\u0307'],
      ['I', 'ı'],
      ['ﬁ', 'fi'],
      ['é', 'e\u0301'],
      ['[', '{'],
      ['@', '`'],
      ['a', 'ab']
    ]) {
      assert.ok(!isOneKey(one, other), `${one} and ${other}`)
      assert.ok(!isOneKey(other, one), `${other} and ${one}`)
    }
  })

  it('the same as regular expressions with the flags iu, for each character that has a case', () => {
    const map = ignoringCase()
    let compared = 0
    const compare = (one, other) => {
      const expected = new RegExp(`^\\u{${one.codePointAt(0).toString(16)}}$`, 'iu').test(other)
      map.clear()
      assert.equal(map.set(one, 1).has(other), expected, `${one} and ${other}`)
      compared++
    }
    for (let code = 0x41; code < 0x1_f000; code++) {
      if ((code >= 0xd800 && code < 0xe000) || isLater(code)) continue
      const one = String.fromCodePoint(code)
      for (const other of new Set([one.toLowerCase(), one.toUpperCase(), one.toUpperCase().toLowerCase()])) {
        if (other !== one && [...other].length === 1) compare(one, other)
      }
    }
    assert.ok(compared > 2_500, `${compared} pairs`)
  })

  it('keys of other types are what they were', () => {
    const map = ignoringCase()
    const keys = [1, 1n, '1', true, 'TRUE', null, 'null', undefined, Buffer.from('A'), Buffer.from('a'), 'A']
    for (const [at, key] of keys.entries()) map.set(key, at)
    assert.equal(map.size, keys.length)
    for (const [at, key] of keys.entries()) assert.equal(map.get(key), at)
    assert.equal(map.get('true'), 4)
  })

  it('strings with lone surrogates, too, and none that has them is one that has not', () => {
    assert.ok(isOneKey('\ud800AÉ', '\ud800aé'))
    assert.ok(!isOneKey('\ud800a', '\ud801a'))
    assert.ok(!isOneKey('\ud800A', '\ufffda'))
  })

  it('long keys, also where their parts have other lengths in bytes', () => {
    for (const length of [255, 256, 257, 511, 512, 1_000, 70_000]) {
      assert.ok(isOneKey('K'.repeat(length), '\u212a'.repeat(length)), `${length}`)
      assert.ok(isOneKey(`${'x'.repeat(length)}ẞ`, `${'X'.repeat(length)}ß`), `${length}`)
      assert.ok(!isOneKey('K'.repeat(length), 'k'.repeat(length + 1)), `${length}`)
    }
  })

  it('a map without the option distinguishes them', () => {
    assert.ok(!new TypedMap().set('A', 1).has('a'))
    assert.ok(!ignoringCase({ caseInsensitiveKeys: false }).set('A', 1).has('a'))
  })

  for (const hash of ['ahash', 'siphash', 'xxh3', 'fnv1a']) {
    it(`with ${hash} and any number of shards`, () => {
      for (const shards of [1, 64]) {
        const map = ignoringCase({ hash, shards, seed: 1 })
        for (let n = 0; n < 2_000; n++) map.set(`Key ${n}`, n)
        for (let n = 0; n < 2_000; n++) assert.equal(map.get(`\u212aEY ${n}`), n)
        assert.equal(map.size, 2_000)
      }
    })
  }
})

describe('caseInsensitiveKeys: the first spelling', () => {
  it('is what the map gives, whatever its entry is written by', () => {
    const map = ignoringCase()
    map.set('First', 1).set('FIRST', 2)
    map.setMany([['first', 3]])
    map.updateMany([['fIRST', 4]])
    map.update('FIrst', n => n + 1)
    map.increment('firST')
    map.getOrInsert('FIRSt', 0)
    map.insertWithHandle('firsT', { n: 7 })
    assert.deepEqual([...map.keys()], ['First'])
    assert.deepEqual([...map], [['First', { n: 7 }]])
    for (const [key, value] of map.entries()) assert.deepEqual([key, value], ['First', { n: 7 }])
    assert.deepEqual(map.scan('0').entries, [['First', { n: 7 }]])
    assert.equal(map.randomKey(), 'First')
    assert.deepEqual(map.randomEntry(), ['First', { n: 7 }])
  })

  it('ends with its entry', () => {
    const map = ignoringCase().set('First', 1)
    map.delete('first')
    map.set('SECOND', 1).set('second', 2).set('FIRST', 3)
    assert.deepEqual(
      [...map],
      [
        ['SECOND', 2],
        ['FIRST', 3]
      ]
    )
    map.clear()
    assert.deepEqual([...map.set('first', 1).keys()], ['first'])
  })

  it('is kept by values of any size, in the same or other lengths', () => {
    const spellings = ['key', 'KEY', '\u212aEY', '\u212aey']
    // An entry of more than 2 KB has a block of its own, and one in three of these is at that bound.
    const sizes = [1, 2_028, 2_029, 2_030, 2_031, 2_032, 2_033, 2_034, 2_036, 2_040, 5_000, 200_000]
    for (const first of spellings) {
      for (const other of spellings) {
        const map = ignoringCase()
        for (const before of [1, 5_000]) {
          for (const size of sizes) {
            map.set(first, 'b'.repeat(before))
            map.set(other, 'v'.repeat(size))
            assert.deepEqual([...map], [[first, 'v'.repeat(size)]])
            map.delete(other)
          }
        }
      }
    }
  })

  it('is what listeners hear', async () => {
    const map = ignoringCase()
    const heard = []
    const stop = map.onEvict(({ key, cause }) => heard.push([key, cause]), { causes: ['explicit', 'replaced'] })
    map.set('First', 1).set('FIRST', 2)
    map.delete('first')
    while (heard.length < 2) await new Promise(resolve => setImmediate(resolve))
    stop()
    assert.deepEqual(heard, [
      ['First', 'replaced'],
      ['First', 'explicit']
    ])
  })

  it('is kept while the map grows, shrinks and evicts', t => {
    const random = seededRandom(t)
    const map = ignoringCase({ maxEntries: 500 })
    /** Where `oomStrategy` evicts, a key that is gone is spelled anew. */
    const spelled = new Map()
    for (let round = 0; round < 20_000; round++) {
      const n = random.below(900)
      const key = random.oneIn(2) ? `key ${n}` : `\u212aEY ${n}`
      const isThere = map.has(key)
      map.set(key, n)
      if (!isThere) spelled.set(n, key)
    }
    for (const [key, n] of map) assert.equal(key, spelled.get(n))
    assert.ok(map.size <= 500)
  })
})

describe('caseInsensitiveKeys: near copies', () => {
  it('a value is never older for being read by another spelling', () => {
    const map = ignoringCase()
    const spellings = ['key', 'KEY', 'Key']
    for (let n = 0; n < 50; n++) {
      map.set(spellings[n % 3], { n })
      for (const key of spellings) {
        assert.deepEqual(map.get(key), { n })
        assert.deepEqual(map.getMany([key]), [{ n }])
      }
    }
    map.delete('kEY')
    for (const key of spellings) assert.equal(map.get(key), undefined)
  })

  it('each spelling has a copy of its own, within the bounds of the near cache', () => {
    const map = ignoringCase({ nearCache: { maxEntries: 4 } })
    map.set('abcdef', { n: 1 })
    for (let bits = 0; bits < 64; bits++) {
      const key = [...'abcdef'].map((letter, at) => ((bits >> at) & 1 ? letter.toUpperCase() : letter)).join('')
      assert.deepEqual(map.get(key), { n: 1 })
    }
    assert.ok(map.getStats().nearCache.entries <= 4)
  })
})

describe('caseInsensitiveKeys: globs', () => {
  const match = (map, glob) =>
    [...map.scanIterator({ match: glob })].map(([key]) => key).sort((one, other) => (one < other ? -1 : 1))

  it('ignore case as keys do', () => {
    const map = ignoringCase()
    for (const key of ['User:1', 'USER:2', 'user:K', 'users', 'Straße', 'σας']) map.set(key, 1)
    assert.deepEqual(match(map, 'uSER:*'), ['USER:2', 'User:1', 'user:K'])
    assert.deepEqual(match(map, 'USER:[A-Z]'), ['user:K'])
    assert.deepEqual(match(map, 'USER:[^a-z]'), ['USER:2', 'User:1'])
    assert.deepEqual(match(map, 'user:\u212a'), ['user:K'])
    assert.deepEqual(match(map, 'STRA[ẞ]E'), ['Straße'])
    assert.deepEqual(match(map, 'STRASSE'), [])
    assert.deepEqual(match(map, 'ΣΑ?'), ['σας'])
    assert.deepEqual(match(map, 'ΣΑΣ'), ['σας'])
    assert.deepEqual(match(map, '*'), [...map.keys()].sort())
  })

  it('and mind it in other maps', () => {
    const map = new TypedMap().set('User:1', 1)
    assert.deepEqual(match(map, 'user:*'), [])
    assert.deepEqual(match(map, '[A-Z]ser:*'), ['User:1'])
    assert.deepEqual(match(map, '[a-z]ser:*'), [])
  })
})

describe('caseInsensitiveKeys: threads', () => {
  it('one entry is stepped by all of them, each with its own spelling', async () => {
    const name = `case of threads ${process.pid}`
    const map = TypedMap.open(name, { caseInsensitiveKeys: true })
    const steps = 5_000
    const count = (spelling, at) =>
      startWorker(
        ({ TypedMap: Api, data }) => {
          // Without the option: the map has it.
          const counters = Api.open(data.name)
          for (let n = 0; n < data.steps; n++) {
            counters.increment(data.spelling)
            // Its own near copies follow the others' writes.
            const seen = counters.get(data.spelling)
            if (seen <= n) throw new Error(`${seen} after ${n + 1} own steps`)
            counters.set(`${data.spelling} ${n % 10}`, data.at)
          }
          counters.close()
        },
        { name, steps, spelling, at }
      )
    const spellings = ['visits', 'VISITS', 'Visits', 'viSIts']
    await Promise.all(spellings.map((spelling, at) => count(spelling, at).result))
    assert.equal(map.get('VisitS'), spellings.length * steps)
    assert.equal(map.size, 11)
    assert.deepEqual(await map.validate(), { ok: true, problems: [] })
    map.close()
  })

  it('a thread that wants it otherwise is refused', async () => {
    const name = `case of options ${process.pid}`
    const map = TypedMap.open(name, { caseInsensitiveKeys: true })
    const refusal = await inWorker(({ TypedMap: Api, data }) => {
      Api.open(data, { caseInsensitiveKeys: true }).close()
      Api.open(data).close()
      try {
        Api.open(data, { caseInsensitiveKeys: false })
      } catch (error) {
        return { code: error.code, details: error.details }
      }
      return 'it was opened'
    }, name)
    assert.deepEqual(refusal, {
      code: 'ERR_INVALID_OPTION',
      details: { option: 'caseInsensitiveKeys', given: 'false', existing: 'true' }
    })
    map.close()
    const plain = TypedMap.open(name)
    throwsTyped(() => TypedMap.open(name, { caseInsensitiveKeys: true }), 'ERR_INVALID_OPTION', {
      kind: TypeError,
      says: [/caseInsensitiveKeys/, /made with false/]
    })
    plain.close()
  })
})
