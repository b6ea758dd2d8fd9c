'use strict'

// Compares random values that went through a map with what JSON makes of them: for an hour, unless VALUES_SECONDS says
// another time. SEED repeats a run.

const { spawnSync } = require('node:child_process')

const env = { ...process.env, VALUES_SECONDS: process.env.VALUES_SECONDS ?? '3600' }
const { status } = spawnSync(process.execPath, ['--test', '__test__/map/records.spec.js'], { stdio: 'inherit', env })
process.exitCode = status ?? 1
