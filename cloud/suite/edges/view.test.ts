import { describe, expect, it } from 'vitest'
import { makeRoot } from '#cloud/platform/certificates/x509.ts'
import { fingerprintOf } from '#cloud/platform/http/root-certificate.ts'
import { brokerView, wireQuality, wireValue } from './view.ts'

describe('a value on the wire', () => {
  it('keeps every digit of a 64-bit integer', () => {
    expect(wireValue(9_007_199_254_740_993n)).toBe('9007199254740993')
    expect(wireValue(-42n)).toBe(-42)
  })

  it('is nothing where the number is none', () => {
    expect([wireValue(Number.NaN), wireValue(Number.POSITIVE_INFINITY), wireValue(null)]).toEqual([null, null, null])
    expect([wireValue(0), wireValue(false), wireValue('')]).toEqual([0, false, ''])
  })

  it('looks stale when its session is, whatever its quality was', () => {
    expect(wireQuality(192, true)).toBe('stale')
    expect([192, 64, 0].map((q) => wireQuality(q as 192, false))).toEqual(['good', 'uncertain', 'bad'])
  })
})

describe('the way of a box to the broker', () => {
  const embedded = { host: '127.0.0.1', port: 1883, url: 'mqtt://127.0.0.1:1883', isExternal: false, tlsPort: 8883 }

  it('names the ports and the root that it must trust', async () => {
    const { certPem: root } = await makeRoot('Andon CA test', Date.now(), 1)
    expect(brokerView({ ...embedded, tlsHost: '0.0.0.0', root })).toEqual({
      ...{ url: null, port: 1883, tlsPort: 8883, isLocal: false, rootFingerprint: fingerprintOf(root) },
    })
  })

  it('says when the ports are open to this machine alone', () => {
    const hosts = ['127.0.0.1', '::1', 'localhost', undefined, '::', '10.0.0.2']
    expect(hosts.map((tlsHost) => brokerView({ ...embedded, tlsHost, root: undefined }).isLocal)).toEqual([
      ...[true, true, true, true, false, false],
    ])
  })

  it('is the address of an external broker, of which no more is known', () => {
    const external = { ...embedded, isExternal: true, url: 'mqtts://mq.plant:8884', tlsPort: undefined }
    expect(brokerView({ ...external, tlsHost: undefined, root: undefined })).toMatchObject({
      ...{ url: 'mqtts://mq.plant:8884', tlsPort: null, isLocal: false, rootFingerprint: null },
    })
  })
})
