'use strict'

/* Draws the charts of the committed results again: `npm run bench:charts`. */

const { drawCharts } = require('./harness/chart.js')
const { RESULTS } = require('./harness/results.js')

drawCharts(RESULTS)
