'use strict'

/* Draws curves: a picture with a panel for each of `chart.curves`, and one legend on top for the lines of all. */

const { describeMachine } = require('./machine.js')
const { AXIS, FONT, TEXT_SIZE, TITLE_SIZE, light } = require('./palette.js')

const PANELS_PER_ROW = 3
const PANEL = { width: 230, height: 170 }
const GAP = { x: 46, y: 84 }
const PADDING = { left: 48, right: 16, top: 128, bottom: 48 }

/** Room of a name in the legend, with its line. */
const LEGEND_WIDTH = 96
const LEGEND_LINE = 20

const REFERENCES = {
  optimum: { stroke: light('ink'), strokeDash: [4, 3], strokeWidth: 1.5 },
  'exact LRU': { stroke: light('others'), strokeDash: [2, 3], strokeWidth: 2.5 }
}
const COLOURS = ['green', 'orange', 'violet', 'pink', 'gold', 'teal'].map(light)

/** How each line looks, by its name. */
function looksOf(names, highlight) {
  const others = names.filter(name => name !== highlight && REFERENCES[name] === undefined)
  const lookOf = name => {
    if (name === highlight) return { stroke: light('ours'), strokeWidth: 3 }
    return REFERENCES[name] ?? { stroke: COLOURS[others.indexOf(name) % COLOURS.length], strokeWidth: 1.5 }
  }
  return new Map(names.map(name => [name, lookOf(name)]))
}

const constants = values => Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { value }]))

const text = (x, y, content, { colour = 'ink', size = TEXT_SIZE, weight = 'normal' } = {}) => ({
  type: 'text',
  encode: {
    enter: constants({
      x,
      y,
      text: content,
      fill: light(colour),
      font: FONT,
      fontSize: size,
      fontWeight: weight,
      baseline: 'middle'
    })
  }
})

function legend(looks) {
  return [...looks].flatMap(([name, look], i) => {
    const x = i * LEGEND_WIDTH - PADDING.left / 2
    const y = -64
    const line = { type: 'rule', encode: { enter: constants({ x, x2: x + LEGEND_LINE, y, ...look }) } }
    return [line, text(x + LEGEND_LINE + 6, y, name, { colour: 'muted' })]
  })
}

function panel({ title, subtitle, lines }, i, looks, { xTitle, yTitle }) {
  const xs = lines[0].points.map(([x]) => x)
  const highest = Math.max(...lines.flatMap(({ points }) => points.map(([, y]) => y)))
  return {
    type: 'group',
    encode: {
      enter: constants({
        x: (i % PANELS_PER_ROW) * (PANEL.width + GAP.x),
        y: Math.floor(i / PANELS_PER_ROW) * (PANEL.height + GAP.y),
        ...PANEL
      })
    },
    // Grid lines are as long as these say; the picture's own would lead through all panels.
    signals: [
      { name: 'width', value: PANEL.width },
      { name: 'height', value: PANEL.height }
    ],
    scales: [
      { name: 'x', type: 'log', domain: [xs[0], xs.at(-1)], range: [0, PANEL.width] },
      { name: 'y', domain: [0, highest], range: [PANEL.height, 0], nice: 5 }
    ],
    axes: [
      { scale: 'x', orient: 'bottom', values: xs, format: '~r', title: xTitle, labelPadding: 6, ...AXIS },
      { scale: 'y', orient: 'left', tickCount: 5, ...(i % PANELS_PER_ROW === 0 ? { title: yTitle } : {}), ...AXIS }
    ],
    marks: [
      text(0, -26, title, { weight: 600 }),
      text(0, -10, subtitle, { colour: 'muted' }),
      ...lines.map(({ name, points }) => ({
        type: 'group',
        data: [{ name: 'points', values: points.map(([x, y]) => ({ x, y })) }],
        marks: [
          {
            type: 'line',
            from: { data: 'points' },
            encode: {
              enter: {
                x: { scale: 'x', field: 'x' },
                y: { scale: 'y', field: 'y' },
                strokeJoin: { value: 'round' },
                ...constants(looks.get(name))
              }
            }
          }
        ]
      }))
    ]
  }
}

/** The vega specification of a result whose chart has curves. */
function curvesSpec({ title, chart, machine, versions }) {
  const names = new Set(chart.curves.flatMap(({ lines }) => lines.map(({ name }) => name)))
  const looks = looksOf([...names], chart.highlight)
  const columns = Math.min(PANELS_PER_ROW, chart.curves.length)
  const rows = Math.ceil(chart.curves.length / PANELS_PER_ROW)
  const left = -PADDING.left / 2
  return {
    $schema: 'https://vega.github.io/schema/vega/v6.json',
    width: Math.max(columns * (PANEL.width + GAP.x) - GAP.x, looks.size * LEGEND_WIDTH),
    height: rows * (PANEL.height + GAP.y) - GAP.y,
    padding: PADDING,
    autosize: 'none',
    marks: [
      text(left, -108, title, { size: TITLE_SIZE }),
      text(left, -87, `${describeMachine(machine)}, Node.js ${versions.node}`, { colour: 'muted' }),
      ...legend(looks),
      ...chart.curves.map((curve, i) => panel(curve, i, looks, chart))
    ]
  }
}

module.exports = { curvesSpec }
