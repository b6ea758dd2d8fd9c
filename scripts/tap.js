'use strict'

// Counts what a spec file wrote with `--test-reporter=tap`.

/**
 * @typedef {object} Tally
 * @property {number} passed
 * @property {number} failed
 * @property {number} skipped
 * @property {{ name: string, why: string }[]} failures Tests that failed themselves, not by one within them.
 */

/** @param {string} text @returns {Tally} */
function tally(text) {
  const count = (/** @type {string} */ what) => Number(new RegExp(`^# ${what} (\\d+)$`, 'm').exec(text)?.[1] ?? 0)
  const failures = []
  for (const [, , name, rest] of text.matchAll(/^( *)not ok \d+ - (.*)\n((?:\1 {2}.*\n)*)/gm)) {
    if (/failureType: '(subtestsFailed|cancelledByParent)'/.test(rest ?? '')) continue
    const why = /^ *error: (?:'(.*)'|"(.*)"|\|-\n(.*))$/m.exec(rest ?? '')
    failures.push({
      name: String(name),
      why: (why?.[1] ?? why?.[2] ?? why?.[3] ?? '').trim().slice(0, 200)
    })
  }
  // A file that ended early has no counts; then the lines are counted.
  if (!/^# tests \d+$/m.test(text)) {
    const lines = [...text.matchAll(/^ *ok \d+ - .*$/gm)].filter(([line]) => !line.includes('# SKIP'))
    return { passed: lines.length, failed: failures.length, skipped: 0, failures }
  }
  return { passed: count('pass'), failed: count('fail') + count('cancelled'), skipped: count('skipped'), failures }
}

module.exports = { tally }
