'use strict'

/*
 * Draws a result with vega: its rows as horizontal bars, one group per case, or its curves (curves.js). The picture
 * has no background and its colours change with the reader's scheme, so that it can stand on a light page and on a
 * dark one.
 */

const { readdirSync, readFileSync, writeFileSync } = require('node:fs')
const { join } = require('node:path')
const { curvesSpec } = require('./curves.js')
const { describeMachine } = require('./machine.js')
const { AXIS, FONT, TEXT_SIZE, TITLE_SIZE, darkStyle, light } = require('./palette.js')
const { significant } = require('./table.js')

const WIDTH = 520
const LABEL_WIDTH = 240
const BAR = 18
const HEADER = 24
const GAP = 10

/** Room for the names, the numbers behind the longest bar, the title and the axis. */
const PADDING = { left: LABEL_WIDTH, right: 120, top: 64, bottom: 48 }

/** The powers of ten in a range, which are the only lines that a logarithmic axis needs. */
function decades(from, to) {
  const all = []
  for (let power = Math.ceil(Math.log10(from)); 10 ** power <= to; power++) all.push(10 ** power)
  return all
}

/** Where each bar and each heading stands, from the top. */
function layOut(rows, highlight) {
  const bars = []
  const headings = []
  let y = 0
  let current
  for (const { case: what, contender, value, unit } of rows) {
    if (what !== current) {
      if (current !== undefined) y += GAP
      headings.push({ y: y + HEADER / 2, text: what })
      y += HEADER
      current = what
    }
    const ours = highlight.some(start => contender.startsWith(start))
    bars.push({ y, value, contender, colour: light(ours ? 'ours' : 'others'), text: `${significant(value)} ${unit}` })
    y += BAR
  }
  return { bars, headings, height: y }
}

function barsSpec({ title, chart, rows, machine, versions }) {
  const shown = rows.filter(({ unit }) => unit === chart.unit)
  const { bars, headings, height } = layOut(shown, chart.highlight)
  const log = chart.scale === 'log'
  const values = shown.map(({ value }) => value).filter(value => value > 0)
  const lowest = log ? 10 ** Math.floor(Math.log10(Math.min(...values)) - 0.01) : 0
  const middle = BAR / 2
  const text = (colour, size = TEXT_SIZE) => ({
    fill: { value: light(colour) },
    font: { value: FONT },
    fontSize: { value: size }
  })
  return {
    $schema: 'https://vega.github.io/schema/vega/v6.json',
    width: WIDTH,
    height,
    padding: PADDING,
    autosize: 'none',
    data: [
      { name: 'bars', values: bars },
      { name: 'headings', values: headings },
      {
        name: 'titles',
        values: [
          { y: -44, text: title, size: TITLE_SIZE, colour: light('ink') },
          {
            y: -22,
            text: `${describeMachine(machine)}, Node.js ${versions.node}`,
            size: TEXT_SIZE,
            colour: light('muted')
          }
        ]
      }
    ],
    scales: [
      {
        name: 'x',
        type: log ? 'log' : 'linear',
        domain: [lowest, Math.max(...values)],
        range: [0, WIDTH],
        nice: !log,
        zero: !log
      }
    ],
    axes: [
      {
        scale: 'x',
        orient: 'bottom',
        title: log ? `${chart.unit}, logarithmic` : chart.unit,
        ...(log ? { values: decades(lowest, Math.max(...values)) } : { tickCount: 6 }),
        ...AXIS
      }
    ],
    marks: [
      {
        type: 'rect',
        from: { data: 'bars' },
        encode: {
          enter: {
            x: { value: 0 },
            x2: { signal: `max(2, scale('x', max(datum.value, ${lowest})))` },
            y: { field: 'y', offset: 2 },
            height: { value: BAR - 4 },
            fill: { field: 'colour' },
            cornerRadius: { value: 2 }
          }
        }
      },
      {
        type: 'text',
        from: { data: 'bars' },
        encode: {
          enter: {
            ...text('ink'),
            x: { signal: `max(2, scale('x', max(datum.value, ${lowest}))) + 6` },
            y: { field: 'y', offset: middle },
            text: { field: 'text' },
            baseline: { value: 'middle' }
          }
        }
      },
      {
        type: 'text',
        from: { data: 'bars' },
        encode: {
          enter: {
            ...text('muted'),
            x: { value: -8 },
            y: { field: 'y', offset: middle },
            text: { field: 'contender' },
            align: { value: 'right' },
            baseline: { value: 'middle' }
          }
        }
      },
      {
        type: 'text',
        from: { data: 'titles' },
        encode: {
          enter: {
            ...text('ink'),
            fill: { field: 'colour' },
            fontSize: { field: 'size' },
            x: { value: -LABEL_WIDTH + GAP },
            y: { field: 'y' },
            text: { field: 'text' },
            baseline: { value: 'middle' }
          }
        }
      },
      {
        type: 'text',
        from: { data: 'headings' },
        encode: {
          enter: {
            ...text('ink'),
            fontWeight: { value: 600 },
            x: { value: -LABEL_WIDTH + GAP },
            y: { field: 'y' },
            text: { field: 'text' },
            baseline: { value: 'middle' }
          }
        }
      }
    ]
  }
}

/** The picture of one result, as SVG text. */
async function draw(result) {
  // An ES module, which `require` cannot load on every supported Node.js version.
  const vega = await import('vega')
  const view = new vega.View(vega.parse(result.chart.curves === undefined ? barsSpec(result) : curvesSpec(result)), {
    renderer: 'none'
  })
  const svg = await view.toSVG()
  view.finalize()
  const name = `<title>${result.title.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</title>`
  return `${svg.replace(/(<svg[^>]*>)/, `$1${name}${darkStyle()}`)}\n`
}

/** Draws every result of a directory that has a chart. */
async function drawCharts(directory) {
  const files = readdirSync(directory).filter(file => file.endsWith('.json'))
  for (const file of files) {
    const result = JSON.parse(readFileSync(join(directory, file), 'utf8'))
    if (result.chart === undefined) continue
    writeFileSync(join(directory, file.replace(/\.json$/, '.svg')), await draw(result))
  }
  return files
}

module.exports = { drawCharts }
