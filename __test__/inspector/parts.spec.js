'use strict'

// The parts of the page that need no browser, and its vendored files.

const { after, before, describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { readFileSync, readdirSync } = require('node:fs')
const path = require('node:path')
const { BroadcastChannel } = require('node:worker_threads')
const { Asked } = require('../../lib/inspector/asked.js')
const { History, Ring } = require('../../lib/inspector/history.js')
const { Lines } = require('../../lib/inspector/lines.js')
const { CHANNEL } = require('../../lib/inspector/sources.js')
const { FILES, copyOf, hashOf } = require('../../scripts/vendor-uplot.js')
const { PACKAGE } = require('../support/workers.js')

const PAGE = path.join(PACKAGE, 'lib', 'inspector', 'page')

/** What `getStats` returns of a map that is at rest, with what is given changed. */
const statsOf = (more = {}) => ({
  hits: 0,
  misses: 0,
  entries: 10,
  memoryBytes: 1_000,
  memory: { entries: 500, fragmentation: 0 },
  limits: { memoryLimit: 100_000, maxEntries: null, maxValueBytes: null },
  ...more
})

/** Columns of two looks, a second apart. */
function columnsOf(...looks) {
  const history = new History()
  for (const [at, stats] of looks.entries()) history.add(statsOf(stats), 1_000 * (at + 1))
  return history.since('short', 0)
}

describe('history', () => {
  it('keeps the last rows, and gives those after a time', () => {
    const history = new History()
    for (let time = 1; time <= 700; time++) history.add(statsOf({ hits: time }), time)
    const { time, hits, getP50Ns } = history.since('short', 0)
    assert.deepEqual([time.length, time[0], time.at(-1), hits.at(-1)], [600, 101, 700, 700])
    assert.equal(getP50Ns[0], null, 'what a map does not count is not known')
    assert.deepEqual(history.since('short', 698).time, [699, 700])
    assert.deepEqual(history.since('short', 700).time, [])
    const { time: long } = history.since('long', 0)
    assert.deepEqual(long.slice(0, 3), [1, 31, 61])
  })

  it('has the highest latency of all looks in a row of the long history', () => {
    const history = new History()
    for (let time = 1; time <= 61; time++) {
      const get = time === 7 || time === 40 ? { p50Ns: time, p99Ns: 100 * time } : undefined
      history.add(statsOf({ recent: { get, set: { p50Ns: 1, p99Ns: 2 } } }), time)
    }
    const { getP50Ns, getP99Ns, setP99Ns } = history.since('long', 0)
    assert.deepEqual(
      [getP50Ns, getP99Ns, setP99Ns],
      [
        [null, 7, 40],
        [null, 700, 4_000],
        [2, 2, 2]
      ]
    )
    assert.equal(history.since('short', 6).getP99Ns[0], 700)
  })

  it('has nothing before the first row', () => {
    assert.deepEqual(new Ring(3).since(0).time, [])
  })
})

describe('threads that are asked', { timeout: 60_000 }, () => {
  let asked
  let lines
  let thread

  before(() => {
    lines = new Lines()
    asked = new Asked(1_000, line => lines.add(null, [line]))
    thread = new BroadcastChannel(CHANNEL)
  })
  after(() => {
    asked.close()
    thread.close()
  })

  const THREAD = 99
  const say = (kind, name = null) => thread.postMessage({ kind, thread: THREAD, name, round: 0, figures: {} })
  const seen = time => asked.all(time).filter(({ thread }) => thread === THREAD)
  const said = () => lines.after(0).map(({ code, map, details }) => [code, map, details.thread])
  async function until(isDone) {
    while (!isDone()) await new Promise(setImmediate)
  }

  it('are blocked once a question has been open for long, however late it was asked', async () => {
    say('answer')
    say('answer', 'source')
    await until(() => seen(Date.now()).length === 2)
    const late = Date.now() + 100_000
    asked.ask(late)
    asked.ask(late + 1_000)
    asked.notice(late + 2_400)
    const [{ agoMs, isSilent }] = seen(late + 2_400)
    assert.equal(isSilent, false)
    assert.ok(agoMs > 100_000)
    assert.deepEqual(said(), [])
    assert.deepEqual(
      seen(late + 2_600).map(({ isSilent }) => isSilent),
      [true, true]
    )
    asked.notice(late + 2_600)
    asked.notice(late + 3_600)
    assert.deepEqual(said(), [['thread.blocked', null, THREAD]])
  })

  it('are no longer blocked once they answer', async () => {
    say('answer')
    await until(() => said().length > 1)
    assert.deepEqual(said().at(-1), ['thread.answers', null, THREAD])
    assert.equal(seen(Date.now()).find(({ name }) => name === null).isSilent, false)
  })

  it('answer each inspector: an answer to the question of another one does not pass for a late one', async () => {
    const [one, other] = [new Asked(1_000, () => {}), new Asked(1_000, () => {})]
    const LATE_MS = 50_000
    let answers = 0
    thread.onmessage = ({ data: { kind, round } }) => {
      if (kind !== 'ask') return
      answers++
      thread.postMessage({ kind: 'answer', thread: THREAD, name: null, round, figures: { answers } })
    }
    const delayAfter = async (inspector, time) => {
      const number = answers + 1
      const heard = () => one.all(Date.now()).find(({ thread }) => thread === THREAD)
      inspector.ask(time)
      await until(() => heard()?.figures.answers === number)
      return heard().delayMs
    }
    assert.ok((await delayAfter(one, Date.now() - LATE_MS)) >= LATE_MS)
    const delayMs = await delayAfter(one, Date.now())
    assert.ok(delayMs < LATE_MS)
    assert.equal(await delayAfter(other, Date.now()), delayMs)
    thread.onmessage = null
    one.close()
    other.close()
  })

  it('are forgotten with their sources when they end', async () => {
    say('end', 'source')
    await until(() => seen(Date.now()).length === 1)
    say('answer', 'source')
    await until(() => seen(Date.now()).length === 2)
    say('end')
    await until(() => seen(Date.now()).length === 0)
  })
})

describe('figures of the page', () => {
  let format
  let series
  let findings
  let panels

  before(async () => {
    format = await import('../../lib/inspector/page/format.mjs')
    series = await import('../../lib/inspector/page/series.mjs')
    findings = await import('../../lib/inspector/page/findings.mjs')
    panels = await import('../../lib/inspector/page/panels.mjs')
  })

  it('have units', () => {
    const { bytes, count, figure, nanoseconds, percent, span } = format
    assert.deepEqual([0, 1023, 1024, 1536, 5 * 1024 ** 2, 3.25 * 1024 ** 3, null, Number.NaN].map(bytes), [
      '0 B',
      '1023 B',
      '1 KB',
      '1.50 KB',
      '5 MB',
      '3.25 GB',
      '–',
      '–'
    ])
    assert.deepEqual([0, 0.5, 12.34, 99_999, 100_000, 999_600, 12_300_000, 5e9].map(count), [
      '0',
      '0.50',
      '12.3',
      '99,999',
      '100 k',
      '1.00 M',
      '12.3 M',
      '5 G'
    ])
    assert.deepEqual([0, 50, 99.96, 100, 33.333].map(percent), ['0 %', '50 %', '99.9 %', '100 %', '33.3 %'])
    assert.deepEqual([12, 1_500, 2.5e6, 3e9].map(nanoseconds), ['12 ns', '1.50 µs', '2.50 ms', '3 s'])
    assert.deepEqual([5, 12_000, 90_000, 3_700_000, 90_000_000].map(span), [
      '5 ms',
      '12 s',
      '1 min 30 s',
      '1 h 1 min',
      '1 d 1 h'
    ])
    assert.deepEqual(
      [figure('heapBytes', 1024), figure('waitMs', 5), figure('hitRatio', 0.5), figure('n', 3), figure('x', 'y')],
      ['1 KB', '5 ms', '50 %', '3', 'y']
    )
    assert.deepEqual(
      [figure('waitNs', 5), figure('ms', 5), figure('acquisitions', 5), figure('collisions', 0), figure('items', 7)],
      ['5 ns', '5 ms', '5', '0', '7']
    )
  })

  it('are rates between two looks', () => {
    const columns = columnsOf({ hits: 10, misses: 10 }, { hits: 40, misses: 20 }, { hits: 0, misses: 0 })
    assert.deepEqual(series.rate(columns, 'hits'), [null, 30, 0], 'counts that begin again have no negative rate')
    assert.deepEqual(series.hitRate(columns), [null, 75, null])
    assert.deepEqual(series.seriesOf(columns).memory, [
      [1_000, 1_000, 1_000],
      [100_000, 100_000, 100_000]
    ])
  })

  it('are kept as long as the inspector keeps them', () => {
    const one = { time: Array.from({ length: 600 }, (_, at) => at), hits: Array(600).fill(1) }
    const { time, hits } = series.append(one, { time: [600], hits: [2] }, 'short')
    assert.deepEqual([time.length, time[0], time.at(-1), hits.at(-1)], [600, 1, 600, 2])
    assert.deepEqual(series.append(undefined, one, 'short'), one)
  })

  describe('say what is wrong', () => {
    const say = (stats, ...looks) => findings.findingsOf(statsOf(stats), columnsOf(...looks))

    it('nothing of a map at rest', () => assert.deepEqual(say({}, {}, {}), []))

    it('a full map', () => {
      const full = { memoryBytes: 99_000, removals: { evicted: 500 } }
      assert.match(say(full, { removals: { evicted: 0 } }, full)[0], /^The map is full: it evicts 500 entries/)
      assert.match(say({ memoryBytes: 99_000 }, {}, {})[0], /^The map is full: 99 %/)
      assert.match(say({}, { refusals: 0 }, { refusals: 7 })[0], /^Writes are refused: 7/)
    })

    it('misses', () => {
      assert.match(say({}, {}, { hits: 10, misses: 90 })[0], /^Most reads miss: only 10 %/)
    })

    it('colliding keys, a contended shard, a slow loader, memory that lies idle', () => {
      assert.match(say({ index: { longestProbe: 900 } }, {}, {})[0], /900 probes: the keys collide/)
      assert.match(
        say({}, { locks: { acquisitions: 0, waits: 0 } }, { locks: { acquisitions: 1_000, waits: 200 } })[0],
        /^Writers wait for each other: 20 % of the writes wait for another thread\.$/
      )
      assert.match(
        say({}, { locks: { waitNs: 0 } }, { locks: { waitNs: 7e8 } })[0],
        /^Writers wait .*: 700 ms in each second/
      )
      assert.deepEqual(say({}, { locks: { waitNs: 0 } }, { locks: { waitNs: 9e7 } }), [], 'threads meet now and then')
      const loads = [{ loads: { count: 3, timeMs: 0 } }, { loads: { count: 5, timeMs: 3_000 } }]
      assert.match(say({}, ...loads)[0], /^Loaders are slow: 2 s on average/)
      assert.match(
        say({ memory: { entries: 2 ** 21, fragmentation: 0.4 } }, {}, {})[0],
        /^40 % of the memory for entries/
      )
    })

    it('a skewed load', () => {
      const entries = Array(8).fill(10)
      const of = acquisitions =>
        findings.findingsOf(statsOf(), columnsOf({}, {}), { entries, locks: { acquisitions, waits: acquisitions } })
      assert.match(
        of([100, 120, 90, 9_000, 80, 70, 60, 50])[0],
        /^Shard 3 has .* times the lock acquisitions of the mean/
      )
      assert.deepEqual(of(Array(8).fill(5_000)), [])
      assert.deepEqual(of([2_400, 800, 800, 800]), [], 'twice the mean is chance')
      assert.match(of([3_000, 200, 200, 200])[0], /^Shard 0 has 3.33 times/)
    })

    it('in which shard writers wait', () => {
      const counts = [{ locks: { acquisitions: 0, waits: 0 } }, { locks: { acquisitions: 1_000, waits: 200 } }]
      const shards = { entries: [1, 1], locks: { acquisitions: [500, 500], waits: [10, 190] } }
      const [sentence] = findings.findingsOf(statsOf(), columnsOf(...counts), shards)
      assert.match(sentence, /wait for another thread, mostly in shard 1\.$/)
    })

    it('a key that is read far more than others', () => {
      const hot = (...hits) => hits.map((hits, at) => ({ type: 'string', text: `key ${at}`, hits }))
      const of = hotKeys => findings.findingsOf(statsOf(), columnsOf({}, {}), undefined, hotKeys)
      assert.match(of(hot(9_000, 500, 500))[0], /^One key is read far more than others: key 0, 90 %/)
      assert.deepEqual(of(hot(400, 300, 300)), [])
      assert.deepEqual(of(hot(90, 1)), [], 'few reads say nothing')
    })

    it('what was seconds ago, and not what was minutes ago', () => {
      const looks = refusals => refusals.map(count => ({ refusals: count }))
      assert.match(say({}, ...looks([0, 50, 50, 50]))[0], /^Writes are refused/)
      assert.deepEqual(say({}, ...looks([0, 50, ...Array(6).fill(50)])), [])
    })

    it('a thread that is blocked', () => {
      const thread = isSilent => ({ thread: 0, name: null, agoMs: 4_000, isSilent })
      assert.deepEqual(findings.silentThreads([thread(false)]), [])
      assert.match(findings.silentThreads([thread(true)])[0], /^Main thread is blocked: no answer for 4 s/)
      assert.deepEqual(findings.silentThreads([{ ...thread(true), name: 'source' }]), [])
    })
  })

  it('of many shards share a bar', () => {
    const bars = panels.barsOf(Array.from({ length: 4_096 }, (_, at) => at))
    assert.ok(bars.length <= 96)
    assert.deepEqual([bars[0].from, bars.at(-1).to], [0, 4_095])
    assert.equal(bars[0].value, bars[0].to / 2)
  })
})

describe('files of the page', () => {
  it('that were vendored are those of the package', () => {
    for (const [file, hash] of Object.entries(FILES)) assert.equal(hashOf(copyOf(file)), hash)
  })

  it('load nothing of another place, and make no markup of text', () => {
    const ours = readdirSync(PAGE).filter(name => /\.(mjs|js|html|css)$/.test(name))
    for (const name of ours) {
      const text = readFileSync(path.join(PAGE, name), 'utf8').replaceAll('http://www.w3.org/2000/svg', '')
      assert.doesNotMatch(text, /https?:|innerHTML|insertAdjacentHTML|document\.write|\beval\b| style="| on\w+="/, name)
    }
  })
})
