'use strict'

// Why an addon cannot be loaded, in words, and what to do about it.

const { packageOf } = require('./platforms.js')

/** @typedef {import('../../types/errors.js').NativeReason} Reason */

/** Where it is built from source. */
const BUILD = 'Build it there: `npm run build` in a clone of the repository.'
const AGAIN = 'Delete node_modules and install again'

/**
 * For each reason a text, of the facts that were found. `name` is the platform of this process, `file` the addon.
 *
 * @type {Record<Reason, (facts: Record<string, any>) => string>}
 */
const TEXTS = {
  'platform-unsupported': ({ name, names }) => `there is none for ${name}, only for ${names.join(', ')}. ${BUILD}`,
  'package-missing': ({ name, version }) =>
    `the package ${packageOf(name)} is not installed. ${AGAIN}, with optional dependencies, ` +
    `or add it: npm install --save-optional ${packageOf(name)}@${version}`,
  'optional-omitted': ({ name, how, lock }) =>
    (how === undefined
      ? `${lock} names the package ${packageOf(name)}, and it was not installed: \`--omit=optional\` leaves it out ` +
        '(Yarn: `--ignore-optional`), or the registry could not be reached.'
      : `the package ${packageOf(name)} is an optional dependency, and these are left out (${how}).`) +
    ' Install again with optional dependencies: npm install --include=optional',
  'lock-file': ({ name, lock, found, version }) =>
    `${lock} names the packages of other platforms (${found}) and not ${packageOf(name)}: npm wrote it so on another ` +
    'platform (https://github.com/npm/cli/issues/4828). Delete node_modules and the lock file, run npm install and ' +
    `commit the new lock file, or run: npm install --save-optional ${packageOf(name)}@${version}`,
  'other-platform': ({ name, found, file }) =>
    `${file === undefined ? `node_modules was installed for ${found}` : `${file} is for ${found}`}, and this Node.js ` +
    `runs on ${name}. Install on the platform that runs the program: do not copy node_modules there, and keep it out ` +
    'of the container image (.dockerignore)',
  'wrong-libc': ({ name, found, file }) =>
    `${file === undefined ? `node_modules was installed for ${found}` : `${file} is for ${found}`}, and this Node.js ` +
    `has another C library (${name}). Install with the Node.js that runs the program: in an image of Alpine Linux ` +
    'for musl, in one of Debian for glibc',
  'glibc-too-old': ({ file, needed, found }) =>
    `${file} needs glibc ${needed}, and this system has ${found ?? 'another'}. The published addons need 2.28; one ` +
    'that was built on a newer system needs that. Take the published package, or build on the oldest system',
  cpu: ({ file, needed }) =>
    `${file} was built for a processor with ${needed}, which this one lacks. The published addons need nothing of ` +
    'the kind: take those, or build without `-C target-cpu`',
  permission: () => 'the permission model of Node.js forbids addons. Start Node.js with `--allow-addons`',
  'no-addons': () => 'Node.js was told to load no addons. Start it without `--no-addons`',
  damaged: ({ name, file }) =>
    (file === undefined ? `the file in ${packageOf(name)} is missing` : `${file} is damaged or incomplete`) +
    `. ${AGAIN}`,
  'other-version': ({ file, found, version }) =>
    `${file} is of version ${found ?? 'unknown'}, and this package of version ${version}. ${AGAIN}; what you ` +
    'built, build again',
  'file-missing': ({ file, variable }) => `there is no file ${file}, which the variable ${variable} names`,
  bundle: ({ name, from }) =>
    `this program is a bundle, and an addon cannot be a part of one. Install typed-superdashmap where ` +
    `${from ?? 'the bundle'} runs, or copy typed-superdashmap.node of ${packageOf(name)} beside it as ` +
    `typed-superdashmap.${name}.node`,
  'load-failed': ({ file, text }) => `${file ?? 'the system'}: ${text}`
}

module.exports = { TEXTS }
