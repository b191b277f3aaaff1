import { PayloadError } from './payload-error.ts'
import { decodeText } from './text.ts'

/** Reads protobuf from bytes that nobody can trust: every read is checked, every fault is a PayloadError. */
export class WireReader {
  /** The two halves of the last varint. */
  low = 0
  high = 0
  /** Over all of the bytes. */
  readonly view: DataView
  #at: number
  #end: number
  readonly #bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#at = 0
    this.#end = bytes.length
  }

  get at(): number {
    return this.#at
  }

  /** Goes on at a place that the caller has checked. */
  moveTo(at: number): void {
    this.#at = at
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#end
  }

  /** Steps into length-delimited content: isAtEnd then means its end. Answers what leave() needs. */
  enter(): number {
    const length = this.number()
    const outer = this.#end
    if (length > outer - this.#at) throw new PayloadError('The payload ends inside a field')
    this.#end = this.#at + length
    return outer
  }

  /** Steps out of content that was read to its end. */
  leave(outer: number): void {
    this.#end = outer
  }

  /** Reads a varint of up to 64 bits into low and high. */
  varint(): void {
    const byte = this.#bytes[this.#at]
    if (byte !== undefined && byte < 0x80 && this.#at < this.#end) {
      this.#at += 1
      this.low = byte
      this.high = 0
      return
    }
    this.#longVarint()
  }

  #longVarint(): void {
    let low = 0
    let high = 0
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.#byte()
      const bits = byte & 0x7f
      if (shift < 28) low |= bits << shift
      else if (shift === 28) {
        low |= bits << 28
        high = bits >> 4
      } else if (shift < 63) high |= bits << (shift - 32)
      else high |= bits << 31
      if (byte < 0x80) {
        this.low = low >>> 0
        this.high = high >>> 0
        return
      }
    }
    throw new PayloadError('A number is longer than ten bytes')
  }

  /** A varint as number; beyond 2^53 it is rounded. */
  number(): number {
    this.varint()
    return this.high * 0x100000000 + this.low
  }

  /** A varint as unsigned 64 bits, exact. */
  bits64(): bigint {
    this.varint()
    return (BigInt(this.high) << 32n) | BigInt(this.low)
  }

  /** A field's key: number × 8 + wire type. @throws PayloadError for field 0 or one beyond 2^29. */
  key(): number {
    this.varint()
    if (this.high !== 0 || this.low < 8) throw new PayloadError('Not a protobuf field')
    return this.low
  }

  float(): number {
    const at = this.#take(4)
    return this.view.getFloat32(at, true)
  }

  double(): number {
    const at = this.#take(8)
    return this.view.getFloat64(at, true)
  }

  /** Length-delimited content, without copying it. */
  slice(): Uint8Array {
    const length = this.number()
    const at = this.#take(length)
    return this.#bytes.subarray(at, at + length)
  }

  text(): string {
    return decodeText(this.slice())
  }

  /** Steps over a field that nobody reads. */
  skip(key: number): void {
    switch (key & 7) {
      case 0:
        this.varint()
        return
      case 1:
        this.#take(8)
        return
      case 2:
        this.slice()
        return
      case 5:
        this.#take(4)
        return
      default:
        throw new PayloadError(`Wire type ${key & 7} is not used by Sparkplug`)
    }
  }

  #byte(): number {
    const byte = this.#bytes[this.#at]
    if (byte === undefined || this.#at >= this.#end) throw new PayloadError('The payload ends inside a field')
    this.#at += 1
    return byte
  }

  #take(length: number): number {
    const at = this.#at
    if (length > this.#end - at) throw new PayloadError('The payload ends inside a field')
    this.#at += length
    return at
  }
}
