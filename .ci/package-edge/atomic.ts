/**
 * Node is linked to GCC's libatomic since version 25, of which a plain Debian has no copy, for one function that V8 calls with
 * one size. This writes a shared library with that function, for want of a cross compiler and of a copy with a licence like ours.
 */
import type { Arch } from './runtime.ts'

/** The name under which Node asks for the library. */
export const SONAME = 'libatomic.so.1'
const SYMBOL = '__atomic_compare_exchange'
const VERSION = 'LIBATOMIC_1.0'

/**
 * `bool f(size_t size, void *memory, void *expected, void *desired, int, int)`, sequentially consistent, for 8 aligned bytes.
 * Another size traps: a crash at the first call is better than a wrong value.
 */
const CODE: Readonly<Record<Arch, { readonly machine: number; readonly bytes: Buffer }>> = {
  x64: {
    machine: 62,
    bytes: code(`
      48 83 ff 08     cmp $8, %rdi
      75 19           jne 1f
      48 8b 02        mov (%rdx), %rax
      48 8b 09        mov (%rcx), %rcx
      f0 48 0f b1 0e  lock cmpxchg %rcx, (%rsi)
      74 06           je 2f
      48 89 02        mov %rax, (%rdx)
      31 c0           xor %eax, %eax
      c3              ret
      b8 01 00 00 00  2: mov $1, %eax
      c3              ret
      0f 0b           1: ud2`),
  },
  arm64: {
    machine: 183,
    bytes: code(`
      1f 20 00 f1     cmp x0, #8
      c1 01 00 54     b.ne 3f
      49 00 40 f9     ldr x9, [x2]
      6a 00 40 f9     ldr x10, [x3]
      2b fc 5f c8     1: ldaxr x11, [x1]
      7f 01 09 eb     cmp x11, x9
      a1 00 00 54     b.ne 2f
      2a fc 0c c8     stlxr w12, x10, [x1]
      8c ff ff 35     cbnz w12, 1b
      20 00 80 52     mov w0, #1
      c0 03 5f d6     ret
      5f 3f 03 d5     2: clrex
      4b 00 00 f9     str x11, [x2]
      00 00 80 52     mov w0, #0
      c0 03 5f d6     ret
      20 00 20 d4     3: brk #1`),
  },
}

/** Reads the bytes at the beginning of each line of a listing; the instruction stands behind two blanks. */
function code(listing: string): Buffer {
  const lines = listing.trim().split('\n')
  return Buffer.concat(
    lines.map((line) => Buffer.from((line.trim().split('  ', 1)[0] ?? '').replaceAll(' ', ''), 'hex')),
  )
}

/** The data segment lies this far above its place in the file: the largest page of either machine. */
const PAGE = 0x10000

/** The library's file: ELF, one segment of code and tables, one of the writable dynamic section, no section headers. */
export function atomicLibrary(arch: Arch): Buffer {
  const { machine, bytes } = CODE[arch]
  const strings = stringTable([SONAME, SYMBOL, VERSION])
  const start = 64 + 4 * 56
  const versions = versionTable(strings.at)
  const tables = {
    symbols: start,
    hash: start + 48,
    versym: start + 72,
    verdef: start + 80,
    strings: start + 80 + versions.length,
  }
  const text = align(tables.strings + strings.bytes.length)
  const dynamicAt = align(text + bytes.length)
  const dynamic = dynamicSection({ ...tables, stringsLength: strings.bytes.length, soname: strings.at(SONAME) })
  const file = Buffer.alloc(dynamicAt + dynamic.length)
  header(machine, dynamicAt, dynamic.length).copy(file)
  symbolTable(strings.at(SYMBOL), text, bytes.length).copy(file, tables.symbols)
  // One bucket, and in it the one symbol; number 0 is the empty one.
  words([1, 2, 1, 0, 0]).copy(file, tables.hash)
  file.writeUInt16LE(2, tables.versym + 2)
  versions.copy(file, tables.verdef)
  strings.bytes.copy(file, tables.strings)
  bytes.copy(file, text)
  dynamic.copy(file, dynamicAt)
  return file
}

const align = (offset: number) => Math.ceil(offset / 16) * 16

function words(numbers: readonly number[]): Buffer {
  const buffer = Buffer.alloc(4 * numbers.length)
  for (const [i, n] of numbers.entries()) buffer.writeUInt32LE(n, 4 * i)
  return buffer
}

function longs(numbers: readonly number[]): Buffer {
  const buffer = Buffer.alloc(8 * numbers.length)
  for (const [i, n] of numbers.entries()) buffer.writeBigUInt64LE(BigInt(n), 8 * i)
  return buffer
}

function stringTable(names: readonly string[]) {
  const bytes = Buffer.from(`\0${names.join('\0')}\0`, 'latin1')
  return { bytes, at: (name: string) => bytes.indexOf(`\0${name}\0`, 0, 'latin1') + 1 }
}

/** Elf64_Ehdr and the four Elf64_Phdr: code, data, dynamic, and a stack that is not executable. */
function header(machine: number, dynamicAt: number, dynamicLength: number): Buffer {
  const ident = Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0])
  const kind = Buffer.alloc(8)
  kind.writeUInt16LE(3, 0)
  kind.writeUInt16LE(machine, 2)
  kind.writeUInt32LE(1, 4)
  const sizes = Buffer.alloc(16)
  for (const [at, value] of [
    [4, 64],
    [6, 56],
    [8, 4],
    [10, 64],
  ] as const)
    sizes.writeUInt16LE(value, at)
  const address = dynamicAt + PAGE
  return Buffer.concat([
    ident,
    kind,
    longs([0, 64, 0]),
    sizes,
    segment({ type: 1, flags: 5, offset: 0, address: 0, length: dynamicAt, alignment: PAGE }),
    segment({ type: 1, flags: 6, offset: dynamicAt, address, length: dynamicLength, alignment: PAGE }),
    segment({ type: 2, flags: 6, offset: dynamicAt, address, length: dynamicLength, alignment: 8 }),
    segment({ type: 0x6474e551, flags: 6, offset: 0, address: 0, length: 0, alignment: 16 }),
  ])
}

interface Segment {
  readonly type: number
  readonly flags: number
  readonly offset: number
  readonly address: number
  readonly length: number
  readonly alignment: number
}

const segment = ({ type, flags, offset, address, length, alignment }: Segment) =>
  Buffer.concat([words([type, flags]), longs([offset, address, address, length, length, alignment])])

/** The empty symbol, and a global function of section "somewhere": what counts is that it is not section 0. */
function symbolTable(name: number, address: number, length: number): Buffer {
  const entry = Buffer.alloc(8)
  entry.writeUInt32LE(name, 0)
  entry.writeUInt8(0x12, 4)
  entry.writeUInt16LE(1, 6)
  return Buffer.concat([Buffer.alloc(24), entry, longs([address, length])])
}

/** Two Elf64_Verdef with their names: the library itself and the version of its symbol. */
function versionTable(at: (name: string) => number): Buffer {
  const definition = (flags: number, index: number, name: string, next: number) => {
    const head = Buffer.alloc(8)
    for (const [i, n] of [1, flags, index, 1].entries()) head.writeUInt16LE(n, 2 * i)
    return Buffer.concat([head, words([elfHash(name), 20, next, at(name), 0])])
  }
  return Buffer.concat([definition(1, 1, SONAME, 28), definition(0, 2, VERSION, 0)])
}

interface Tables {
  readonly symbols: number
  readonly hash: number
  readonly versym: number
  readonly verdef: number
  readonly strings: number
  readonly stringsLength: number
  readonly soname: number
}

function dynamicSection(tables: Tables): Buffer {
  const entries = [
    [14, tables.soname],
    [4, tables.hash],
    [5, tables.strings],
    [6, tables.symbols],
    [10, tables.stringsLength],
    [11, 24],
    [0x6ffffff0, tables.versym],
    [0x6ffffffc, tables.verdef],
    [0x6ffffffd, 2],
    [0, 0],
  ]
  return longs(entries.flat())
}

/** The hash of the System V ABI, by which the loader compares the names of versions. */
function elfHash(name: string): number {
  let hash = 0
  for (const byte of Buffer.from(name, 'latin1')) {
    hash = ((hash << 4) + byte) >>> 0
    const high = hash & 0xf0000000
    hash = (hash ^ (high >>> 24)) & ~high & 0xffffffff
  }
  return hash >>> 0
}
