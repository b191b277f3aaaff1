import { describe, expect, it } from 'vitest'
import { FrameError } from './frame.ts'
import {
  checkWriteReply,
  ModbusException,
  readReply,
  readRequest,
  writeCoilsRequest,
  writeRegistersRequest,
} from './pdu.ts'

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex')

describe('a Modbus request', () => {
  it('has the bytes of the examples in the standard, chapter 6', () => {
    expect(readRequest('coil', 0x13, 0x13)).toEqual(hex('01 0013 0013'))
    expect(readRequest('discrete', 0xc4, 0x16)).toEqual(hex('02 00C4 0016'))
    expect(readRequest('holding', 0x6b, 3)).toEqual(hex('03 006B 0003'))
    expect(readRequest('input', 8, 1)).toEqual(hex('04 0008 0001'))
    expect(writeCoilsRequest(0xac, [true])).toEqual(hex('05 00AC FF00'))
    expect(writeRegistersRequest(1, [3])).toEqual(hex('06 0001 0003'))
    const coils = [1, 0, 1, 1, 0, 0, 1, 1, 1, 0].map((bit) => bit === 1)
    expect(writeCoilsRequest(0x13, coils)).toEqual(hex('0F 0013 000A 02 CD01'))
    expect(writeRegistersRequest(1, [0x0a, 0x0102])).toEqual(hex('10 0001 0002 04 000A 0102'))
  })
})

describe('a Modbus reply', () => {
  it('gives its data when it fits the request', () => {
    expect(readReply(hex('03 006B 0003'), hex('03 06 022B 0000 0064'))).toEqual(hex('022B 0000 0064'))
    expect(readReply(hex('01 0013 0013'), hex('01 03 CD6B05'))).toEqual(hex('CD6B05'))
  })

  it('is an exception when the device refused', () => {
    expect(() => readReply(hex('03 006B 0003'), hex('83 02'))).toThrow(ModbusException)
  })

  it('is refused when function, length or echo do not fit', () => {
    expect(() => readReply(hex('03 006B 0003'), hex('04 06 022B 0000 0064'))).toThrow(FrameError)
    expect(() => readReply(hex('03 006B 0003'), hex('03 04 022B 0000'))).toThrow(FrameError)
    expect(() => readReply(hex('03 006B 0003'), hex('03'))).toThrow(FrameError)
    expect(() => checkWriteReply(hex('06 0001 0003'), hex('06 0001 0004'))).toThrow(FrameError)
    expect(checkWriteReply(hex('10 0001 0002 04 000A 0102'), hex('10 0001 0002'))).toBeUndefined()
  })
})
