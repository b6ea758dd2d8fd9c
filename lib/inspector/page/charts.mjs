// The charts: lines over time, all with one cursor, which the arrow keys move too.

import { colorOf, keep, make, say } from './elements.mjs'
import * as format from './format.mjs'
import { last } from './series.mjs'

const HEIGHT = 132
const SYNC = 'time'

/** Steps of an axis of bytes. */
const POWERS_OF_TWO = Array.from({ length: 44 }, (_, power) => 2 ** power)

/**
 * @typedef {object} About
 * @property {string} id
 * @property {string} title
 * @property {string} unit
 * @property {(value: any) => string} format
 * @property {[label: string, color: string][]} lines
 * @property {number} [least] what the axis reaches at least
 */

/** @type {About[]} */
export const CHARTS = [
  { id: 'hitRate', title: 'Hit rate', unit: '%', format: format.percent, lines: [['hits', 'blue']], least: 100 },
  {
    id: 'operations',
    title: 'Operations per second',
    unit: '/s',
    format: format.count,
    lines: [
      ['near hits', 'teal'],
      ['native hits', 'blue'],
      ['misses', 'amber'],
      ['writes', 'purple']
    ]
  },
  {
    id: 'memory',
    title: 'Memory and its limit',
    unit: '',
    format: format.bytes,
    lines: [
      ['in use', 'blue'],
      ['limit', 'red']
    ]
  },
  {
    id: 'removals',
    title: 'Removals per second by cause',
    unit: '/s',
    format: format.count,
    lines: [
      ['evicted', 'red'],
      ['expired', 'amber'],
      ['explicit', 'blue'],
      ['replaced', 'purple'],
      ['cleared', 'teal']
    ]
  },
  {
    id: 'latency',
    title: 'Latency',
    unit: '',
    format: format.nanoseconds,
    lines: [
      ['get p50', 'teal'],
      ['get p99', 'blue'],
      ['set p50', 'amber'],
      ['set p99', 'purple']
    ]
  }
]

/** One chart with its legend. */
class Chart {
  #about
  #legend = make('ul', { class: 'legend' })
  #plot
  #panel
  /** @type {any} */
  #chart
  /** @type {any[]} */
  #data = []
  #dash

  /** @param {HTMLElement} parent @param {typeof CHARTS[number]} about */
  constructor(parent, about) {
    this.#about = about
    this.#dash = about.id === 'memory' ? [5, 4] : []
    this.#plot = make('div', { class: 'plot', tabindex: '0', role: 'img', 'aria-label': about.title })
    const id = `chart-${about.id}`
    const heading = make('h3', { id: `${id}-title` }, about.title)
    this.#panel = make(
      'section',
      { class: 'panel', id, 'aria-labelledby': `${id}-title` },
      heading,
      this.#legend,
      this.#plot
    )
    parent.append(this.#panel)
    this.#plot.addEventListener('keydown', event => this.#move(event))
    new ResizeObserver(() => this.#resize()).observe(this.#plot)
  }

  /** @param {number[]} seconds @param {(number | null)[][]} lists */
  show(seconds, lists) {
    // A map that does not count it has no such chart.
    this.#panel.hidden = lists.every(list => list.every(value => value === null))
    if (this.#panel.hidden && seconds.length > 1) return
    this.#panel.hidden = false
    this.#data = [seconds, ...lists]
    if (this.#chart === undefined) this.#draw()
    else this.#chart.setData(this.#data)
    this.#tell(undefined)
  }

  /** Takes the colours anew. */
  repaint() {
    this.#chart?.redraw(false)
    this.#tell(undefined)
  }

  #draw() {
    const { format: write, lines, least = 0 } = this.#about
    const axis = {
      stroke: () => colorOf('muted'),
      font: '11px system-ui, sans-serif',
      grid: { stroke: () => colorOf('grid'), width: 1 },
      ticks: { show: false }
    }
    const line = (/** @type {[string, string]} */ [label, color], /** @type {number} */ at) => ({
      label,
      stroke: () => colorOf(color),
      width: 1.5,
      points: { show: false },
      spanGaps: true,
      dash: at === 1 ? this.#dash : []
    })
    const options = {
      width: Math.max(200, this.#plot.clientWidth),
      height: HEIGHT,
      legend: { show: false },
      cursor: { sync: { key: SYNC }, drag: { x: false, y: false }, points: { size: 6 } },
      scales: {
        x: { time: true },
        y: {
          range: (/** @type {any} */ _, /** @type {any} */ __, /** @type {any} */ most) => [
            0,
            Math.max(least, (most ?? 0) * 1.08, 1e-9)
          ]
        }
      },
      axes: [
        { ...axis, size: 24, space: 64, values: (/** @type {any} */ _, /** @type {number[]} */ at) => at.map(hour) },
        {
          ...axis,
          size: 58,
          space: 28,
          ...(write === format.bytes && { incrs: POWERS_OF_TWO }),
          values: (/** @type {any} */ _, /** @type {number[]} */ at) => at.map(value => write(value))
        }
      ],
      series: [{}, ...lines.map(line)],
      hooks: { setCursor: [(/** @type {any} */ chart) => this.#tell(chart.cursor.idx)] }
    }
    this.#chart = new /** @type {any} */ (globalThis).uPlot(options, this.#data, this.#plot)
  }

  #resize() {
    const width = this.#plot.clientWidth
    if (width > 0 && this.#chart !== undefined) this.#chart.setSize({ width, height: HEIGHT })
  }

  /** Shows the values under the cursor, or else the last ones. @param {number | null | undefined} at */
  #tell(at) {
    const { format: write, lines, unit, title } = this.#about
    const valueAt = (/** @type {number} */ line) =>
      (at === null || at === undefined ? last(this.#data[line + 1]) : this.#data[line + 1]?.[at]) ?? null
    const texts = lines
      .map(([label], line) => ({ label, line, text: `${write(valueAt(line))}${suffix(unit, write(valueAt(line)))}` }))
      .filter(({ line }) => this.#data[line + 1]?.some((/** @type {number | null} */ value) => value !== null))
    const create = (/** @type {{ label: string }} */ { label }) => {
      const swatch = make('i', { class: `swatch ${lines.find(line => line[0] === label)?.[1]}` })
      return make('li', {}, swatch, `${label} `, make('b'))
    }
    keep(
      this.#legend,
      texts,
      item => item.label,
      create,
      (item, { text }) => say(/** @type {Element} */ (item.lastElementChild), text)
    )
    const time = at === null || at === undefined ? 'now' : format.clock(this.#data[0][at] * 1_000)
    this.#plot.setAttribute(
      'aria-label',
      `${title}, ${time}: ${texts.map(({ label, text }) => `${label} ${text}`).join(', ')}`
    )
  }

  /** @param {KeyboardEvent} event */
  #move(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key]
    if (step === undefined || this.#chart === undefined) return
    event.preventDefault()
    const most = this.#data[0].length - 1
    const from = this.#chart.cursor.idx ?? most
    const at = Math.max(0, Math.min(most, from + step))
    this.#chart.setCursor({ left: this.#chart.valToPos(this.#data[0][at], 'x'), top: HEIGHT / 3 })
  }
}

/** A unit that the number itself does not say. @param {string} unit @param {string} text */
const suffix = (unit, text) => (unit === '/s' && text !== '–' ? ' /s' : '')

/** @param {number} seconds */
const hour = seconds => format.clock(seconds * 1_000)

/** @param {HTMLElement} parent */
export function makeCharts(parent) {
  return new Map(CHARTS.map(about => [about.id, new Chart(parent, about)]))
}
