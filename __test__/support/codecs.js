'use strict'

// Codecs for tests, of bytes and of text. What they make cannot be taken for JSON, nor for what another codec makes.

const v8 = require('node:v8')

const MASK = 0x5a

/** Bytes of `v8.serialize`, each changed. They lie in memory that the next call uses again, as some encoders do it. */
class BytesCodec {
  contentType = 'application/x-masked'
  calls = { encode: 0, decode: 0 }
  #memory = Buffer.alloc(64 * 1024)

  encode(value) {
    this.calls.encode++
    const plain = v8.serialize(value)
    if (plain.length > this.#memory.length) this.#memory = Buffer.alloc(plain.length * 2)
    const encoded = this.#memory.subarray(0, plain.length)
    for (const [at, byte] of plain.entries()) encoded[at] = byte ^ MASK
    return encoded
  }

  // In place, because the bytes are its own.
  decode(encoded) {
    this.calls.decode++
    for (const at of encoded.keys()) encoded[at] ^= MASK
    return v8.deserialize(encoded)
  }
}

/** The same bytes as text, with a lone surrogate in front. */
class TextCodec {
  contentType = 'text/x-latin'
  calls = { encode: 0, decode: 0 }

  encode(value) {
    this.calls.encode++
    return `\ud800${v8.serialize(value).toString('latin1')}`
  }

  decode(encoded) {
    this.calls.decode++
    if (encoded[0] !== '\ud800') throw new Error('that is not the text that was written')
    return v8.deserialize(Buffer.from(encoded.slice(1), 'latin1'))
  }
}

/** Codecs by name: what `codec` takes, fresh for each map, and what it is called in messages. */
const CODECS = {
  v8: () => 'v8',
  bytes: () => new BytesCodec(),
  text: () => new TextCodec()
}

module.exports = { BytesCodec, CODECS, TextCodec }
