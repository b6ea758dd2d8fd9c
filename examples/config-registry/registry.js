'use strict'

const { appendFileSync, watch } = require('node:fs')
const { isDeepStrictEqual } = require('node:util')
const { threadId } = require('node:worker_threads')
const { TypedMap } = require('typed-superdashmap')
const { differences, isTable, merge } = require('./merge.js')
const { ConfigError, readEnvironment, readFiles, readOverrides } = require('./sources.js')

/** Editors write a file in several steps: it is read when it has been left alone for so long. */
const SETTLE_MS = 20

/** Records of the audit trail that stay in memory. */
const AUDIT_ENTRIES = 1_000

/** What decides how settings are read. It cannot be changed later. */
const STARTUP_FLAGS = { strict: false, environment: true }

/** Entries beside the sections. A space is in no name of a section. */
const FLAGS = 'runtime flags'
const STARTUP = 'startup flags'

/**
 * @typedef {object} Sources
 * @property {string} [folder] the innermost folder of those that are searched
 * @property {NodeJS.ProcessEnv} [env]
 * @property {string} [prefix] of the names in the environment
 * @property {string} [profile]
 * @property {string[]} [overrides] such as `server.port=8080`
 * @property {{ strict?: boolean, environment?: boolean }} [startupFlags] `strict`: a warning is an error;
 * `environment`: whether the environment is read
 */

/** @typedef {{ path: string, from: any, to: any }} Change */

/**
 * @typedef {{ time: string, thread: number, what: string, cause: string, changes: Change[], problems: string[] }}
 * AuditRecord what was changed and why, or why it was not
 */

/**
 * Settings that all threads of the process share: a section of them is an entry of one map, of a type of its own, and
 * checked by a schema when it is written. Threads read sections through handles.
 *
 * @template {Record<string, any>} Schemas sections to schemas, any that have the interface of Standard Schema
 */
class ConfigRegistry {
  #map
  #audit
  #auditFile
  #schemas
  #views = new Map()
  #known
  /** @type {Sources} */
  #sources = {}
  /** What each section was made of. */
  #raw = new Map()
  #origins = new Map()
  #folders = []
  #warnings = []
  /** @type {(section: string) => void} */
  #onWrite = () => {}

  /**
   * @param {Schemas} schemas
   * @param {{ name?: string, flags?: Record<string, boolean>, auditFile?: string }} [options] the same in all threads:
   * `flags` that can be switched at run time, and what they are at first
   */
  constructor(schemas, { name = 'config', flags = {}, auditFile } = {}) {
    this.#map = TypedMap.open(name)
    this.#audit = TypedMap.open(`${name} audit`, { maxEntries: AUDIT_ENTRIES, evictionStrategy: 'fifo' })
    this.#auditFile = auditFile
    this.#schemas = schemas
    this.#known = flags
    for (const [section, schema] of Object.entries(schemas)) {
      this.#views.set(section, this.#map.ofType(section, schema))
    }
    this.#map.getOrInsert(FLAGS, flags)
  }

  // ---- Reading

  /**
   * The handle of a section: `handle.get()` is the cheapest way to read it, and always what it is now.
   *
   * @template {keyof Schemas & string} Section
   * @param {Section} section
   * @returns {import('typed-superdashmap').Handle<import('typed-superdashmap').InferOutput<Schemas[Section]>>}
   */
  handle(section) {
    this.#check(section)
    const handle = this.#map.getHandle(section)
    if (handle === undefined) throw new ConfigError([`${section}: has not been loaded`])
    return handle
  }

  /** The value of a section. @param {keyof Schemas & string} section */
  get(section) {
    return this.#viewOf(section).get(section)
  }

  /** Each setting with where it is from. */
  *explain() {
    for (const section of this.#views.keys()) {
      for (const [path, value] of settingsOf(this.get(section), section)) {
        yield { path, value, origin: this.#origins.get(path) ?? 'the schema' }
      }
    }
  }

  /** What was odd about the sources when they were last read. */
  get warnings() {
    return this.#warnings
  }

  // ---- Flags

  /** @returns {Readonly<Record<string, boolean>>} those that were given when the settings were first loaded */
  get startupFlags() {
    return this.#map.get(STARTUP) ?? STARTUP_FLAGS
  }

  /** @returns {Readonly<Record<string, boolean>>} those that can be switched, as they are now */
  get flags() {
    return this.#map.get(FLAGS)
  }

  /** Switches a flag for all threads. @param {string} name @param {boolean} on */
  setFlag(name, on) {
    const known = Object.keys(this.#known)
    if (!Object.hasOwn(this.#known, name)) {
      throw new ConfigError([`no flag is named '${name}'; there are: ${known.join(', ') || 'none'}`])
    }
    let before
    const after = this.#map.update(FLAGS, flags => {
      before = flags
      return { ...flags, [name]: on }
    })
    this.#record(FLAGS, 'setFlag', differences(before, after))
  }

  // ---- Writing

  /**
   * Reads all sources and writes the sections. The startup flags are those of the first call in any thread.
   *
   * @param {Sources} [sources]
   * @throws {ConfigError} for what cannot be read or does not fit its schema
   */
  load(sources = {}) {
    this.#sources = sources
    this.#map.getOrInsert(STARTUP, { ...STARTUP_FLAGS, ...sources.startupFlags })
    this.#apply('load')
  }

  /**
   * Reads all sources again. A section is written if what it is made of has changed; one that does not fit its schema
   * stays as it is.
   *
   * @throws {ConfigError}
   */
  reload() {
    this.#apply('reload')
  }

  /**
   * Reads all sources again whenever a file of them changes.
   *
   * @param {{ onReload?: (error: ConfigError | undefined) => void, onWrite?: (section: string) => void }} [listeners]
   * `onReload` is called after each time, `onWrite` before a section is written
   * @returns {() => void} ends it
   */
  watch({ onReload = () => {}, onWrite = () => {} } = {}) {
    this.#onWrite = onWrite
    /** @type {NodeJS.Timeout | undefined} */
    let timer
    const reload = () => {
      try {
        this.reload()
        onReload(undefined)
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error
        onReload(error)
      }
    }
    const watchers = this.#folders.map(folder =>
      watch(folder, (_, file) => {
        if (file !== null && !file.startsWith('app.')) return
        clearTimeout(timer)
        timer = setTimeout(reload, SETTLE_MS)
      })
    )
    return () => {
      clearTimeout(timer)
      for (const watcher of watchers) watcher.close()
    }
  }

  #apply(cause) {
    const { folder = '.', env = process.env, prefix = 'APP_', overrides = [] } = this.#sources
    const { profile = env[`${prefix}PROFILE`] } = this.#sources
    const { strict, environment } = this.startupFlags

    const files = readFiles(folder, profile)
    this.#folders = files.folders
    const { values, origins, warnings } = merge([
      ...files.layers,
      ...(environment ? readEnvironment(env, prefix) : []),
      ...readOverrides(overrides)
    ])
    warnings.unshift(...files.warnings)
    if (profile !== undefined && !files.profiles.has(profile)) warnings.push(`no file has the profile '${profile}'`)
    for (const name of Object.keys(values)) {
      if (!this.#views.has(name)) warnings.push(`${name}: there is no such section`)
    }
    if (strict && warnings.length > 0) throw new ConfigError(warnings)
    this.#warnings = warnings
    this.#origins = origins

    const problems = []
    for (const section of this.#views.keys()) {
      const raw = values[section] ?? {}
      if (isDeepStrictEqual(raw, this.#raw.get(section))) continue
      try {
        this.#write(section, raw, cause)
        this.#raw.set(section, raw)
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error
        problems.push(...error.problems)
      }
    }
    if (problems.length > 0) throw new ConfigError(problems)
  }

  /** Writes a section through its schema, and records what is another value now. */
  #write(section, raw, cause) {
    const view = this.#viewOf(section)
    const before = view.get(section)
    this.#onWrite(section)
    try {
      view.set(section, raw)
    } catch (error) {
      if (error.code !== 'ERR_VALIDATION') throw error
      const problems = error.details.issues.map(({ path, message }) =>
        this.#problem([section, ...path].join('.'), message)
      )
      this.#record(section, cause, [], problems)
      throw new ConfigError(problems)
    }
    this.#record(section, cause, differences(before, view.get(section), section))
  }

  #problem(path, message) {
    const origin = this.#origins.get(path)
    return origin === undefined ? `${path}: ${message}` : `${path}: ${message} (${origin})`
  }

  // ---- The audit trail

  /** What was changed or refused, by all threads, oldest first: the latest thousand. @returns {AuditRecord[]} */
  audit() {
    return [...this.#audit.values()]
  }

  #record(what, cause, changes, problems = []) {
    if (changes.length === 0 && problems.length === 0) return
    const record = { time: new Date().toISOString(), thread: threadId, what, cause, changes, problems }
    this.#audit.insert(record)
    if (this.#auditFile !== undefined) appendFileSync(this.#auditFile, `${JSON.stringify(record)}\n`)
  }

  close() {
    this.#map.close()
    this.#audit.close()
  }

  #viewOf(section) {
    this.#check(section)
    return this.#views.get(section)
  }

  #check(section) {
    if (!Object.hasOwn(this.#schemas, section)) {
      throw new ConfigError([`no section is named '${section}'; there are: ${[...this.#views.keys()].join(', ')}`])
    }
  }
}

/** Paths and values of all settings in a table. A list is a value. */
function* settingsOf(table, path) {
  if (!isTable(table)) yield [path, table]
  else for (const name of Object.keys(table)) yield* settingsOf(table[name], `${path}.${name}`)
}

module.exports = { ConfigError, ConfigRegistry }
