/** Writes protobuf into a growing buffer. */
export class WireWriter {
  #bytes: Uint8Array
  #view: DataView
  #at = 0

  constructor(sizeBytes = 512) {
    this.#bytes = new Uint8Array(sizeBytes)
    this.#view = new DataView(this.#bytes.buffer)
  }

  /** A copy of what was written. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#at)
  }

  /** A varint of a whole number from 0 to 2^53. */
  varint(value: number): void {
    this.#reserve(10)
    let rest = value
    for (; rest > 0x7fffffff; rest = Math.floor(rest / 128)) this.#bytes[this.#at++] = (rest % 128) | 0x80
    for (; rest > 0x7f; rest >>>= 7) this.#bytes[this.#at++] = (rest & 0x7f) | 0x80
    this.#bytes[this.#at++] = rest
  }

  /** A varint of 64 bits; negative numbers as two's complement. */
  varint64(value: bigint): void {
    const bits = BigInt.asUintN(64, value)
    if (bits <= MAX_SAFE) {
      this.varint(Number(bits))
      return
    }
    this.#reserve(10)
    let rest = bits
    for (; rest > 0x7fn; rest >>= 7n) this.#bytes[this.#at++] = Number(rest & 0x7fn) | 0x80
    this.#bytes[this.#at++] = Number(rest)
  }

  float(value: number): void {
    this.#reserve(4)
    this.#view.setFloat32(this.#at, value, true)
    this.#at += 4
  }

  double(value: number): void {
    this.#reserve(8)
    this.#view.setFloat64(this.#at, value, true)
    this.#at += 8
  }

  /** Length and UTF-8 bytes of a text. */
  text(value: string): void {
    this.#reserve(value.length * 3 + 5)
    const start = this.#at
    const { written } = UTF8.encodeInto(value, this.#bytes.subarray(start + 1))
    this.#at = start + 1 + written
    this.#putLength(start, written)
  }

  bytes(value: Uint8Array): void {
    this.varint(value.length)
    this.#reserve(value.length)
    this.#bytes.set(value, this.#at)
    this.#at += value.length
  }

  /** Begins a nested message. Answers what end() needs. */
  begin(): number {
    this.#reserve(1)
    return this.#at++
  }

  /** Ends a nested message: its length goes before it. */
  end(start: number): void {
    this.#putLength(start, this.#at - start - 1)
  }

  /** Puts a length before content that left one byte free for it, moving the content when one byte is too few. */
  #putLength(start: number, length: number): void {
    if (length < 0x80) {
      this.#bytes[start] = length
      return
    }
    const size = length < 0x4000 ? 2 : length < 0x200000 ? 3 : 5
    this.#reserve(size)
    this.#bytes.copyWithin(start + size, start + 1, this.#at)
    let rest = length
    for (let i = 0; i < size - 1; i++, rest = Math.floor(rest / 128)) this.#bytes[start + i] = (rest % 128) | 0x80
    this.#bytes[start + size - 1] = rest
    this.#at += size - 1
  }

  #reserve(size: number): void {
    if (this.#at + size <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#at + size))
    grown.set(this.#bytes.subarray(0, this.#at))
    this.#bytes = grown
    this.#view = new DataView(grown.buffer)
  }
}

const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER)
const UTF8 = new TextEncoder()
