'use strict'

// Each trouble that a program of `examples/trouble` makes can be told from a line of the log, from a figure of the
// statistics, next to the same work without the trouble, and from the inspector's page in a real browser.

require('../support/sound.js')
const { after, before, describe, it } = require('node:test')
const assert = require('node:assert/strict')
const { readFileSync, readdirSync } = require('node:fs')
const path = require('node:path')
const { setTimeout: sleep } = require('node:timers/promises')
const { TARGETS } = require('../../examples/trouble/stage.js')
const { TypedMap } = require('../../index.js')
const { serveInspector } = require('../../inspector.js')
const { launchChromium } = require('../../scripts/chromium.js')
const { PATIENCE_MS, onPage, withoutBrowser } = require('../support/browser.js')
const { run } = require('../support/processes.js')
const { PACKAGE } = require('../support/workers.js')

const FOLDER = path.join(PACKAGE, 'examples', 'trouble')

const programOf = name => require(path.join(FOLDER, `${name}.js`))

/** The busiest shard, as a multiple of the mean. */
const skew = ({ eachShard, locks, shards }) => (Math.max(...eachShard.locks.acquisitions) * shards) / locks.acquisitions

/**
 * By program: the line's target, level and details; a figure, what it has at most without the trouble, and what it
 * has at least with it; what the page says first of all, and a part of it that shows the trouble, with what is there.
 */
const TROUBLES = {
  'hot-key': {
    target: 'typedmap.performance',
    level: 'info',
    details: ['shard', 'writesPercent', 'leftOut'],
    figure: skew,
    // Of 16 shards, with 1,000 keys that are written in turn.
    bounds: [2, 12],
    finding: /Shard \d+ has 1\d(\.\d)? times the lock acquisitions of the mean: the load is skewed/,
    part: ['#hot tbody tr:first-child', 'page:home']
  },
  'contended-shard': {
    target: 'typedmap.performance',
    level: 'warn',
    details: ['shard', 'waitNs', 'leftOut'],
    figure: ({ slow }) => slow.contended,
    bounds: [0, 1],
    // Many short waits where threads run at the same time, few long ones where they take turns at a processor.
    finding: /Writers wait for each other: ([\d.]+ m?s in each second|[\d.]+ % of the writes)/,
    part: ['#shards', '1 shard: its lock was taken']
  },
  'full-map': {
    target: 'typedmap.memory',
    level: 'warn',
    details: ['usedBytes', 'limitBytes'],
    figure: ({ removals }) => removals.evicted,
    bounds: [0, 1_000],
    finding: /The map is full: it evicts [\d,.]+( [kM])? entries in a second/,
    part: ['#tiles .full', 'of 1 MB']
  },
  'refused-writes': {
    target: 'typedmap.memory',
    level: 'warn',
    details: ['limit'],
    figure: ({ refusals }) => refusals,
    bounds: [0, 1_000],
    finding: /Writes are refused: [\d,.]+( [kM])? in a second do not fit/,
    part: ['#tiles .full', '100 % of 1,000']
  },
  'hash-collisions': {
    target: 'typedmap.performance',
    level: 'warn',
    details: ['shard', 'words', 'leftOut'],
    figure: ({ index }) => index.longestProbe,
    bounds: [100, 1_024],
    finding: /A lookup takes up to 1,\d\d\d probes: the keys collide/,
    part: ['#more div', 'longest probe']
  },
  'slow-loader': {
    target: 'typedmap.performance',
    level: 'warn',
    details: ['durationNs', 'targetNs', 'leftOut'],
    figure: ({ loads }) => loads.meanMs,
    bounds: [50, 350],
    finding: /Loaders are slow: [\d.]+ m?s on average/,
    part: ['#latency tbody', 'load']
  }
}

/** Works until it was seen; a test that waits for nothing fails by its own timeout. */
async function until(isSeen, work) {
  while (!isSeen()) {
    await work()
    await sleep(1)
  }
}

/** Starts a program, hands it to `work`, and ends it. */
async function within(name, options, work) {
  const running = await programOf(name).start({ name: `spec: ${name}`, isHealthy: false, ...options })
  try {
    return await work(running)
  } finally {
    await running.close()
  }
}

/** The statistics after a round; `wait` lets the time of the loader pass without waiting for it. */
async function statsOf(name, isHealthy, isSeen) {
  const clock = TypedMap.setClock()
  try {
    return await within(name, { isHealthy, wait: async ms => clock.advance(ms) }, async ({ map, round }) => {
      let stats
      const look = async () => {
        await round()
        stats = map.getStats({ shards: true })
      }
      await look()
      await until(() => isSeen(stats), look)
      return stats
    })
  } finally {
    clock.restore()
  }
}

describe('examples/trouble', { timeout: 600_000 }, () => {
  for (const [name, { target, level, details, figure, bounds }] of Object.entries(TROUBLES)) {
    const [most, least] = bounds

    it(`${name}: a line of the log tells of it`, async () => {
      const { code } = programOf(name)
      await within(name, {}, async ({ map, round }) => {
        const lines = []
        map.onLog(line => lines.push(line), { level: 'info', targets: TARGETS })
        await until(() => lines.some(line => line.code === code), round)
        const line = lines.find(line => line.code === code)
        assert.deepEqual([line.target, line.level], [target, level])
        assert.deepEqual(Object.keys(line.details).sort(), [...details].sort())
      })
    })

    it(`${name}: the statistics tell of it, and nothing of the kind without it`, async () => {
      const healthy = figure(await statsOf(name, true, () => true))
      assert.ok(healthy <= most, `${healthy} of a map without trouble`)
      // How soon threads meet is a matter of chance.
      const ill = figure(await statsOf(name, false, stats => figure(stats) >= least))
      assert.ok(ill >= least, `${ill}`)
    })
  }

  it('full-map: as many reads miss as evict what is asked for', async () => {
    const rates = [await statsOf('full-map', false, () => true), await statsOf('full-map', true, () => true)]
    assert.deepEqual(
      rates.map(({ cacheHitRate }) => cacheHitRate),
      [0, 50]
    )
  })

  it('blocked-thread: the inspector says which thread does not answer, and for how long', async () => {
    const { code, observe } = programOf('blocked-thread')
    await within('blocked-thread', {}, async running => {
      let seen = { lines: [] }
      const isSeen = () => seen.lines.some(line => line.code === code) && seen.stats.longestSilenceMs > 0
      await until(isSeen, async () => {
        seen = await observe(running)
      })
      const { target, level, details, map } = seen.lines.find(line => line.code === code)
      assert.deepEqual([target, level, details.thread, map], ['typedmap.performance', 'warn', running.thread, null])
      assert.ok(details.silentMs >= 1_500, `${details.silentMs}`)
      assert.deepEqual(seen.stats.silentThreads, [running.thread])
      assert.ok(seen.stats.longestSilenceMs >= details.silentMs)
    })
    await within('blocked-thread', { isHealthy: true }, async running => {
      const { lines, stats } = await observe(running)
      assert.deepEqual([lines, stats], [[], { silentThreads: [], longestSilenceMs: 0 }])
    })
  })

  describe('on the page', { skip: withoutBrowser }, () => {
    let browser
    before(
      async () => {
        browser = await launchChromium()
      },
      { timeout: PATIENCE_MS }
    )
    after(() => browser?.close())

    /** Works on, while the page is looked at, which has seen the map before. */
    async function look(name, options, work) {
      const inspector = await serveInspector({ interval: 100, logTargets: TARGETS })
      const address = `${inspector.url}#map=${encodeURIComponent(`spec: ${name}`)}`
      const whileWorking = running => async page => {
        await page.getByRole('heading', { name: `spec: ${name}` }).waitFor()
        let isOver = false
        const rounds = until(
          () => isOver,
          () => running.round()
        )
        try {
          await work(page, running)
        } finally {
          isOver = true
          await rounds
        }
      }
      try {
        await within(name, {}, running => onPage(browser, address, options, whileWorking(running)))
      } finally {
        await inspector.close()
      }
    }

    /** Whether all of it is within the width of the page. */
    const fits = page => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)

    const PHONE = { viewport: { width: 360, height: 740 }, colorScheme: 'dark' }

    for (const [name, { finding, part }] of Object.entries(TROUBLES)) {
      const [place, text] = part
      for (const [device, options] of Object.entries({ screen: {}, phone: PHONE })) {
        it(`${name}: a sentence, the part that shows it, and the line, on a ${device}`, async () => {
          const { code } = programOf(name)
          await look(name, options, async page => {
            await page.locator('#findings li', { hasText: finding }).first().waitFor()
            await page.locator(place, { hasText: text }).first().waitFor()
            await page.locator('#log code', { hasText: code }).first().waitFor()
            assert.ok(await fits(page))
          })
        })
      }
    }

    it('blocked-thread: a sentence, the thread, and the line', async () => {
      await look('blocked-thread', PHONE, async (page, { thread }) => {
        const blocked = new RegExp(`^Worker ${thread} is blocked: no answer for \\d+ s`)
        await page.locator('#findings li', { hasText: blocked }).waitFor()
        await page.locator('#threads .silent', { hasText: `worker ${thread}no answer for` }).waitFor()
        await page.locator('#log code', { hasText: 'thread.blocked' }).first().waitFor()
        await page.locator('#log code', { hasText: 'thread.answers' }).first().waitFor()
        assert.ok(await fits(page))
      })
    })
  })

  const programs = readdirSync(FOLDER).filter(file => /^#!|require\.main/.test(readFileSync(path.join(FOLDER, file))))

  it('are all asked for here, and all on the page for whoever is on call', () => {
    const names = programs.map(file => path.parse(file).name)
    assert.deepEqual(names.sort(), [...Object.keys(TROUBLES), 'blocked-thread'].sort())
    const page = readFileSync(path.join(FOLDER, 'README.md'), 'utf8')
    for (const name of names) {
      const { code, figures } = programOf(name)
      for (const word of [`(${name}.js)`, `\`${code}\``, `\`${figures[0]}\``]) assert.ok(page.includes(word), word)
    }
  })

  for (const file of programs) {
    it(`${file} prints what tells of it, and nothing of that without the trouble`, async () => {
      const { code, figures, title } = programOf(path.parse(file).name)
      const say = async (...args) => {
        const { status, stdout, stderr } = await run(process.execPath, [path.join(FOLDER, file), ...args], {
          cwd: PACKAGE,
          timeout: 120_000
        })
        assert.equal(status, 0, `${stdout}\n${stderr}`)
        return stdout
      }
      const ill = await say()
      for (const word of [title, ...figures]) assert.ok(ill.includes(word), `${word} in ${ill}`)
      const healthy = await say('--healthy')
      assert.ok(healthy.includes(`Without trouble: ${title}`), healthy)
      // How soon threads meet, or a slow machine is slow, is a matter of chance.
      if (!['shard.contended', 'load.slow', 'thread.blocked'].includes(code)) {
        assert.ok(ill.includes(code), ill)
        assert.ok(!healthy.includes(code), healthy)
      }
      assert.match(await say('--help'), /--healthy/)
      const { status, stderr } = await run(process.execPath, [path.join(FOLDER, file), '--sick'], { cwd: PACKAGE })
      assert.equal(status, 2)
      assert.match(stderr, /^Unknown option '--sick'.*--healthy/s)
      assert.doesNotMatch(stderr, /\n {4}at /)
    })
  }
})
