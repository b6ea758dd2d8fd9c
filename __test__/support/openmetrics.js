'use strict'

// Reads OpenMetrics text: by a few strict lines of our own, and by the parser of Prometheus's own client, which
// `scripts/lint-tools.sh` installs.

const assert = require('node:assert/strict')
const { execFileSync } = require('node:child_process')
const { existsSync } = require('node:fs')
const path = require('node:path')
const { PACKAGE } = require('./workers.js')

const SAMPLE = /^(\w+)(?:\{(.+)\})? (\d[\d.e+-]*)$/s
const HEAD = /^# (HELP|TYPE|UNIT) (\w+) (.+)$/
const LABEL = /(\w+)="((?:[^"\\]|\\["\\n])*)"(?:,|$)/y

const UNESCAPED = { '\\n': '\n', '\\"': '"', '\\\\': '\\' }

/** @param {string} text */
function labelsOf(text) {
  const labels = {}
  LABEL.lastIndex = 0
  while (LABEL.lastIndex < text.length) {
    const found = LABEL.exec(text)
    assert.ok(found, text)
    labels[found[1]] = found[2].replace(/\\./g, sequence => UNESCAPED[sequence])
  }
  return labels
}

/**
 * The samples of a text, each with its family: `{ name, labels, value, type, unit }`, without a unit ''.
 *
 * @param {string} text
 */
function samplesOf(text) {
  const lines = text.split('\n')
  assert.deepEqual(lines.splice(-2), ['# EOF', ''])
  const families = {}
  const samples = []
  let family
  for (const line of lines) {
    const head = HEAD.exec(line)
    if (head !== null) {
      const [, what, name, is] = head
      if (what === 'HELP') {
        assert.equal(families[name], undefined, `${name} is described once`)
        families[name] = {}
        family = name
      }
      assert.equal(name, family)
      families[name][what] = is
      continue
    }
    const [, name, labels = '', value] = SAMPLE.exec(line) ?? assert.fail(line)
    assert.ok(name.startsWith(family), `${name} is among its own`)
    const { TYPE: type, UNIT: unit } = families[family]
    assert.equal(name.endsWith('_total'), type === 'counter', name)
    if (unit !== undefined) assert.ok(family.endsWith(`_${unit}`), family)
    samples.push({ name, labels: labelsOf(labels), value: Number(value), type, unit: unit ?? '' })
  }
  return samples
}

const PYTHON = path.join(PACKAGE, 'target', 'lint-tools', 'bin', 'python')

/** Why the parser of Prometheus cannot be asked, if it cannot. */
function noParser() {
  if (existsSync(PYTHON)) {
    try {
      execFileSync(PYTHON, ['-c', 'import prometheus_client'], { stdio: 'ignore' })
      return false
    } catch {}
  }
  return process.env.REQUIRE_LINTERS ? false : 'scripts/lint-tools.sh installs the parser'
}

const PROGRAM = `
import json, sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families as families
text = sys.stdin.buffer.read().decode('utf-8')
print(json.dumps([
  {'name': s.name, 'labels': s.labels, 'value': s.value, 'type': f.type, 'unit': f.unit}
  for f in families(text) for s in f.samples
]))
`

/** The same, as Prometheus's own client reads them. @param {string} text */
function parsedSamplesOf(text) {
  const read = execFileSync(PYTHON, ['-c', PROGRAM], { input: text, maxBuffer: 64 * 1024 ** 2 })
  return JSON.parse(read.toString())
}

module.exports = { noParser, parsedSamplesOf, samplesOf }
