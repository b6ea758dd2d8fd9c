'use strict'

// What the head of an executable file says of itself, in the formats of Linux, macOS and Windows.

const { Buffer } = process.getBuiltinModule('node:buffer')
const { closeSync, fstatSync, openSync, readFileSync, readSync } = process.getBuiltinModule('node:fs')

/** The heads of all three formats lie within it. */
const HEAD_BYTES = 4096

/**
 * @typedef {object} Executable
 * @property {string} platform as `process.platform`
 * @property {string} arch as `process.arch`, or `other`
 * @property {boolean} isWhole whether the file is as long as it says. Linux maps what is missing, and a process that
 * reaches it is killed; macOS and Windows look by themselves.
 * @property {string[]} assumes what the processor must have, see src/binding/cpu.rs
 */

const ELF_MACHINES = new Map([
  [0x03, 'ia32'],
  [0x28, 'arm'],
  [0x3e, 'x64'],
  [0xb7, 'arm64'],
  [0xf3, 'riscv64']
])
const MACH_MACHINES = new Map([
  [0x0100_0007, 'x64'],
  [0x0100_000c, 'arm64']
])
const PE_MACHINES = new Map([
  [0x014c, 'ia32'],
  [0x8664, 'x64'],
  [0xaa64, 'arm64']
])

/** What the note of an addon begins with. */
const ASSUMES = 'typed-superdashmap assumes: '

const ELF_MAGIC = 0x7f45_4c46
const ELF_HEAD_BYTES = 64
const MACH_MAGIC = 0xfeed_facf
const PE_MAGIC = 0x5045_0000

/** @param {Buffer} head @param {number} size @returns {Executable | null} */
function elf(head, size) {
  if (head.length < ELF_HEAD_BYTES || head.readUInt32BE(0) !== ELF_MAGIC) return null
  // The table of sections is the last thing in the file.
  const end = Number(head.readBigUInt64LE(0x28)) + head.readUInt16LE(0x3a) * head.readUInt16LE(0x3c)
  const arch = ELF_MACHINES.get(head.readUInt16LE(0x12)) ?? 'other'
  return { platform: 'linux', arch, isWhole: end <= size, assumes: assumedBy(head) }
}

/** @param {Buffer} head */
function assumedBy(head) {
  const at = head.indexOf(ASSUMES)
  if (at === -1) return []
  const text = head.toString('latin1', at + ASSUMES.length, head.indexOf('\n', at))
  return text.split(' ').filter(name => name !== '')
}

/** @param {Buffer} head @returns {Executable | null} */
function mach(head) {
  if (head.length < 8 || head.readUInt32LE(0) !== MACH_MAGIC) return null
  return { platform: 'darwin', arch: MACH_MACHINES.get(head.readUInt32LE(4)) ?? 'other', isWhole: true, assumes: [] }
}

/** @param {Buffer} head @returns {Executable | null} */
function pe(head) {
  if (head.length < 0x40 || head.toString('latin1', 0, 2) !== 'MZ') return null
  const at = head.readUInt32LE(0x3c)
  if (at + 6 > head.length || head.readUInt32BE(at) !== PE_MAGIC) return null
  return { platform: 'win32', arch: PE_MACHINES.get(head.readUInt16LE(at + 4)) ?? 'other', isWhole: true, assumes: [] }
}

/**
 * Reads the head of a file. Null if it is no executable of those formats. Throws what the file system throws.
 *
 * @param {string} file
 */
function readHead(file) {
  const descriptor = openSync(file, 'r')
  try {
    const bytes = Buffer.alloc(HEAD_BYTES)
    const head = bytes.subarray(0, readSync(descriptor, bytes, 0, HEAD_BYTES, 0))
    return elf(head, fstatSync(descriptor).size) ?? mach(head) ?? pe(head)
  } finally {
    closeSync(descriptor)
  }
}

/** The C library that an addon for Linux was linked to: each has another name. @param {string} file */
const libcOfAddon = file => (readFileSync(file).includes('libc.so.6\0') ? 'gnu' : 'musl')

/**
 * The C library that starts a program for Linux; null if it names none, and for other systems.
 *
 * @param {string} file
 */
function libcOfProgram(file) {
  const descriptor = openSync(file, 'r')
  try {
    const head = Buffer.alloc(HEAD_BYTES)
    readSync(descriptor, head, 0, HEAD_BYTES, 0)
    if (head.includes('ld-musl-')) return 'musl'
    return head.includes('ld-linux') ? 'gnu' : null
  } finally {
    closeSync(descriptor)
  }
}

/** Which of these features no processor of Linux has. @param {readonly string[]} features */
function lackingFeatures(features) {
  if (features.length === 0) return []
  const words = new Set(
    readFileSync('/proc/cpuinfo', 'utf8')
      .split('\n')
      .flatMap(line => line.split(' '))
  )
  return features.filter(name => !words.has(name))
}

module.exports = { lackingFeatures, libcOfAddon, libcOfProgram, readHead }
