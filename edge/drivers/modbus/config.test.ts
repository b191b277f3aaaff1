import { describe, expect, it } from 'vitest'
import { checkModbus, type ModbusConfig } from './config.ts'

const BASE = { port: 502, unit: 1, timeoutMs: 1000, connectTimeoutMs: 3000 }
const part = (of: Partial<ModbusConfig>): ModbusConfig => ({ ...BASE, ...of })
const serial = { path: '/dev/ttyUSB0', baud: 9600, parity: 'none', dataBits: 8, stopBits: 1 } as const
const keys = (parts: readonly (ModbusConfig | undefined)[]) => checkModbus(parts).map(({ index, key }) => [index, key])

describe('the modbus parts of a file', () => {
  it('say where each device is, in one way', () => {
    expect(keys([part({ host: 'a' }), undefined, part({ serial })])).toEqual([])
    expect(keys([part({}), part({ host: 'a', serial })])).toEqual([
      [0, ''],
      [1, 'serial'],
    ])
  })

  it('have one request under way where there is no transaction number', () => {
    expect(keys([part({ serial, inFlight: 2 }), part({ host: 'a', transport: 'rtu-over-tcp', inFlight: 2 })])).toEqual([
      [0, 'inFlight'],
      [1, 'inFlight'],
    ])
    expect(keys([part({ host: 'a', inFlight: 8 })])).toEqual([])
  })

  it('say the same of a link that several devices share', () => {
    expect(keys([part({ serial }), part({ serial: { ...serial, baud: 19_200 } })])).toEqual([[1, 'serial']])
    expect(keys([part({ host: 'a' }), part({ host: 'a', transport: 'tcp', inFlight: 1 })])).toEqual([])
    expect(keys([part({ host: 'a' }), part({ host: 'a', inFlight: 2 })])).toEqual([[1, 'transport']])
    expect(keys([part({ host: 'a' }), part({ host: 'b', inFlight: 2 })])).toEqual([])
  })
})
