// The page: asks the inspector once in an interval, and shows what it says.

import { CHARTS, makeCharts } from './charts.mjs'
import { byId, keep, make, say } from './elements.mjs'
import { findingsOf, silentThreads } from './findings.mjs'
import * as format from './format.mjs'
import { showHeading, showLatency, showMemory, showSections, showShards, showTiles } from './panels.mjs'
import { setUpSearch } from './search.mjs'
import { append, seriesOf } from './series.mjs'
import { addLines, showHotKeys, showMaps, showThreads } from './tables.mjs'

const RETRY_MS = 2_000
const LEAST_INTERVAL_MS = 250
/** Characters that the name of a map takes in an address at most: the inspector refuses longer addresses. */
const MOST_OF_NAME = 3_500

const shown = {
  map: /** @type {string | null} */ (null),
  instance: /** @type {number | undefined} */ (undefined),
  range: /** @type {'short' | 'long'} */ ('short'),
  columns: /** @type {any} */ (undefined),
  lastLine: 0,
  isPaused: false
}
const charts = makeCharts(byId('charts'))
const forgetSearch = setUpSearch(() => shown.map)
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer
/** Answers to questions that were asked before the last change of what is shown are dropped. */
let turn = 0

/** Forgets the rows of another map or range. */
function restart() {
  shown.columns = undefined
  shown.instance = undefined
  turn++
  clearTimeout(timer)
  update()
}

/** Shows what the address names. */
function readAddress() {
  const map = new URLSearchParams(location.hash.slice(1)).get('map')
  if (map === shown.map) return
  shown.map = map
  forgetSearch()
  restart()
}

/** @param {any} state */
function show({ time, process, unwatched, maps, map, threads, lines }) {
  const { pid, node, uptimeMs, residentBytes, processors } = process
  const texts = [
    `pid ${pid}`,
    `Node.js ${node}`,
    `up ${format.span(uptimeMs)}`,
    `${format.bytes(residentBytes)} resident`
  ]
  say(byId('process'), [...texts, `${processors.toFixed(2)} processors busy`].join(' · '))
  showMaps(maps, shown.map, unwatched)
  showThreads(threads)
  addLines(lines)
  shown.lastLine = lines.at(-1)?.number ?? shown.lastLine
  const findings = silentThreads(threads)
  if (map !== undefined) findings.push(...showMap(map))
  else if (shown.map !== null) findings.push(missing(shown.map, unwatched))
  keep(
    byId('findings'),
    findings,
    text => text.replaceAll(/\d[\d.,]*/g, '#'),
    () => make('li'),
    say
  )
  byId('of-map').hidden = map === undefined || map.isSecret
  document.title = `${shown.map ?? 'Inspector'} · ${findings.length > 0 ? '⚠ ' : ''}Inspector`
  byId('figures').dataset.time = String(time)
}

/** What is said of a map that the inspector does not have. @param {string} name @param {number} unwatched */
function missing(name, unwatched) {
  if (!fits(name)) return 'The name of this map is too long for an address: its figures are under /stats.'
  const others = unwatched === 1 ? 'the one that is not watched' : `one of the ${unwatched} that are not watched`
  return `No thread has the map ${name} open${unwatched > 0 ? `, or it is ${others}` : ''}.`
}

/** Shows a map; returns what is to be said of it. @param {any} map @returns {string[]} */
function showMap(map) {
  const { stats, history, isSecret, instance, range, hotKeys, failure, eachShard, advice } = map
  showHeading(map)
  if (isSecret) return []
  shown.columns = append(
    instance === shown.instance && range === shown.range ? shown.columns : undefined,
    history,
    range
  )
  shown.instance = instance
  const { columns } = shown
  const series = seriesOf(columns)
  const seconds = columns.time.map((/** @type {number} */ at) => at / 1_000)
  for (const { id } of CHARTS) charts.get(id)?.show(seconds, series[id])
  showTiles(stats, columns)
  showShards(stats, eachShard)
  showSections(stats)
  showMemory(stats)
  showLatency(stats)
  showHotKeys(hotKeys)
  const failed = failure === undefined ? [] : [`The map cannot be read: ${failure}.`]
  return [...failed, ...findingsOf(stats, columns, eachShard, hotKeys), ...advice]
}

/** @param {string} text */
function sayLost(text) {
  const lost = byId('lost')
  lost.hidden = text === ''
  say(lost, text)
  document.body.classList.toggle('is-lost', text !== '')
}

async function ask() {
  const query = new URLSearchParams({ range: shown.range, after: String(shown.lastLine) })
  if (shown.map !== null && fits(shown.map)) query.set('map', shown.map)
  if (shown.instance !== undefined) query.set('instance', String(shown.instance))
  if (shown.columns?.time.length > 0) query.set('since', String(shown.columns.time.at(-1)))
  const response = await fetch(`/state?${query}`)
  if (response.status === 401)
    throw new Error('The token is no longer right: open the address that serveInspector returned.')
  if (!response.ok) throw new Error(`The inspector answers with status ${response.status}.`)
  return response.json()
}

/** @param {string} name */
const fits = name => new URLSearchParams({ map: name }).toString().length <= MOST_OF_NAME

/** @param {any} map */
const busyness = ({ opsPerSecond = 0, entries }) => opsPerSecond * 1e12 + entries

/** One round, and the next one later. */
async function update() {
  const mine = ++turn
  let waitMs = RETRY_MS
  try {
    const state = await ask()
    if (mine !== turn) return
    waitMs = Math.max(LEAST_INTERVAL_MS, state.intervalMs)
    if (shown.map === null && state.maps.length > 0) {
      const busiest = state.maps.reduce((/** @type {any} */ one, /** @type {any} */ other) =>
        busyness(other) > busyness(one) ? other : one
      )
      history.replaceState(null, '', `#map=${encodeURIComponent(busiest.name)}`)
      return readAddress()
    }
    sayLost('')
    show(state)
  } catch (error) {
    if (mine !== turn) return
    const { message } = /** @type {Error} */ (error)
    sayLost(error instanceof TypeError ? 'The process does not answer. It may have ended; trying again.' : message)
  }
  if (!shown.isPaused && mine === turn) timer = setTimeout(update, waitMs)
}

function setUpControls() {
  byId('pause').addEventListener('click', ({ currentTarget }) => {
    const button = /** @type {HTMLElement} */ (currentTarget)
    shown.isPaused = !shown.isPaused
    button.setAttribute('aria-pressed', String(shown.isPaused))
    say(button, shown.isPaused ? 'Go on' : 'Pause')
    clearTimeout(timer)
    if (!shown.isPaused) update()
  })
  byId('range').addEventListener('change', ({ target }) => {
    shown.range = /** @type {any} */ (target).value
    restart()
  })
  const theme = document.documentElement.dataset.theme ?? 'auto'
  const chosen = /** @type {HTMLInputElement | null} */ (document.querySelector(`#theme input[value="${theme}"]`))
  if (chosen !== null) chosen.checked = true
  byId('theme').addEventListener('change', ({ target }) => setTheme(/** @type {any} */ (target).value))
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', repaint)
  // A list that scrolls has to be reached by the keyboard.
  byId('log').tabIndex = 0
  addEventListener('hashchange', readAddress)
}

/** @param {string} theme */
function setTheme(theme) {
  if (theme === 'auto') delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = theme
  try {
    localStorage.setItem('theme', theme)
  } catch {
    // It holds for this visit.
  }
  repaint()
}

/** Draws the charts in the colours that hold now. */
function repaint() {
  for (const chart of charts.values()) chart.repaint()
}

// The cookie stands for the token from now on, which no one should read from the screen or the history.
history.replaceState(null, '', `/${location.hash}`)
setUpControls()
readAddress()
if (shown.map === null) update()
