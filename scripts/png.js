'use strict'

// Makes PNG files smaller: at most 256 colours, those that occur most; each other pixel gets the nearest of them. For
// pictures of pages, which have few colours beside the edges of letters.

const { deflateSync, inflateSync } = require('node:zlib')

const SIGNATURE = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10])
const MOST_COLOURS = 256
const RGB = 2
const RGBA = 6
const PALETTE = 3

/** @param {Buffer} bytes */
function checksum(bytes) {
  let crc = ~0
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
  }
  return ~crc >>> 0
}

/** @param {string} type @param {Buffer} content */
function chunk(type, content) {
  const body = Buffer.concat([Buffer.from(type), content])
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(content.length)
  sum.writeUInt32BE(checksum(body))
  return Buffer.concat([length, body, sum])
}

/** The chunks of a file. @param {Buffer} png */
function* chunksOf(png) {
  for (let at = SIGNATURE.length; at < png.length; ) {
    const length = png.readUInt32BE(at)
    yield { type: png.toString('latin1', at + 4, at + 8), content: png.subarray(at + 8, at + 8 + length) }
    at += length + 12
  }
}

/**
 * The value that a filter adds to a byte.
 *
 * @param {number} filter
 * @param {number} a left of it
 * @param {number} b above it
 * @param {number} c above that
 */
function predicted(filter, a, b, c) {
  if (filter === 1) return a
  if (filter === 2) return b
  if (filter === 3) return (a + b) >> 1
  if (filter !== 4) return 0
  const [pa, pb, pc] = [Math.abs(b - c), Math.abs(a - c), Math.abs(a + b - 2 * c)]
  return pa <= pb && pa <= pc ? a : pb <= pc ? b : c
}

/** The pixels of a file, as numbers 0xrrggbb; what shines through is ignored. @param {Buffer} png */
function readPixels(png) {
  const chunks = [...chunksOf(png)]
  const head = chunks[0].content
  const [width, height, depth, kind] = [head.readUInt32BE(0), head.readUInt32BE(4), head[8], head[9]]
  if (depth !== 8 || (kind !== RGB && kind !== RGBA)) throw new TypeError('8 bits a channel, no palette')
  const size = kind === RGB ? 3 : 4
  const data = inflateSync(Buffer.concat(chunks.filter(({ type }) => type === 'IDAT').map(({ content }) => content)))
  const stride = width * size
  let before = Buffer.alloc(stride)
  const pixels = new Uint32Array(width * height)
  for (let y = 0; y < height; y++) {
    const filter = data[y * (stride + 1)]
    const row = data.subarray(y * (stride + 1) + 1, (y + 1) * (stride + 1))
    for (let at = 0; at < stride; at++) {
      row[at] += predicted(filter, row[at - size] ?? 0, before[at], before[at - size] ?? 0)
    }
    for (let x = 0; x < width; x++) pixels[y * width + x] = row.readUIntBE(x * size, 3)
    before = row
  }
  return { width, height, pixels }
}

/** @param {number} one @param {number} other */
function distance(one, other) {
  const channel = (/** @type {number} */ shift) => ((one >> shift) & 255) - ((other >> shift) & 255)
  return channel(16) ** 2 + channel(8) ** 2 + channel(0) ** 2
}

/** @param {Buffer} png @returns {Buffer} */
function shrink(png) {
  const { width, height, pixels } = readPixels(png)
  /** @type {Map<number, number>} */
  const counts = new Map()
  for (const pixel of pixels) counts.set(pixel, (counts.get(pixel) ?? 0) + 1)
  const colours = [...counts].sort(([, one], [, other]) => other - one).map(([colour]) => colour)
  const palette = colours.slice(0, MOST_COLOURS)
  const places = new Map(palette.map((colour, at) => [colour, at]))
  for (const colour of colours.slice(MOST_COLOURS)) {
    const far = palette.map(other => distance(colour, other))
    places.set(colour, far.indexOf(Math.min(...far)))
  }
  const rows = Buffer.alloc((width + 1) * height)
  for (const [at, pixel] of pixels.entries()) {
    rows[Math.floor(at / width) * (width + 1) + 1 + (at % width)] = /** @type {number} */ (places.get(pixel))
  }
  const head = Buffer.alloc(13)
  head.writeUInt32BE(width, 0)
  head.writeUInt32BE(height, 4)
  head[8] = 8
  head[9] = PALETTE
  const table = Buffer.from(palette.flatMap(colour => [colour >> 16, (colour >> 8) & 255, colour & 255]))
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', head),
    chunk('PLTE', table),
    chunk('IDAT', deflateSync(rows, { level: 9 })),
    chunk('IEND', Buffer.alloc(0))
  ])
}

module.exports = { shrink }
