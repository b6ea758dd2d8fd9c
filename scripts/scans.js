'use strict'

// Scans maps that change at random: for five minutes alone and five beside a worker, unless SCAN_SECONDS says another
// time for each. SEED repeats a run.

const { spawnSync } = require('node:child_process')

const env = { ...process.env, SCAN_SECONDS: process.env.SCAN_SECONDS ?? '300' }
const { status } = spawnSync(process.execPath, ['--test', '__test__/queries/scan.spec.js'], { stdio: 'inherit', env })
process.exitCode = status ?? 1
