import { once } from 'node:events'
import { connect } from 'node:net'
import { MessageChannel } from 'node:worker_threads'
import { afterEach, describe, expect, it } from 'vitest'
import { DomainError } from '#cloud/platform/errors.ts'
import { createMetrics } from '#cloud/platform/metrics/registry.ts'
import type { BucketSeries, LiveTagValue, Pipeline, TagQuery } from '../contract.ts'
import { HistoryTimeoutError } from '../historian/historian.ts'
import { type AnsweringChannel, type AskingChannel, portChannel } from './channel.ts'
import { frame, frameReader } from './frames.ts'
import { createMeter } from './meter.ts'
import { type RemotePipeline, remotePipeline } from './remote.ts'
import { servePipeline } from './serve.ts'
import { type Listening, listenForChannels, openChannel } from './socket.ts'

const SECRET = 'of the installation'
const LOOPBACK = { host: '127.0.0.1', port: 0 }
const eventually = <T>(read: () => T) => expect.poll(read, { timeout: 5000, interval: 5 })

const value = (path: string, v: number): LiveTagValue => ({ path, value: v, quality: 192, sourceAt: v, isStale: false })
const series: BucketSeries = {
  path: 'a',
  bucketMs: 10,
  ...{ at: Float64Array.of(1, 2), first: Float64Array.of(Number.NaN, -0), min: Float64Array.of(1, 2) },
  ...{ max: Float64Array.of(1, 2), last: Float64Array.of(1, 2), minAt: Float64Array.of(1, 2) },
  ...{ maxAt: Float64Array.of(1, 2), lastAt: Float64Array.of(1, 2) },
  ...{ count: Uint32Array.of(1, 2), sum: Float64Array.of(1, 2), mean: Float64Array.of(1, 2) },
  quality: Uint8Array.of(192, 0),
}

/** A pipeline whose answers a test can tell; what it is told to do it notes. */
function scripted() {
  const listeners = new Map<string, Set<(values: readonly LiveTagValue[]) => void>>()
  const asked: unknown[] = []
  let isClosed = false
  const pipeline = {
    mqtt: { host: 'broker', port: 1883, url: 'mqtt://broker:1883' },
    async edges(org: string) {
      if (org === 'taken')
        throw new DomainError('conflict', 'edge.group-taken', 'Taken', [{ path: '/a', message: 'b' }])
      if (org === 'slow') throw new HistoryTimeoutError('too long')
      if (org === 'odd') throw Object.assign(new RangeError('odd'), { code: 'ODD' })
      return new Promise(() => undefined)
    },
    async tags(query: TagQuery) {
      asked.push(query)
      return { items: [], hasMore: true }
    },
    faults: async () => ['a fault'],
    history: {
      buckets: async () => [structuredClone(series)],
      raw: async () => ({
        at: Float64Array.of(1),
        value: [2n ** 64n - 1n],
        quality: Uint8Array.of(64),
        nextCursor: null,
      }),
    },
    live: {
      present: async (paths: string[]) => paths.map((path) => value(path, 0)),
      organisationOf: async (path: string) => {
        asked.push(path)
        return path.startsWith('works/') ? 'org' : undefined
      },
      subscribe(paths: string[], listener: (values: readonly LiveTagValue[]) => void) {
        for (const path of paths) listeners.set(path, (listeners.get(path) ?? new Set()).add(listener))
        return () => {
          for (const path of paths) listeners.get(path)?.delete(listener)
        }
      },
    },
    async close() {
      isClosed = true
    },
  } as unknown as Pipeline
  return {
    ...{ pipeline, asked },
    isClosed: () => isClosed,
    watched: () => [...listeners].filter(([, set]) => set.size > 0).map(([path]) => path),
    change(path: string, v: number) {
      for (const listener of listeners.get(path) ?? []) listener([value(path, v)])
    },
  }
}

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

const LOCAL = { detection: {} as Pipeline['detection'], profile: () => undefined, gaps: async () => [] }

function remoteOver(open: () => Promise<AskingChannel>, more: object = {}) {
  const remote = remotePipeline({ open, local: LOCAL, ...more })
  closers.push(remote.leave)
  return remote
}

const CARRIERS = {
  'a message port': async (serve: (channel: AnsweringChannel) => void) => {
    const { port1, port2 } = new MessageChannel()
    closers.push(() => port1.close())
    serve(portChannel(port1))
    return async () => portChannel(port2) as AskingChannel
  },
  'a socket': async (serve: (channel: AnsweringChannel) => void) => {
    const listening = await listenForChannels({ ...LOOPBACK, secret: SECRET, onChannel: serve })
    closers.push(() => listening.close())
    return () => openChannel(listening.address, SECRET)
  },
}

for (const [name, carrier] of Object.entries(CARRIERS)) {
  describe(`a pipeline over ${name}`, () => {
    async function setUp() {
      const script = scripted()
      const meter = createMeter()
      const counted = new Map<string, number>()
      const open = await carrier((channel) =>
        servePipeline(script.pipeline, channel, { meter, close: () => script.pipeline.close() }),
      )
      const metrics = {
        count: (metric: string, by: number) => void counted.set(metric, (counted.get(metric) ?? 0) + by),
        gauge: (metric: string, by: number) => void counted.set(metric, by),
      }
      const remote = remoteOver(open, { metrics, callTimeoutMs: 300 })
      await remote.ready
      return { ...script, remote, meter, counted }
    }

    it('answers as the pipeline itself: filters, columns, 64-bit numbers', async () => {
      const { remote, asked } = await setUp()
      expect(remote.mqtt.url).toBe('mqtt://broker:1883')
      const query = { org: 'o', devices: new Set(['a/b/c']), limit: 3 }
      expect(await remote.tags(query)).toEqual({ items: [], hasMore: true })
      expect(asked).toEqual([query])
      expect(await remote.history.buckets({ paths: [], from: 0, to: 1, points: 1 })).toEqual([series])
      expect((await remote.history.raw({ path: '', from: 0, to: 1, limit: 1 })).value).toEqual([2n ** 64n - 1n])
      expect(await remote.faults()).toEqual(['a fault'])
    })

    it('refuses as the pipeline itself, by class, name and code', async () => {
      const { remote } = await setUp()
      const refusal = await remote.edges('taken').catch((error) => error)
      expect(refusal).toBeInstanceOf(DomainError)
      expect(refusal).toMatchObject({
        kind: 'conflict',
        code: 'edge.group-taken',
        faults: [{ path: '/a', message: 'b' }],
      })
      await expect(remote.edges('slow')).rejects.toBeInstanceOf(HistoryTimeoutError)
      await expect(remote.edges('odd')).rejects.toMatchObject({ name: 'RangeError', code: 'ODD', message: 'odd' })
    })

    it('gives up a call that is not answered, and says that it took too long', async () => {
      const { remote } = await setUp()
      await expect(remote.edges('never')).rejects.toMatchObject({
        ...{ kind: 'unavailable', code: 'pipeline.timeout', message: expect.stringContaining('0.3 s') },
      })
    })

    it('asks once for a tag that several look at, and ends with the last of them', async () => {
      const { remote, watched, change } = await setUp()
      const heard: string[] = []
      const ends = ['x', 'y'].map((who) =>
        remote.live.subscribe(['a', 'b'], (values) => heard.push(...values.map((v) => `${who} ${v.path} ${v.value}`))),
      )
      await eventually(watched).toEqual(['a', 'b'])
      change('a', 1)
      await eventually(() => heard.sort()).toEqual(['x a 1', 'y a 1'])
      ends[0]?.()
      change('b', 2)
      await eventually(() => heard).toContain('y b 2')
      expect(heard).not.toContain('x b 2')
      ends[1]?.()
      await eventually(watched).toEqual([])
    })

    it('tells a slow reader the newest value of each tag', async () => {
      const { remote, watched, change } = await setUp()
      const heard: unknown[] = []
      remote.live.subscribe(['a'], (values) => heard.push(...values.map((v) => v.value)))
      await eventually(watched).toEqual(['a'])
      // The reader is in this very thread: it cannot take anything before the loop ends, which is what slow means.
      change('a', 0)
      await new Promise(setImmediate)
      for (let i = 1; i <= 1000; i++) change('a', i)
      await eventually(() => heard.at(-1)).toBe(1000)
      expect(heard.length).toBeLessThanOrEqual(3)
    })

    it('counts what the pipeline counts', async () => {
      const { meter, counted } = await setUp()
      meter.count('messages_total', 2)
      meter.gauge('waiting', 5)
      await eventually(() => [...counted]).toEqual([
        ['messages_total', 2],
        ['waiting', 5],
      ])
      meter.count('messages_total', 1)
      await eventually(() => counted.get('messages_total')).toBe(3)
    })

    it('tells gauges with the labels of its own, until it is left', async () => {
      const script = scripted()
      const registry = createMetrics()
      const meters = [createMeter(), createMeter()]
      const remotes: RemotePipeline[] = []
      for (const [i, meter] of meters.entries()) {
        const open = await carrier((channel) => servePipeline(script.pipeline, channel, { meter }))
        remotes.push(remoteOver(open, { metrics: registry, labels: { member: String(i) } }))
        meter.gauge('waiting', i + 5)
        meter.count('messages_total', 2)
      }
      const lines = () =>
        registry
          .text()
          .split('\n')
          .filter((line) => !line.startsWith('#') && line !== '')
      await eventually(() => lines().sort()).toEqual([
        'andon_messages_total 4',
        'andon_waiting{member="0"} 5',
        'andon_waiting{member="1"} 6',
      ])
      remotes[0]?.leave()
      expect(lines()).toEqual(['andon_waiting{member="1"} 6', 'andon_messages_total 4'])
    })

    it('asks once for the organisation of a group, again while it is unknown', async () => {
      const { remote, asked } = await setUp()
      const owners = ['works/a', 'works/b', 'new/a', 'new/a'].map((path) => () => remote.live.organisationOf(path))
      const told: unknown[] = []
      for (const ask of owners) told.push(await ask())
      expect(told).toEqual(['org', 'org', undefined, undefined])
      expect(asked).toEqual(['works/a', 'new/a', 'new/a'])
    })

    it('closes the pipeline for the one who may', async () => {
      const { remote, isClosed } = await setUp()
      await remote.close()
      expect(isClosed()).toBe(true)
    })
  })
}

describe('a way that is lost', () => {
  it('fails calls at once, shows values stale, and comes back with its subscriptions', async () => {
    const script = scripted()
    const serve = (channel: AnsweringChannel) => servePipeline(script.pipeline, channel)
    const listen = (port: number) => listenForChannels({ ...LOOPBACK, port, secret: SECRET, onChannel: serve })
    let listening: Listening = await listen(0)
    closers.push(() => listening.close())
    const { address } = listening
    const remote = remoteOver(() => openChannel(address, SECRET))
    await remote.ready
    const heard: string[] = []
    remote.live.subscribe(['a'], (values) => heard.push(...values.map((v) => `${v.value} ${v.isStale}`)))
    await eventually(script.watched).toEqual(['a'])
    script.change('a', 1)
    await eventually(() => heard).toEqual(['1 false'])
    const open = remote.edges('never')
    await Promise.all([listening.close(), expect(open).rejects.toMatchObject({ code: 'pipeline.away' })])
    await eventually(() => heard).toEqual(['1 false', '1 true'])
    await expect(remote.tag('a')).rejects.toMatchObject({ kind: 'unavailable', code: 'pipeline.away' })
    expect(await remote.faults()).toEqual([expect.stringContaining('cannot be reached')])
    listening = await listen(address.port)
    await eventually(() => heard).toEqual(['1 false', '1 true', '0 false'])
    script.change('a', 2)
    await eventually(() => heard.at(-1)).toBe('2 false')
  })

  it('lets nobody in who does not know the secret', async () => {
    const channels: unknown[] = []
    const listening = await listenForChannels({ ...LOOPBACK, secret: SECRET, onChannel: (one) => channels.push(one) })
    closers.push(() => listening.close())
    await expect(openChannel(listening.address, 'another')).rejects.toThrow()
    const plain = connect(listening.address)
    plain.write(frame({ kind: 'call', id: 1, name: 'close', args: [] }))
    await once(plain, 'close')
    expect(channels).toEqual([])
  })
})

describe('frames', () => {
  it('are put together whatever the pieces', () => {
    const messages = [1, 'a', { list: [1n, Float64Array.of(1, 2)] }, 'x'.repeat(1000)]
    const bytes = Buffer.concat(messages.map(frame))
    for (const size of [1, 3, 7, 500, bytes.length]) {
      const heard: unknown[] = []
      const read = frameReader((message) => heard.push(message))
      for (let at = 0; at < bytes.length; at += size) read(bytes.subarray(at, at + size))
      expect(heard).toEqual(messages)
    }
  })

  it('refuse a length that is none', () => {
    expect(() => frameReader(() => undefined)(Buffer.alloc(8, 0xff))).toThrow('none of ours')
  })
})
