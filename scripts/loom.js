'use strict'

// Explores the store's lock-free protocols with loom: the models beside the code they are about, in release mode.

const { spawnSync } = require('node:child_process')

const flags = `${process.env.RUSTFLAGS ?? ''} --cfg loom`.trim()
const args = ['test', '--no-default-features', '--lib', '--release', '--target-dir', 'target/loom', 'model']
const { status } = spawnSync('cargo', args, { stdio: 'inherit', env: { ...process.env, RUSTFLAGS: flags } })
process.exit(status ?? 1)
