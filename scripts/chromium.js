'use strict'

// Chromium, for the page of the inspector: the one that CHROMIUM names, or where Debian and other systems have it.

const { existsSync } = require('node:fs')
const process = require('node:process')

const PLACES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable'
]

/** Its types need those of a browser. */
const DRIVER = 'playwright-core'

/** @returns {string | undefined} */
const findChromium = () => [process.env.CHROMIUM ?? '', ...PLACES].find(file => file !== '' && existsSync(file))

/** Starts it without a window. */
function launchChromium() {
  const executablePath = findChromium()
  if (executablePath === undefined) throw new Error('Chromium is missing: apt-get install chromium, or set CHROMIUM')
  // Its sandbox needs rights that a container may lack; the page is our own.
  return require(DRIVER).chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] })
}

module.exports = { findChromium, launchChromium }
