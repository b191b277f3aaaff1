import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { missingBefore, nextBdSeq, nextSeq } from './session.ts'
import { formatTopic, isTopicId, parseTopic, type SparkplugTopic } from './topics.ts'

const id = fc.string({ minLength: 1, maxLength: 20 }).filter(isTopicId)
const topicArb: fc.Arbitrary<SparkplugTopic> = fc.oneof(
  fc.record({ message: fc.constantFrom('NBIRTH', 'NDATA', 'NDEATH', 'NCMD'), group: id, edge: id }),
  fc.record({ message: fc.constantFrom('DBIRTH', 'DDATA', 'DDEATH', 'DCMD'), group: id, edge: id, device: id }),
  fc.record({ message: fc.constant('STATE'), host: id }),
)

describe('a Sparkplug topic', () => {
  it('comes back as it went', () => {
    fc.assert(
      fc.property(topicArb, (topic) => {
        expect(parseTopic(formatTopic(topic))).toEqual(topic)
      }),
    )
  })

  it.each([
    'spBv1.0',
    'spBv1.0/STATE',
    'spBv1.0/STATE/a/b',
    'spAv1.0/g/NBIRTH/e',
    'spBv1.0/g/NBIRTH/e/d',
    'spBv1.0/g/DBIRTH/e',
    'spBv1.0/g/XDATA/e',
    'spBv1.0//NBIRTH/e',
    'spBv1.0/g/NBIRTH/',
    'spBv1.0/g/DDATA/e/d/x',
    'spBv1.0/+/NBIRTH/e',
  ])('is not %s', (topic) => {
    expect(parseTopic(topic)).toBeUndefined()
  })

  it('takes no id with a wildcard or a slash', () => {
    for (const group of ['', 'a/b', '+', '#', 'a\u0000'])
      expect(() => formatTopic({ message: 'NDATA', group, edge: 'e' })).toThrow(RangeError)
  })
})

describe('the sequence', () => {
  it('wraps after 255', () => {
    expect([nextSeq(0), nextSeq(254), nextSeq(255)]).toEqual([1, 255, 0])
    expect([nextBdSeq(0), nextBdSeq(255)]).toEqual([1, 0])
  })

  it('tells how many messages are missing', () => {
    expect([missingBefore(3, 4), missingBefore(255, 0), missingBefore(250, 1), missingBefore(3, 5)]).toEqual([
      0, 0, 6, 1,
    ])
  })
})
