'use strict'

// The shapes that one open map knows, as a tree of steps: each member of an object that is written is a step from the
// place that the members before have led to. So finding the shape of an object takes a comparison for each name, and
// objects that begin alike share their steps.
//
// Most objects of a program have one of a few shapes. Those that do not, such as dictionaries with a name per user,
// must not fill the tree: steps are made on credit, which shapes that come back earn.

/** What a step is. */
const MEMBER = 0
/** Into an object that is the value of a member. */
const OBJECT = 1
/** Into an array of objects that all have the same members. */
const ROWS = 2
/** Out of an object, or out of rows. */
const CLOSE = 3

/** A tree with more steps begins anew. */
const MAX_STEPS = 16_384

/** Steps that one object makes at most: a dictionary of a hundred thousand names is none of a shape. */
const MAX_NEW_STEPS = 1_024

/** Objects inside each other that are steps. Deeper ones are text. */
const MAX_DEPTH = 24

/** Objects that may make steps before any has come back. */
const FIRST_CREDIT = 256
/** What a shape earns that came back. */
const EARNED = 8
/** Without credit, one in so many objects makes steps all the same. */
const TRIED_PER = 64

/** The number of a shape that was not published. */
const UNPUBLISHED = 0

/** One step, and the place that it leads to. */
class Step {
  /** The step by a name that was made first. @type {Step | undefined} */
  first = undefined
  /** The others by their names. @type {Map<string, Step> | undefined} */
  others = undefined
  /** @type {Step | undefined} */
  object = undefined
  /** @type {Step | undefined} */
  rows = undefined
  /** @type {Step | undefined} */
  close = undefined
  /** Number of the shape that ends here. */
  number = UNPUBLISHED
  /** Values that ended here and were text. */
  seen = 0

  /**
   * @param {number} kind
   * @param {string} name of a member
   * @param {Step | undefined} before
   * @param {number} depth
   */
  constructor(kind, name, before, depth) {
    this.name = name
    this.kind = kind
    this.before = before
    this.depth = depth
  }
}

class ShapeTree {
  root = new Step(OBJECT, '', undefined, 0)
  #steps = 0
  #credit = FIRST_CREDIT
  #skipped = 0
  #publish
  /** How many objects were written as text, by the reason. */
  texts
  /** Whether the object that is being written may make steps. */
  mayGrow = true
  /** Steps that the object made. */
  #grown = 0

  /**
   * @param {(definition: string) => number} publish the number of a shape, UNPUBLISHED if it gets none
   * @param {Record<'first' | 'names' | 'refused' | 'large' | 'other', number>} texts
   */
  constructor(publish, texts) {
    this.#publish = publish
    this.texts = texts
  }

  /** Begins with another object. Returns what `end` puts back. */
  begin() {
    const outer = this.mayGrow
    this.mayGrow = this.#credit > 0 || ++this.#skipped % TRIED_PER === 0
    this.#grown = 0
    if (this.#steps > MAX_STEPS) {
      this.root = new Step(OBJECT, '', undefined, 0)
      this.#steps = 0
    }
    return outer
  }

  /** Ends it. @param {boolean} outer */
  end(outer) {
    if (this.#grown > 0 && this.#credit > 0) this.#credit--
    this.mayGrow = outer
  }

  /**
   * The step by a member. Undefined if there is none.
   *
   * @param {Step} from
   * @param {string} name
   * @returns {Step | undefined}
   */
  member(from, name) {
    const known = from.others?.get(name)
    if (known !== undefined || !this.#canGrow()) return known
    const step = this.#make(MEMBER, name, from, from.depth)
    if (from.first === undefined) {
      from.first = step
      return step
    }
    from.others ??= new Map()
    from.others.set(name, step)
    return step
  }

  /**
   * The step into an object or into rows. Undefined if there is none.
   *
   * @param {Step} from a member
   * @param {typeof OBJECT | typeof ROWS} kind
   * @returns {Step | undefined}
   */
  into(from, kind) {
    const known = kind === OBJECT ? from.object : from.rows
    if (known !== undefined || !this.#canGrow() || from.depth === MAX_DEPTH) return known
    const step = this.#make(kind, '', from, from.depth + 1)
    if (kind === OBJECT) from.object = step
    else from.rows = step
    return step
  }

  /**
   * The step out of an object or rows. Undefined if there is none.
   *
   * @param {Step} from
   * @returns {Step | undefined}
   */
  out(from) {
    if (from.close === undefined && this.#canGrow()) from.close = this.#make(CLOSE, '', from, from.depth - 1)
    return from.close
  }

  /**
   * The number of the shape that ends at a step. It is published when it comes back.
   *
   * @param {Step} end
   * @returns {number} UNPUBLISHED if it has none
   */
  numberOf(end) {
    if (end.number !== UNPUBLISHED) return end.number
    if (++end.seen === 1) {
      this.texts.first++
      return UNPUBLISHED
    }
    // Once it was refused, it is asked for again after twice as many values, because shapes go, too.
    if ((end.seen & (end.seen - 1)) === 0) end.number = this.#publish(definitionOf(end))
    if (end.number === UNPUBLISHED) this.texts.refused++
    else this.#credit = Math.min(FIRST_CREDIT, this.#credit + EARNED)
    return end.number
  }

  #canGrow() {
    return this.mayGrow && this.#grown < MAX_NEW_STEPS
  }

  /**
   * @param {number} kind
   * @param {string} name
   * @param {Step} before
   * @param {number} depth
   */
  #make(kind, name, before, depth) {
    this.#steps++
    this.#grown++
    return new Step(kind, name, before, depth)
  }
}

/**
 * The steps from one place to another.
 *
 * @param {Step | undefined} start
 * @param {Step} end
 */
function stepsBetween(start, end) {
  const steps = []
  for (let step = end; step !== start && step.before !== undefined; step = step.before) steps.push(step)
  return steps.reverse()
}

/**
 * The definition of the shape that ends at a step: a JSON text of its members, each a name, or the name and the members
 * of an object, or the same and `1` for rows.
 *
 * @param {Step} end
 */
function definitionOf(end) {
  /** @type {any[]} */
  const stack = [[]]
  for (const { kind, name } of stepsBetween(undefined, end)) {
    const members = stack[stack.length - 1]
    if (kind === MEMBER) members.push(name)
    else if (kind === CLOSE) stack.pop()
    else {
      /** @type {any[]} */
      const inner = []
      members.push(kind === ROWS ? [members.pop(), inner, 1] : [members.pop(), inner])
      stack.push(inner)
    }
  }
  return JSON.stringify(stack[0])
}

module.exports = { CLOSE, MEMBER, OBJECT, ROWS, ShapeTree, UNPUBLISHED, stepsBetween }
