import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { type WebSocket as ServerSocket, WebSocketServer } from 'ws'
import type { ClientMessage, ServerMessage, StreamEvent } from '#shared/contracts/stream.ts'
import { openStream, type StreamClient } from './stream-client.ts'

const cleanups: (() => void)[] = []
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup()
})

/** A server that hands each connection and each message to the test. */
async function server(port = 0) {
  const wss = new WebSocketServer({ host: '127.0.0.1', port })
  await once(wss, 'listening')
  const waiting: ((socket: ServerSocket) => void)[] = []
  const arrived: ServerSocket[] = []
  const inbox = new Map<ServerSocket, ClientMessage[]>()
  const wake = new Map<ServerSocket, () => void>()
  wss.on('connection', (socket) => {
    inbox.set(socket, [])
    socket.on('message', (data) => {
      inbox.get(socket)?.push(JSON.parse(String(data)) as ClientMessage)
      wake.get(socket)?.()
    })
    const waiter = waiting.shift()
    if (waiter) waiter(socket)
    else arrived.push(socket)
  })
  cleanups.push(() => {
    for (const socket of wss.clients) socket.terminate()
    wss.close()
  })
  return {
    port: (wss.address() as AddressInfo).port,
    connection: () => {
      const socket = arrived.shift()
      return socket ? Promise.resolve(socket) : new Promise<ServerSocket>((resolve) => waiting.push(resolve))
    },
    async message(socket: ServerSocket, type: ClientMessage['type']): Promise<ClientMessage> {
      for (;;) {
        const queue = inbox.get(socket) ?? []
        const index = queue.findIndex((m) => m.type === type)
        if (index >= 0) return queue.splice(index, 1)[0]!
        await new Promise<void>((resolve) => wake.set(socket, resolve))
      }
    },
  }
}

const say = (socket: ServerSocket, message: ServerMessage) => socket.send(JSON.stringify(message))
const hello = (seq: number): ServerMessage => ({ type: 'hello', seq, now: '2026-01-01T00:00:00.000Z' })
const event = (seq: number): StreamEvent => ({
  type: 'event',
  seq,
  id: `00000000-0000-7000-8000-${String(seq).padStart(12, '0')}`,
  event: 'alarm.changed',
  topics: ['alarms'],
  at: '2026-01-01T00:00:00.000Z',
  recordId: null,
  causeId: null,
  data: {},
})

function open(port: number, extra: { silenceMs?: number } = {}) {
  const events: number[] = []
  let resyncs = 0
  const waiters: (() => void)[] = []
  const told = () => {
    for (const waiter of waiters.splice(0)) waiter()
  }
  const client: StreamClient = openStream({
    url: `ws://127.0.0.1:${port}/`,
    retryMs: 5,
    random: () => 0,
    onEvent: (e) => {
      events.push(e.seq)
      told()
    },
    onResync: () => {
      resyncs += 1
      told()
    },
    ...extra,
  })
  cleanups.push(client.close)
  client.onState(told)
  const until = async (fact: () => boolean) => {
    while (!fact()) await new Promise<void>((resolve) => waiters.push(resolve))
  }
  return { client, events, until, resyncs: () => resyncs, told }
}

describe('the stream client', () => {
  it('subscribes what is wanted once the server has said hello, after the number it named', async () => {
    const s = await server()
    const { client } = open(s.port)
    client.subscribe(['alarms', 'incidents'])
    const socket = await s.connection()
    say(socket, hello(7))
    expect(await s.message(socket, 'subscribe')).toEqual({
      type: 'subscribe',
      topics: ['alarms', 'incidents'],
      after: 7,
    })
  })

  it('resumes after the last event that it saw and handles none twice', async () => {
    const s = await server()
    const { client, events, until } = open(s.port)
    client.subscribe(['alarms'])
    const first = await s.connection()
    say(first, hello(0))
    say(first, event(1))
    say(first, event(2))
    await until(() => events.length === 2)
    first.terminate()
    await until(() => client.state().status === 'lost')
    const second = await s.connection()
    say(second, hello(4))
    expect(await s.message(second, 'subscribe')).toEqual({ type: 'subscribe', topics: ['alarms'], after: 2 })
    for (const seq of [2, 3, 4]) say(second, event(seq))
    await until(() => events.length === 4)
    expect(events).toEqual([1, 2, 3, 4])
    expect(client.state()).toMatchObject({ status: 'live', caughtUp: 2 })
  })

  it('reads everything again when the server can no longer resume', async () => {
    const s = await server()
    const { client, events, until, resyncs } = open(s.port)
    client.subscribe(['alarms'])
    const socket = await s.connection()
    say(socket, hello(1))
    say(socket, { type: 'resync', seq: 9000 })
    await until(() => resyncs() === 1)
    socket.terminate()
    const next = await s.connection()
    say(next, hello(9000))
    expect(await s.message(next, 'subscribe')).toMatchObject({ after: 9000 })
    expect(events).toEqual([])
  })

  it('asks for all watched tags in one message and keeps the newest value of each', async () => {
    const s = await server()
    const { client } = open(s.port)
    const socket = await s.connection()
    say(socket, hello(0))
    await s.message(socket, 'values')
    const changed = new Promise<void>((resolve) => {
      client.watch('g/e/d/a', () => undefined)
      client.watch('g/e/d/b', resolve)
    })
    expect(await s.message(socket, 'values')).toEqual({ type: 'values', paths: ['g/e/d/a', 'g/e/d/b'] })
    const item = (value: number) => ({ path: 'g/e/d/b', value, quality: 'good' as const, sourceAt: null })
    say(socket, { type: 'values', items: [item(1), item(2)] })
    await changed
    expect(client.valueOf('g/e/d/b')?.value).toBe(2)
  })

  it('stops asking for a tag when the last screen that shows it has gone', async () => {
    const s = await server()
    const { client } = open(s.port)
    const socket = await s.connection()
    say(socket, hello(0))
    await s.message(socket, 'values')
    const stopOne = client.watch('g/e/d/a', () => undefined)
    const stopTwo = client.watch('g/e/d/a', () => undefined)
    expect(await s.message(socket, 'values')).toEqual({ type: 'values', paths: ['g/e/d/a'] })
    stopOne()
    stopTwo()
    expect(await s.message(socket, 'values')).toEqual({ type: 'values', paths: [] })
  })

  it('gives up a link that has gone silent and connects again', async () => {
    const s = await server()
    const { client, until } = open(s.port, { silenceMs: 30 })
    const first = await s.connection()
    say(first, hello(0))
    await until(() => client.state().status === 'lost')
    const second = await s.connection()
    say(second, hello(0))
    await until(() => client.state().status === 'live')
    expect(second).not.toBe(first)
  })

  it('connects to a server that starts later', async () => {
    const gone = await server()
    const port = gone.port
    cleanups.splice(0).forEach((cleanup) => {
      cleanup()
    })
    const { client, until } = open(port)
    await until(() => client.state().status === 'lost')
    const s = await server(port)
    say(await s.connection(), hello(3))
    await until(() => client.state().status === 'live')
    expect(client.state().lastAt).not.toBeNull()
  })
})
