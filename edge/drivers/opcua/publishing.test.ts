import { describe, expect, it } from 'vitest'
import type { Acknowledged, Message, Publication } from './connection.ts'
import { createPublishing } from './publishing.ts'

const ID = 7
const message = (sequence: number, ...values: number[]): Message => ({
  sequence,
  isKeepAlive: values.length === 0,
  conditions: [],
  changes: values.map((value) => ({
    clientHandle: 0,
    value: { value: { dataType: 11, arrayType: 0, value }, statusCode: { value: 0, name: 'Good' } },
  })),
})

/** The server's side of a session as a script: what it publishes, and what it still has for those who missed it. */
function scripted(kept: readonly Message[] = []) {
  const waiting: PromiseWithResolvers<Publication>[] = []
  const acknowledged: Acknowledged[] = []
  const happened: unknown[] = []
  const publishing = createPublishing({
    session: {
      publish: (given) => {
        acknowledged.push(...given)
        const request = Promise.withResolvers<Publication>()
        waiting.push(request)
        return request.promise
      },
      republish: async (_, sequence) => {
        const found = kept.find((one) => one.sequence === sequence)
        if (!found) throw new Error('serviceResult = BadMessageNotAvailable (0x807b0000)')
        return found
      },
    },
    onMessage: ({ changes }) => happened.push(...changes.map(({ value }) => value.value?.value)),
    onSign: () => undefined,
    onFault: (fault) => happened.push(fault),
  })
  publishing.add(ID)
  const settle = () => new Promise(setImmediate)
  return {
    publishing,
    happened,
    acknowledged,
    waiting,
    async gives(...messages: Message[]) {
      for (const one of messages) waiting.shift()?.resolve({ subscription: ID, message: one })
      await settle()
    },
    async fails(text: string) {
      waiting.shift()?.reject(new Error(text))
      await settle()
    },
  }
}

describe('the messages of a subscription', () => {
  it('are taken in order and acknowledged, keep-alives not', async () => {
    const server = scripted()
    await server.gives(message(1, 10), message(2, 20, 21))
    await server.gives(message(3), message(3, 30))
    expect(server.happened).toEqual([10, 20, 21, 30])
    await server.gives(message(4))
    expect(server.acknowledged.map(({ sequence }) => sequence)).toEqual([1, 2, 3])
  })

  it('that are missing are fetched before the next one is taken', async () => {
    const server = scripted([message(2, 20), message(3, 30)])
    await server.gives(message(1, 10), message(4, 40))
    await server.gives(message(5, 50))
    expect(server.happened).toEqual([10, 20, 30, 40, 50])
  })

  it('that a keep-alive shows to be missing are fetched as well', async () => {
    const server = scripted([message(2, 20)])
    await server.gives(message(1, 10), message(3))
    expect(server.happened).toEqual([10, 20])
  })

  it('that the server has no more are told as missed before what came after them', async () => {
    const server = scripted([message(2, 20)])
    await server.gives(message(1, 10), message(4, 40))
    expect(server.happened).toEqual([10, 20, 'missed', 40])
  })

  it('are taken once when one that was fetched arrives late', async () => {
    const server = scripted([message(2, 20)])
    await server.gives(message(1, 10), message(3, 30))
    await server.gives(message(2, 20), message(4, 40))
    expect(server.happened).toEqual([10, 20, 30, 40])
  })

  it('go on when their numbers wrap', async () => {
    const server = scripted()
    await server.gives(message(2 ** 32 - 1, 10), message(1, 20))
    expect(server.happened).toEqual([10, 20])
  })

  it('are waited for by two requests more than there are subscriptions', async () => {
    const server = scripted()
    server.publishing.add(8)
    expect(server.waiting.length).toBe(4)
    await server.gives(message(1, 10))
    expect(server.waiting.length).toBe(4)
  })

  it.each([
    ['serviceResult = BadNoSubscription (0x80790000)', 'subscription-ended'],
    ['serviceResult = BadSessionIdInvalid (0x80250000)', 'session-ended'],
  ])('stop with a fault that names what is gone: %s', async (text, fault) => {
    const server = scripted()
    await server.fails(text)
    expect(server.happened).toEqual([fault])
  })
})
