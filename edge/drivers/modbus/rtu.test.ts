import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readRequest } from './pdu.ts'
import { crc16, encodeRtu, findReply } from './rtu.ts'
import { withCrc } from './testing/scripted-server.ts'

const request = { unit: 17, pdu: readRequest('holding', 0x6b, 3) }
const reply = withCrc(Buffer.from([17, 3, 6, 0xae, 0x41, 0x56, 0x52, 0x43, 0x40]))
const data = reply.subarray(1, -2)

describe('an RTU frame', () => {
  it('carries the CRC of the standard, low byte first', () => {
    expect(crc16(Buffer.from('123456789'))).toBe(0x4b37)
    expect(encodeRtu(1, Buffer.from([3, 0, 0, 0, 10])).toString('hex')).toBe('01030000000ac5cd')
  })
})

describe('the reply among the bytes of a line', () => {
  it('is found whatever the pieces it comes in', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: reply.length }), (size) => {
        let rest: Buffer = Buffer.alloc(0)
        for (let at = 0; at < reply.length; at += size) {
          const found = findReply(Buffer.concat([rest, reply.subarray(at, at + size)]), request)
          rest = Buffer.from(found.rest)
          if (at + size >= reply.length) expect(found.reply).toEqual(data)
          else expect(found.reply).toBeUndefined()
        }
      }),
    )
  })

  it('is found behind any garbage that is not itself a frame of the request, in whatever pieces', () => {
    const noise = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes.filter((byte) => byte !== 17)))
    fc.assert(
      fc.property(noise, (garbage) => {
        expect(findReply(Buffer.concat([garbage, reply]), request).reply).toEqual(data)
      }),
    )
  })

  it.each([
    ['another unit', withCrc(Buffer.concat([Buffer.of(9), data]))],
    ['another function', withCrc(Buffer.concat([Buffer.of(17, 4), data.subarray(1)]))],
    ['another length', withCrc(Buffer.from([17, 3, 2, 1, 2]))],
  ])('is not a whole frame of %s, which is a stray', (_, other) => {
    const found = findReply(Buffer.concat([other, reply]), request)
    expect(found.reply).toEqual(data)
    expect(found.strays).toEqual([other[0]])
  })

  it('is not one whose CRC is wrong', () => {
    const broken = Buffer.from(reply)
    broken[4] = (broken[4] ?? 0) ^ 1
    expect(findReply(broken, request).reply).toBeUndefined()
    expect(findReply(Buffer.concat([broken, reply]), request).reply).toEqual(data)
  })

  it('may be an exception', () => {
    expect(findReply(withCrc(Buffer.from([17, 0x83, 2])), request).reply).toEqual(Buffer.from([0x83, 2]))
  })

  it.each([
    [5, [17, 5, 0, 1, 0xff, 0]],
    [6, [17, 6, 0, 1, 0, 3]],
    [15, [17, 15, 0, 1, 0, 3]],
    [16, [17, 16, 0, 1, 0, 2]],
    [22, [17, 22, 0, 4, 0, 0xf2, 0, 0x25]],
  ])('to function %i repeats the request', (_, bytes) => {
    const frame = withCrc(Buffer.from(bytes))
    const pdu = Buffer.from(bytes.slice(1))
    expect(findReply(frame, { unit: 17, pdu }).reply).toEqual(pdu)
  })

  it('never grows what is kept beyond the longest frame', () => {
    expect(findReply(Buffer.alloc(5000, 3), request).rest.length).toBeLessThanOrEqual(256)
  })
})
