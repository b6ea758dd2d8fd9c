'use strict'

/*
 * Runs one task of a question file in a process of its own: a heap without the garbage of other tasks, code that V8 has
 * optimised for nothing else, and resident memory that starts small. The task gets its parameters and a function that
 * reports progress, and returns plain data.
 */

const { fork } = require('node:child_process')
const { totalmem } = require('node:os')

const DEFAULT_HEAP_MB = 4096

const running = new Set()

/**
 * @param {string} file a question file, whose `tasks` hold the task
 * @param {string} task
 * @param {unknown} parameters
 * @param {{ heapMb?: number, flags?: string[], environment?: Record<string, string>, onProgress?: (part: number,
 * label?: string) => void }}
 *   options `flags` are more options of node, `environment` more variables
 */
function inChild(file, task, parameters, { heapMb = DEFAULT_HEAP_MB, flags = [], environment = {}, onProgress } = {}) {
  return new Promise((resolve, reject) => {
    const child = fork(__filename, {
      env: { ...process.env, ...environment },
      execArgv: ['--expose-gc', `--max-old-space-size=${heapMb}`, ...flags],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc']
    })
    running.add(child)
    let outcome
    child.on('message', message => {
      if (message.type === 'progress') onProgress?.(message.part, message.label)
      else outcome = message
    })
    child.on('error', reject)
    child.on('exit', (code, signal) => {
      running.delete(child)
      if (outcome?.type === 'result') resolve(outcome.result)
      else if (outcome?.type === 'error') reject(new Error(outcome.stack))
      else reject(new Error(`${task} ended without a result (${signal ?? `exit code ${code}`})`))
    })
    child.send({ file, task, parameters })
  })
}

/** Ends the children that are still at work. */
function stopChildren() {
  for (const child of running) child.kill()
}

/** A sentence saying what is missing if this machine has less memory than a task needs, else undefined. */
function lacksMemory(neededMb) {
  const haveMb = Math.floor(totalmem() / 2 ** 20)
  return haveMb * 0.8 >= neededMb ? undefined : `needs ${neededMb} MB of memory, this machine has ${haveMb} MB`
}

if (require.main === module) {
  // The parent process has ended, so this one ends too.
  process.once('disconnect', () => process.exit(1))
  process.once('message', async ({ file, task, parameters }) => {
    try {
      const report = (part, label) => process.send({ type: 'progress', part, label })
      const result = await require(file).tasks[task](parameters, report)
      process.send({ type: 'result', result }, () => process.exit(0))
    } catch (error) {
      process.send({ type: 'error', stack: error.stack ?? String(error) }, () => process.exit(1))
    }
  })
}

module.exports = { inChild, stopChildren, lacksMemory }
