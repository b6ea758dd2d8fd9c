'use strict'

/*
 * What the programs of this folder have in common: they make their trouble, and print what tells of it.
 *
 *   node examples/trouble/PROGRAM.js             makes the trouble, and prints the log, the statistics and the advice
 *   node examples/trouble/PROGRAM.js --healthy   the same work without the trouble, to compare
 *   node examples/trouble/PROGRAM.js --page      goes on until Ctrl+C, and prints the address of the inspector's page
 */

const { parseArgs } = require('node:util')
const { setTimeout: sleep } = require('node:timers/promises')
const { serveInspector } = require('typed-superdashmap/inspector')

/** Those that lines of trouble have. */
const TARGETS = ['typedmap.performance', 'typedmap.memory']

/** Where most figures are from. */
const FROM_STATS = 'getStats({ shards: true })'

/** A rest between two rounds of a page that someone looks at, so that the processor has one, too. */
const REST_MS = 200

const USAGE = `Makes a trouble on purpose, and prints what tells of it.

  --healthy   the same work without the trouble, to compare
  --page      goes on until Ctrl+C, and prints the address of the page
  --help      this text`

/**
 * A trouble that can be made.
 *
 * @typedef {object} Trouble
 * @property {string} title what is wrong
 * @property {string} code of the log line that tells of it
 * @property {string} from where the figures are
 * @property {string[]} figures that tell of it, by their paths
 * @property {(options: { name: string, isHealthy: boolean }) => Promise<Running>} start
 * @property {(running: Running) => Promise<Observed>} [observe] where the map does not know of it
 */

/**
 * A map with a trouble, or without it.
 *
 * @typedef {object} Running
 * @property {import('typed-superdashmap').TypedMap} map
 * @property {() => Promise<void>} round some work, of a second at most
 * @property {() => Promise<void>} close
 */

/** @typedef {{ lines: any[], stats: any, advice: any[] }} Observed */

/** A figure by its path. @param {any} stats @param {string} path */
const figureAt = (stats, path) => path.split('.').reduce((section, name) => section?.[name], stats)

/** @param {unknown} figure */
const shown = figure =>
  Array.isArray(figure) && figure.length > 1
    ? `${Math.max(...figure)} in one of ${figure.length}`
    : JSON.stringify(figure)

/**
 * Works for one round; returns what tells of it.
 *
 * @param {Running} running
 */
async function observe({ map, round }) {
  /** @type {import('typed-superdashmap').LogLine[]} */
  const lines = []
  map.onLog(line => lines.push(line), { level: 'info', targets: TARGETS })
  await round()
  // Lines come when the thread has time for them.
  await sleep(50)
  return { lines, stats: map.getStats({ shards: true }), advice: map.advise() }
}

/** @param {Trouble} trouble @param {boolean} isHealthy */
async function print(trouble, isHealthy) {
  const running = await trouble.start({ name: `trouble ${process.pid}`, isHealthy })
  const { lines, stats, advice } = await (trouble.observe ?? observe)(running)
  await running.close()
  console.log(isHealthy ? `Without trouble: ${trouble.title}` : trouble.title)
  console.log('\nLog')
  // The first one of each kind.
  const kinds = new Map(lines.toReversed().map(line => [line.code, line]))
  for (const [code, { level, target, message, details }] of kinds) {
    console.log(`  ${level} ${target} ${code}: ${message} ${JSON.stringify(details)}`)
  }
  if (kinds.size === 0) console.log('  nothing')
  console.log(`\n${trouble.from}`)
  for (const path of trouble.figures) console.log(`  ${path}: ${shown(figureAt(stats, path))}`)
  console.log('\nadvise()')
  for (const { code, sentence } of advice) console.log(`  ${code}: ${sentence}`)
  if (advice.length === 0) console.log('  nothing')
}

/** @param {Trouble} trouble @param {boolean} isHealthy */
async function show({ title, start }, isHealthy) {
  const { round, close } = await start({ name: title, isHealthy })
  const inspector = await serveInspector({ logTargets: [...TARGETS, 'typedmap.lifecycle'] })
  console.log(`${title}\n${inspector.url}\nCtrl+C ends it.`)
  let isOver = false
  process.once('SIGINT', () => {
    isOver = true
  })
  while (!isOver) {
    await round()
    await sleep(REST_MS)
  }
  await inspector.close()
  await close()
}

/** The options of the command line; ends the program where they are none. */
function readOptions() {
  try {
    return parseArgs({
      options: {
        healthy: { type: 'boolean', default: false },
        page: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false }
      }
    }).values
  } catch (error) {
    console.error(`${/** @type {Error} */ (error).message}\n\n${USAGE}`)
    return process.exit(2)
  }
}

/** What a program of this folder does when it is run. @param {Trouble} trouble */
async function play(trouble) {
  const values = readOptions()
  if (values.help) console.log(`${trouble.title}. ${USAGE}`)
  else if (values.page) await show(trouble, values.healthy)
  else await print(trouble, values.healthy)
}

module.exports = { FROM_STATS, TARGETS, figureAt, observe, play }
