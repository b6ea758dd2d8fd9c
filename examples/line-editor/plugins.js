'use strict'

/**
 * @typedef {object} Plugin
 * @property {string} name
 * @property {string} version
 * @property {string} description
 * @property {Record<string, string>} keys key sequences to names of actions
 * @property {Record<string, (editor: import('./editor.js').Editor) => void>} actions
 */

class PluginError extends Error {}

/**
 * The plugins of an editor. What is known of them is in a table whose keys ignore case, for all threads; their
 * functions, which cannot be shared, are in the thread that registered them.
 */
class Plugins {
  #table
  #sequences
  /** Actions by the name under which their plugin was registered. */
  #actions = new Map()

  /**
   * @param {import('./tables.js').Tables} tables
   * @param {import('./sequences.js').Sequences} sequences
   */
  constructor(tables, sequences) {
    this.#table = tables.create('plugins', { purpose: 'plugins by name', caseInsensitiveKeys: true })
    this.#sequences = sequences
  }

  /** @param {Plugin} plugin @throws {PluginError} if there is one of this name, in whatever case */
  register({ name, version, description, keys, actions }) {
    if (!/^[\p{L}\p{N}_-]+$/u.test(name)) {
      throw new PluginError(`'${name}' cannot be the name of a plugin: letters, digits, - and _ can`)
    }
    const { value, inserted } = this.#table.getOrInsert(
      name,
      { name, version, description, keys, loaded: false },
      { withState: true }
    )
    if (!inserted) throw new PluginError(`'${name}' is registered already, as '${value.name}'`)
    this.#actions.set(name, actions)
  }

  /** What is known of a plugin. @param {string} name in any case @throws {PluginError} */
  get(name) {
    const plugin = this.#table.get(name)
    if (plugin === undefined) throw new PluginError(`there is no plugin named '${name}'`)
    return plugin
  }

  /** Binds the keys of a plugin. Returns its name. */
  load(name) {
    const plugin = this.get(name)
    if (plugin.loaded) throw new PluginError(`'${plugin.name}' is loaded already`)
    const taken = Object.keys(plugin.keys).find(sequence => this.#sequences.lookUp(sequence).action !== undefined)
    if (taken !== undefined) throw new PluginError(`'${plugin.name}' binds ${JSON.stringify(taken)}, which is taken`)
    for (const [sequence, action] of Object.entries(plugin.keys)) this.#sequences.bind(sequence, action)
    this.#mark(plugin.name, true)
    return plugin.name
  }

  /** Binds the keys of all loaded plugins. */
  bindLoaded() {
    for (const { keys, loaded } of this.#table.values()) {
      if (loaded) for (const [sequence, action] of Object.entries(keys)) this.#sequences.bind(sequence, action)
    }
  }

  /** Unbinds the keys of a plugin. Returns its name. */
  unload(name) {
    const plugin = this.get(name)
    if (!plugin.loaded) throw new PluginError(`'${plugin.name}' is not loaded`)
    for (const sequence of Object.keys(plugin.keys)) this.#sequences.unbind(sequence)
    this.#mark(plugin.name, false)
    return plugin.name
  }

  /** Forgets a plugin. Returns whether there was one. */
  unregister(name) {
    const plugin = this.#table.get(name)
    if (plugin === undefined) return false
    if (plugin.loaded) this.unload(name)
    this.#actions.delete(plugin.name)
    return this.#table.delete(name)
  }

  /** All plugins in alphabetical order, whatever their case. */
  list() {
    return [...this.#table.values()].sort((one, other) =>
      one.name.localeCompare(other.name, 'en', { sensitivity: 'base' })
    )
  }

  /** The function of an action of a loaded plugin, if it is of one. */
  actionNamed(action) {
    for (const [name, actions] of this.#actions) {
      if (Object.hasOwn(actions, action) && this.#table.get(name)?.loaded) return actions[action]
    }
    return undefined
  }

  #mark(name, loaded) {
    this.#table.update(name, plugin => plugin && { ...plugin, loaded })
  }
}

module.exports = { PluginError, Plugins }
