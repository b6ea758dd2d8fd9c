'use strict'

// Rewrites the packed relative relocations (RELR) of a shared library for x86-64 as plain ones, which every loader
// knows. musl knows RELR from 1.2.4 on; Debian 12 has 1.2.3, and the C++ library that comes with Node.js built for musl
// has RELR. The format: "generic ABI, section header type SHT_RELR". An even word is an address to relocate; an odd one
// is a bitmap of the 63 words behind it.

const { readFileSync, writeFileSync } = require('node:fs')

const LOAD = 1
const DYNAMIC = 2
/** Segments that the program does not need: one of them becomes the segment of the new table. */
const SPARE = [4, 0x6474e553]
const TAG = { rela: 7n, relaSize: 8n, relrSize: 0x23n, relr: 0x24n, relaCount: 0x6ffffff9n }
const R_X86_64_RELATIVE = 8n
const PAGE = 0x1000
const READABLE = 4

/** @typedef {{ at: number, type: number, offset: number, address: number, fileSize: number, size: number }} Segment */

/** @param {Buffer} elf @returns {Segment[]} */
function segmentsOf(elf) {
  const [first, entry, count] = [Number(elf.readBigUInt64LE(32)), elf.readUInt16LE(54), elf.readUInt16LE(56)]
  return Array.from({ length: count }, (_, index) => {
    const at = first + index * entry
    const word = (/** @type {number} */ offset) => Number(elf.readBigUInt64LE(at + offset))
    return { at, type: elf.readUInt32LE(at), offset: word(8), address: word(16), fileSize: word(32), size: word(40) }
  })
}

/**
 * The tags of the dynamic section, with the place of each value in the file.
 *
 * @param {Buffer} elf @param {Segment} dynamic
 */
function tagsOf(elf, dynamic) {
  /** @type {Map<bigint, { value: number, at: number }>} */
  const tags = new Map()
  for (let at = dynamic.offset; at < dynamic.offset + dynamic.fileSize; at += 16) {
    const tag = elf.readBigUInt64LE(at)
    if (tag === 0n) break
    tags.set(tag, { value: Number(elf.readBigUInt64LE(at + 8)), at: at + 8 })
  }
  return tags
}

/** The addresses that a table of RELR names. @param {Buffer} table */
function unpack(table) {
  const addresses = []
  let next = 0
  for (let at = 0; at < table.length; at += 8) {
    const word = table.readBigUInt64LE(at)
    if ((word & 1n) === 0n) {
      addresses.push(Number(word))
      next = Number(word) + 8
    } else {
      for (let bit = 0; bit < 63; bit++) if ((word >> BigInt(bit + 1)) & 1n) addresses.push(next + 8 * bit)
      next += 63 * 8
    }
  }
  return addresses
}

/** Rewrites the file if it has RELR. @param {string} file */
function withoutRelr(file) {
  const elf = readFileSync(file)
  const segments = segmentsOf(elf)
  const loads = segments.filter(({ type }) => type === LOAD)
  const dynamic = segments.find(({ type }) => type === DYNAMIC)
  const spare = segments.findLast(({ type }) => SPARE.includes(type))
  const tags = dynamic ? tagsOf(elf, dynamic) : new Map()
  const [relr, relrSize, rela, relaSize] = [TAG.relr, TAG.relrSize, TAG.rela, TAG.relaSize].map(tag => tags.get(tag))
  if (!relr || !relrSize || !rela || !relaSize || !spare) return
  const offsetOf = (/** @type {number} */ address) => {
    const load = loads.find(load => address >= load.address && address < load.address + load.fileSize)
    if (!load) throw new RangeError(`${file}: address ${address} is in no segment`)
    return address - load.address + load.offset
  }
  const addresses = unpack(elf.subarray(offsetOf(relr.value), offsetOf(relr.value) + relrSize.value))
  const added = Buffer.alloc(addresses.length * 24)
  for (const [index, address] of addresses.entries()) {
    added.writeBigUInt64LE(BigInt(address), index * 24)
    added.writeBigUInt64LE(R_X86_64_RELATIVE, index * 24 + 8)
    // The word to relocate holds what is added to the address of the image.
    added.writeBigUInt64LE(elf.readBigUInt64LE(offsetOf(address)), index * 24 + 16)
  }
  const old = elf.subarray(offsetOf(rela.value), offsetOf(rela.value) + relaSize.value)
  const table = Buffer.concat([added, old])
  const pageOf = (/** @type {number} */ place) => Math.ceil(place / PAGE) * PAGE
  const [offset, address] = [pageOf(elf.length), pageOf(Math.max(...loads.map(load => load.address + load.size)))]
  elf.writeUInt32LE(LOAD, spare.at)
  elf.writeUInt32LE(READABLE, spare.at + 4)
  for (const [index, word] of [offset, address, address, table.length, table.length, PAGE].entries()) {
    elf.writeBigUInt64LE(BigInt(word), spare.at + 8 + index * 8)
  }
  elf.writeBigUInt64LE(BigInt(address), rela.at)
  elf.writeBigUInt64LE(BigInt(table.length), relaSize.at)
  const count = tags.get(TAG.relaCount)
  if (count) elf.writeBigUInt64LE(BigInt(count.value + addresses.length), count.at)
  writeFileSync(file, Buffer.concat([elf, Buffer.alloc(offset - elf.length), table]))
}

module.exports = { withoutRelr }
