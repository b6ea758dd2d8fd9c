'use strict'

/* Colours and letters of the charts: each colour in light and in dark. */

/** The light one stands in the SVG and is replaced by a style rule where the reader's scheme is dark. */
const COLOURS = {
  ink: { light: '#1f2328', dark: '#f0f6fc' },
  muted: { light: '#59636e', dark: '#9198a1' },
  grid: { light: '#d1d9e0', dark: '#3d444d' },
  ours: { light: '#0969da', dark: '#4493f8' },
  others: { light: '#8c959f', dark: '#656c76' },
  green: { light: '#1a7f37', dark: '#3fb950' },
  orange: { light: '#bc4c00', dark: '#f0883e' },
  violet: { light: '#8250df', dark: '#ab7df8' },
  pink: { light: '#bf3989', dark: '#db61a2' },
  gold: { light: '#9a6700', dark: '#d29922' },
  teal: { light: '#1b7c83', dark: '#39c5cf' }
}

const light = name => COLOURS[name].light

const FONT = 'system-ui, -apple-system, "Segoe UI", sans-serif'
const TEXT_SIZE = 12
const TITLE_SIZE = 16

/** Style rules that replace every colour by its dark twin where the reader's scheme is dark. */
function darkStyle() {
  const rules = Object.values(COLOURS).map(
    ({ light: from, dark: to }) => `[fill="${from}"]{fill:${to}}[stroke="${from}"]{stroke:${to}}`
  )
  return `<style>@media (prefers-color-scheme: dark){${rules.join('')}}</style>`
}

/** How axes look, whatever they show. */
const AXIS = {
  grid: true,
  gridColor: light('grid'),
  domain: false,
  ticks: false,
  labelColor: light('muted'),
  titleColor: light('muted'),
  labelFont: FONT,
  titleFont: FONT,
  titleFontWeight: 'normal',
  titleFontSize: TEXT_SIZE,
  labelFontSize: TEXT_SIZE
}

module.exports = { AXIS, FONT, TEXT_SIZE, TITLE_SIZE, darkStyle, light }
