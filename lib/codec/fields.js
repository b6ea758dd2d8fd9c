'use strict'

// Objects as fields: the values of their members in order, nested ones included, and the step of the shape tree that
// their names lead to. In one pass that reads each property and calls each `toJSON` once, as json.js does. What has no
// step is text: a whole object, or a part of one, which is a field then.

const { checkEmpty, enter, inside, isWrapper, leave, ordinary, thenable } = require('./containers.js')
const { nameText, recordText, restAfter, restText, shownBy, shownText, stringText, valueText } = require('./json.js')
const { PIECE, joined, withPiece } = require('./pieces.js')
const { CLOSE, OBJECT, ROWS, stepsBetween } = require('./shape-tree.js')

/** @typedef {import('./shape-tree.js').ShapeTree} ShapeTree */
/** @typedef {NonNullable<ReturnType<ShapeTree['member']>>} Step */
/**
 * Makes of fields what is to be stored, without running code of the value; undefined if that is to be text. Without a
 * step, the one field is an array of numbers.
 *
 * @typedef {(tree: ShapeTree, end: Step | undefined, fields: readonly any[], from: number, to: number) =>
 *   number | undefined} Pack
 */

const { getPrototypeOf } = Object
const { hasOwnProperty: isOwn } = Object.prototype
const { stringify } = JSON

/** Longer arrays of texts are no field of their own, but text. */
const MAX_TEXTS = 256

/** Rows of one array at most. More are text. */
const MAX_ROWS = 65_536

/** A part of a value as JSON text. */
class Text {
  /** @param {string} text */
  constructor(text) {
    this.text = text
  }
}

/**
 * The fields of the values that are being written. A value whose code writes another one goes on below its fields.
 *
 * @type {any[]}
 */
const fields = []
let top = 0
/** What was written as text, by the function that returned no step. */
let written = ''
/** The tree of the value that is being written. @type {ShapeTree} */
let tree
/** @type {Pack} */
let pack
/** Indexes in `fields` and in the steps, while text is made of them. */
let fieldAt = 0
let stepAt = 0

/**
 * Writes an object as fields, or as text.
 *
 * @param {object} value
 * @param {ShapeTree} shapes
 * @param {Pack} packFields
 * @returns {number | string | undefined} undefined if `toJSON` returned nothing
 * @throws TypeError with ERR_VALUE_NOT_SERIALIZABLE, and what code of the value throws
 */
function write(value, shapes, packFields) {
  const from = top
  const outerTree = tree
  const outerPack = pack
  tree = shapes
  pack = packFields
  const growth = shapes.begin()
  try {
    return inside(writeRoot, value)
  } finally {
    while (top > from) fields[--top] = undefined
    shapes.end(growth)
    tree = outerTree
    pack = outerPack
  }
}

/** @param {any} value */
function writeRoot(value) {
  const from = top
  const { root } = tree
  const shown = shownBy(value, value.toJSON, '')
  const { texts } = tree
  if (typeof shown !== 'object' || shown === null) {
    texts.other++
    return shownText(shown, '')
  }
  enter(shown, '')
  if (Array.isArray(shown)) {
    const field = listField(shown, shown.length, shown[0])
    leave()
    if (field instanceof Text || typeof field[0] !== 'number') {
      texts.other++
      return field instanceof Text ? field.text : stringify(field)
    }
    fields[top++] = field
    return pack(tree, undefined, fields, from, top) ?? stringify(field)
  }
  const end = members(shown, root)
  leave()
  if (end === undefined) {
    texts.names++
    return written
  }
  return pack(tree, end, fields, from, top) ?? textBetween(root, end, from)
}

/**
 * Writes the members of an object as fields.
 *
 * @param {any} object the innermost container
 * @param {Step} start
 * @returns {Step | undefined} where its names lead to; undefined if it was written as text
 */
function members(object, start) {
  const from = top
  const prototype = getPrototypeOf(object)
  if (prototype !== ordinary && isWrapper(object, prototype)) {
    written = stringify(object)
    return undefined
  }
  let step = start
  /** The text, once a name was met that has no step. @type {string | undefined} */
  let text
  /** @type {string[] | undefined} */
  let pieces
  for (const name in object) {
    if (!isOwn.call(object, name)) continue
    const value = object[name]
    if (text !== undefined) {
      const member = valueText(value, name)
      if (text.length > PIECE) {
        pieces = withPiece(pieces, text)
        text = ''
      }
      if (member !== undefined) text += nameText(name, text === '' && pieces === undefined) + member
      continue
    }
    const type = typeof value
    if (type === 'undefined' || type === 'symbol') continue
    const { first } = step
    const member = first !== undefined && first.name === name ? first : tree.member(step, name)
    if (member === undefined) {
      text = openTextBetween(start, step, from)
      const added = valueText(value, name)
      if (added !== undefined) text += nameText(name, text === '') + added
    } else if (type === 'string' || type === 'boolean' || value === null) {
      fields[top++] = value
      step = member
    } else if (type === 'number') {
      fields[top++] = Number.isFinite(value) ? value : null
      step = member
    } else {
      step = contained(value, name, member) ?? step
    }
  }
  if (text !== undefined) {
    written = text === '' && pieces === undefined ? '{}' : joined(pieces, `${text}}`)
    return undefined
  }
  if (step === start && prototype !== ordinary && prototype !== null) checkEmpty(object)
  return step
}

/**
 * Writes the value of a member that is an object, a function or a bigint.
 *
 * @param {any} value
 * @param {string} name
 * @param {Step} member
 * @returns {Step | undefined} undefined if JSON leaves it out
 */
function contained(value, name, member) {
  const { toJSON } = value
  if (typeof toJSON !== 'function' && typeof value === 'function') {
    if (name === 'then') throw thenable()
    return undefined
  }
  const shown = shownBy(value, toJSON, name)
  if (typeof shown !== 'object' || shown === null) return plain(shown, name, member)
  enter(shown, name)
  const after = Array.isArray(shown) ? arrayMember(shown, member) : objectMember(shown, member)
  leave()
  return after
}

/**
 * Writes what `toJSON` returned if that is no object.
 *
 * @param {any} shown
 * @param {string} name
 * @param {Step} member
 */
function plain(shown, name, member) {
  const text = shownText(shown, name)
  if (text === undefined) return undefined
  fields[top++] = typeof shown === 'number' && !Number.isFinite(shown) ? null : shown
  return member
}

/**
 * @param {any} object the innermost container
 * @param {Step} member
 */
function objectMember(object, member) {
  const from = top
  const start = tree.into(member, OBJECT)
  if (start === undefined) return textMember(recordText(object), member)
  const end = members(object, start)
  if (end === undefined) return textMember(written, member)
  return tree.out(end) ?? textMember(textBetween(start, end, from), member)
}

/**
 * Writes a member as text.
 *
 * @param {string} text
 * @param {Step} member
 */
function textMember(text, member) {
  fields[top++] = new Text(text)
  return member
}

/**
 * @param {readonly any[]} array the innermost container
 * @param {Step} member
 */
function arrayMember(array, member) {
  const { length } = array
  const head = length === 0 ? undefined : array[0]
  if (typeof head === 'object' && head !== null && !Array.isArray(head)) return rowsMember(array, length, head, member)
  fields[top++] = listField(array, length, head)
  return member
}

/**
 * An array as one field: a copy of it, if it has numbers only or texts only.
 *
 * @param {readonly any[]} array the innermost container
 * @param {number} length
 * @param {any} head its first member
 * @returns {number[] | string[] | Text}
 */
function listField(array, length, head) {
  /** @type {any[]} */
  const list = []
  const type = typeof head
  if (length === 0) return list
  let value = head
  if (type === 'number' || (type === 'string' && length <= MAX_TEXTS)) {
    while (typeof value === type && (type === 'string' || Number.isFinite(value))) {
      list.push(value)
      if (list.length === length) return list
      value = array[list.length]
    }
  }
  return new Text(restAfter(list, value, array, list.length, length))
}

/**
 * Writes an array as rows, if all of its members are objects with the same members.
 *
 * @param {readonly any[]} array the innermost container
 * @param {number} length
 * @param {object} head its first member
 * @param {Step} member
 */
function rowsMember(array, length, head, member) {
  const start = tree.into(member, ROWS)
  if (start === undefined || length > MAX_ROWS) return textMember(restAfter([], head, array, 0, length), member)
  const from = top
  fields[top++] = length
  const growth = tree.mayGrow
  /** @type {Step | undefined} */
  let end
  for (let index = 0; index < length; index++) {
    const value = index === 0 ? head : array[index]
    const text = rowText(value, index, start, end)
    if (text !== undefined) {
      const before = end === undefined ? [] : rowTexts(start, end, from + 1, index)
      while (top > from) fields[--top] = undefined
      const known = [...before, text].join(',')
      tree.mayGrow = growth
      return textMember(restText(index + 1 < length ? `${known},` : known, array, index + 1, length), member)
    }
    end = rowEnd
    tree.mayGrow = false
  }
  tree.mayGrow = growth
  return tree.out(/** @type {Step} */ (end)) ?? textMember(allRowsText(start, /** @type {Step} */ (end), from), member)
}

/** Where the row ends that `rowText` wrote as fields. @type {Step | undefined} */
let rowEnd

/**
 * Writes a member of an array as a row.
 *
 * @param {any} value
 * @param {number} index
 * @param {Step} start
 * @param {Step | undefined} end where the rows before have ended, if any
 * @returns {string | undefined} the text of a member that is no such row; undefined if it is, `rowEnd` says where then
 */
function rowText(value, index, start, end) {
  if (typeof value !== 'object' || value === null) return valueText(value, index) ?? 'null'
  const shown = shownBy(value, value.toJSON, index)
  if (typeof shown !== 'object' || shown === null || Array.isArray(shown)) return shownText(shown, index) ?? 'null'
  const from = top
  enter(shown, index)
  rowEnd = members(shown, start)
  leave()
  if (rowEnd === undefined) return written
  return end === undefined || rowEnd === end ? undefined : textBetween(start, rowEnd, from)
}

// ---- Text of what was written as fields already

/**
 * The text of an object whose fields are no longer needed.
 *
 * @param {Step} start
 * @param {Step} end
 * @param {number} from
 */
const textBetween = (start, end, from) => closedText(openTextBetween(start, end, from))

/** @param {string} open */
const closedText = open => (open === '' ? '{}' : `${open}}`)

/**
 * The same without the closing brace, and nothing for an object without members.
 *
 * @param {Step} start
 * @param {Step} end
 * @param {number} from
 */
function openTextBetween(start, end, from) {
  fieldAt = from
  stepAt = 0
  const text = levelText(stepsBetween(start, end))
  while (top > from) fields[--top] = undefined
  return text
}

/**
 * The texts of rows whose fields stay.
 *
 * @param {Step} start
 * @param {Step} end
 * @param {number} from
 * @param {number} count
 */
function rowTexts(start, end, from, count) {
  const steps = stepsBetween(start, end)
  const texts = []
  fieldAt = from
  for (stepAt = 0; texts.length < count; stepAt = 0) texts.push(closedText(levelText(steps)))
  return texts
}

/**
 * The text of all rows, whose fields are no longer needed.
 *
 * @param {Step} start
 * @param {Step} end
 * @param {number} from
 */
function allRowsText(start, end, from) {
  const text = `[${rowTexts(start, end, from + 1, fields[from]).join(',')}]`
  while (top > from) fields[--top] = undefined
  return text
}

/**
 * The members of one object, from `stepAt` and `fieldAt` on.
 *
 * @param {readonly Step[]} steps
 * @returns {string}
 */
function levelText(steps) {
  let text = ''
  for (let step = steps[stepAt]; step !== undefined && step.kind !== CLOSE; step = steps[stepAt]) {
    const before = nameText(step.name, text === '')
    const kind = steps[++stepAt]?.kind
    text += before + (kind === OBJECT || kind === ROWS ? innerText(steps, kind) : fieldText(fields[fieldAt++]))
  }
  return text
}

/**
 * @param {readonly Step[]} steps
 * @param {number} kind
 */
function innerText(steps, kind) {
  const start = ++stepAt
  let text
  if (kind === OBJECT) text = closedText(levelText(steps))
  else {
    const rows = []
    for (let count = fields[fieldAt++]; rows.length < count; ) {
      stepAt = start
      rows.push(closedText(levelText(steps)))
    }
    text = `[${rows.join(',')}]`
  }
  // Past the step out.
  stepAt++
  return text
}

/** @param {any} field */
function fieldText(field) {
  if (typeof field === 'string') return stringText(field)
  if (typeof field !== 'object' || field === null) return `${field}`
  return field instanceof Text ? field.text : stringify(field)
}

module.exports = { MAX_ROWS, Text, write }
