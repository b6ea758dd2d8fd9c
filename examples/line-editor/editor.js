'use strict'

const { Keys } = require('./keys.js')

/** Keys of the editor itself. */
const BINDINGS = {
  '\r': 'accept',
  '\n': 'accept',
  '\x7f': 'delete-back',
  '\b': 'delete-back',
  '\x01': 'home',
  '\x02': 'left',
  '\x03': 'interrupt',
  '\x04': 'end-of-input',
  '\x05': 'end',
  '\x06': 'right',
  '\x0b': 'kill-to-end',
  '\x0e': 'next',
  '\x10': 'previous',
  '\x15': 'kill-to-start',
  '\x17': 'kill-word',
  '\x1b': 'discard',
  '\x1b[A': 'previous',
  '\x1b[B': 'next',
  '\x1b[C': 'right',
  '\x1b[D': 'left',
  '\x1b[F': 'end',
  '\x1b[H': 'home',
  '\x1b[1~': 'home',
  '\x1b[3~': 'delete',
  '\x1b[4~': 'end',
  '\x1bOA': 'previous',
  '\x1bOB': 'next',
  '\x1bb': 'word-left',
  '\x1bf': 'word-right'
}

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

/** Edits a line as keys come, and hands on each that is accepted. */
class Editor {
  #history
  #plugins
  #sequences
  #keys
  #text = ''
  #at = 0
  /** Commands of the history and the line itself, while they are gone through. @type {string[] | undefined} */
  #visited
  #visiting = 0
  #isOver = false
  #onLine
  #onEnd

  /**
   * @param {object} parts
   * @param {import('./history.js').History} parts.history
   * @param {import('./plugins.js').Plugins} parts.plugins
   * @param {import('./sequences.js').Sequences} parts.sequences
   * @param {import('typed-superdashmap').TypedMap<string, number>} parts.counters
   * @param {{ onLine: (line: string) => void, onEnd: (isInterrupted: boolean) => void, timeoutMs?: number }} options
   */
  constructor({ history, plugins, sequences, counters }, { onLine, onEnd, timeoutMs }) {
    this.#history = history
    this.#plugins = plugins
    this.#onLine = onLine
    this.#onEnd = onEnd
    this.#keys = new Keys(sequences, counters, {
      onAction: action => this.act(action),
      onText: text => this.insert(text),
      timeoutMs
    })
    this.#sequences = sequences
    this.bindKeys()
  }

  /** Binds the keys of the editor itself. */
  bindKeys() {
    for (const [keys, action] of Object.entries(BINDINGS)) this.#sequences.bind(keys, action)
  }

  /** What makes actions of bytes. */
  get keys() {
    return this.#keys
  }

  /** The line, and where the cursor is in it. */
  get line() {
    return { before: this.#text.slice(0, this.#at), after: this.#text.slice(this.#at) }
  }

  /** Replaces the line. The cursor stands behind `before`. */
  setLine(before, after = '') {
    this.#text = before + after
    this.#at = before.length
  }

  insert(text) {
    if (this.#isOver) return
    const { before, after } = this.line
    this.setLine(before + text, after)
  }

  /** Does what a key is bound to: an action of the editor, or one of a loaded plugin. */
  act(action) {
    if (this.#isOver) return
    if (Object.hasOwn(ACTIONS, action)) ACTIONS[action](this)
    else this.#plugins.actionNamed(action)?.(this)
  }

  accept() {
    const text = this.#text
    this.setLine('')
    this.#visited = undefined
    if (!text.startsWith(':')) this.#history.add(text)
    this.#onLine(text)
  }

  /** Shows another command of the history, `by` further back. */
  visit(by) {
    if (this.#visited === undefined) {
      this.#visited = [...this.#history.list().map(({ text }) => text), this.#text]
      this.#visiting = this.#visited.length - 1
    }
    const to = this.#visiting - by
    if (to < 0 || to >= this.#visited.length) return
    this.#visited[this.#visiting] = this.#text
    this.#visiting = to
    this.setLine(this.#visited[to])
  }

  /** Ends it: keys that follow are left alone. */
  end(isInterrupted) {
    this.#isOver = true
    this.#onEnd(isInterrupted)
  }
}

/** The last character as people see it, which may be several. */
const lastOf = text => [...graphemes.segment(text)].at(-1)?.segment ?? ''
const firstOf = text => graphemes.segment(text)[Symbol.iterator]().next().value?.segment ?? ''

/** The line with the cursor so many characters further, or back. */
const moved = ({ before, after }, by) =>
  by < 0
    ? [before.slice(0, before.length + by), before.slice(before.length + by) + after]
    : [before + after.slice(0, by), after.slice(by)]

/** @type {Record<string, (editor: Editor) => void>} */
const ACTIONS = {
  accept: editor => editor.accept(),
  interrupt: editor => editor.end(true),
  'end-of-input': editor => {
    const { before, after } = editor.line
    if (before + after === '') editor.end(false)
    else editor.setLine(before, after.slice(firstOf(after).length))
  },
  previous: editor => editor.visit(1),
  next: editor => editor.visit(-1),
  left: editor => editor.setLine(...moved(editor.line, -lastOf(editor.line.before).length)),
  right: editor => editor.setLine(...moved(editor.line, firstOf(editor.line.after).length)),
  home: editor => editor.setLine('', editor.line.before + editor.line.after),
  end: editor => editor.setLine(editor.line.before + editor.line.after),
  'word-left': editor => editor.setLine(...moved(editor.line, -/\S*\s*$/.exec(editor.line.before)[0].length)),
  'word-right': editor => editor.setLine(...moved(editor.line, /^\s*\S*/.exec(editor.line.after)[0].length)),
  'delete-back': editor => {
    const { before, after } = editor.line
    editor.setLine(before.slice(0, before.length - lastOf(before).length), after)
  },
  delete: editor => {
    const { before, after } = editor.line
    editor.setLine(before, after.slice(firstOf(after).length))
  },
  'kill-to-end': editor => editor.setLine(editor.line.before),
  'kill-to-start': editor => editor.setLine('', editor.line.after),
  'kill-word': editor => editor.setLine(editor.line.before.replace(/\S*\s*$/, ''), editor.line.after),
  discard: editor => editor.setLine('')
}

module.exports = { Editor }
