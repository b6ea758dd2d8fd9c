'use strict'

// Pages of the inspector in a real browser: Debian's Chromium. REQUIRE_CHROMIUM=1 forbids to skip what needs it; CI
// sets it.

const assert = require('node:assert/strict')
const { findChromium } = require('../../scripts/chromium.js')

/** How long a browser may take to start, or to show what it was told. */
const PATIENCE_MS = 60_000

const isMissing = findChromium() === undefined && process.env.REQUIRE_CHROMIUM !== '1'
/** Why tests of pages are skipped, or `false`. */
const withoutBrowser = isMissing && 'Chromium is not installed (apt-get install chromium; CHROMIUM names another place)'

/**
 * Opens a page, hands it to `work`, and asserts that it complained of nothing.
 *
 * @param {any} browser
 * @param {string} address
 * @param {object} options of its context
 * @param {(page: any, context: any) => Promise<void>} work
 */
async function onPage(browser, address, options, work) {
  const context = await browser.newContext({ viewport: { width: 1240, height: 900 }, ...options })
  const page = await context.newPage()
  page.setDefaultTimeout(PATIENCE_MS)
  const complaints = []
  page.on('console', message => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
  })
  page.on('pageerror', error => complaints.push(String(error)))
  page.on('requestfailed', request => {
    const reason = request.failure()?.errorText
    // A page that is loaded again drops its questions.
    if (reason !== 'net::ERR_ABORTED') complaints.push(`${request.url()}: ${reason}`)
  })
  await page.goto(address)
  try {
    await work(page, context)
    assert.deepEqual(complaints, [])
  } finally {
    await context.close()
  }
}

module.exports = { PATIENCE_MS, onPage, withoutBrowser }
