'use strict'

const { accessSync, constants, statSync } = require('node:fs')
const { homedir } = require('node:os')

/** Whether this is a file that may be executed. */
function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch {
    return false
  }
}

const isDirectory = file => statSync(file, { throwIfNoEntry: false })?.isDirectory() ?? false

/** Whether both names lead to one file. */
function isSame(one, other) {
  const [first, second] = [one, other].map(name => statSync(name, { throwIfNoEntry: false }))
  return first !== undefined && first.dev === second?.dev && first.ino === second.ino
}

const exists = file => {
  try {
    return statSync(file, { throwIfNoEntry: false }) !== undefined
  } catch {
    return false
  }
}

/**
 * Looks a command up in the folders of a search path, in their order.
 *
 * @param {string} name without a slash
 * @param {string} searchPath folders between colons
 * @returns {{ path: string, dot: boolean } | undefined} the first executable file of that name, or else the first file;
 * `dot` says whether the current folder was searched up to there
 */
function findCommand(name, searchPath) {
  // Without any folders a name is that of a file in the current one.
  if (searchPath === '') return { path: name, dot: false }
  let dot = false
  let notExecutable
  for (const element of searchPath.split(':')) {
    const folder = element === '' ? '.' : element.replace(/^~(?=\/|$)/, homedir())
    dot ||= folder.startsWith('.') && isSame('.', folder)
    const path = folder.endsWith('/') ? folder + name : `${folder}/${name}`
    if (isExecutable(path)) return { path, dot }
    if (notExecutable === undefined && exists(path) && !isDirectory(path)) notExecutable = { path, dot }
  }
  return notExecutable
}

module.exports = { findCommand, isDirectory, isExecutable, isSame }
