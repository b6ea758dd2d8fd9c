'use strict'

// Long texts in pieces. A text that grows by `+=` is a tree of its parts until it is read, and the garbage collector
// walks the tree of a text of megabytes again and again: that was most of the time of writing 10 MB. So what is
// written is made one flat piece from time to time.

/** Length from which on a text is a piece. Small objects never get there; the tree of a piece is gone while young. */
const PIECE = 16_384

/**
 * Adds a piece.
 *
 * @param {string[] | undefined} pieces those before it
 * @param {string} text
 */
function withPiece(pieces, text) {
  // Reading a character makes the text flat.
  text.charCodeAt(0)
  if (pieces === undefined) return [text]
  pieces.push(text)
  return pieces
}

/**
 * The whole text.
 *
 * @param {string[] | undefined} pieces
 * @param {string} rest what comes behind them
 */
const joined = (pieces, rest) => (pieces === undefined ? rest : pieces.join('') + rest)

module.exports = { PIECE, joined, withPiece }
