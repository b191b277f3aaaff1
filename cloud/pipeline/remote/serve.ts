import { randomUUID } from 'node:crypto'
import type { LiveTagValue, LiveValues, Pipeline } from '../contract.ts'
import type { AnsweringChannel } from './channel.ts'
import type { FannedValues } from './fanned-values.ts'
import type { Calls, Question } from './messages.ts'
import type { Meter } from './meter.ts'
import { packError } from './packed-error.ts'

const READINGS_EVERY_MS = 1000

/** Names this life of the process, so that the other end knows a new one. */
const INSTANCE = randomUUID()

export interface ServeOptions {
  /** Counts to be told every second. */
  readonly meter?: Meter
  /** Closes the pipeline for the other end; absent: it may not. */
  readonly close?: () => Promise<void>
  /** Takes values to whoever wants them by the fan-out. */
  readonly fanned?: FannedValues | undefined
}

/** Answers what comes over the channel from the pipeline, until the channel ends. */
export function servePipeline(pipeline: Pipeline, channel: AnsweringChannel, options: ServeOptions = {}): void {
  const calls = callsOf(pipeline, options)
  const watched = watchedValues(pipeline.live, (values) => channel.send({ kind: 'values', values }))
  const fanned = ownPart(options.fanned)
  const { meter } = options
  const tell = meter && (() => channel.send({ kind: 'readings', readings: meter.readings() }))
  const telling = tell && setInterval(tell, READINGS_EVERY_MS).unref()
  channel.send({ kind: 'hello', instance: INSTANCE, mqtt: pipeline.mqtt })
  channel.onMessage((question) => {
    if (question.kind === 'call') void answer(calls, channel, question)
    else if (question.kind === 'more') watched.more()
    else watchOrNot(question.isFanned && options.fanned ? fanned : watched, question)
  })
  channel.onEnd(() => {
    clearInterval(telling)
    watched.close()
    fanned.close()
  })
}

function watchOrNot(
  values: Pick<FannedValues, 'add' | 'remove'>,
  { kind, paths }: { kind: 'watch' | 'unwatch'; paths: readonly string[] },
) {
  if (kind === 'watch') values.add(paths)
  else values.remove(paths)
}

/** What one channel looks at by the fan-out: each tag once, and nothing any more when the channel ends. */
function ownPart(shared: FannedValues | undefined) {
  const own = new Set<string>()
  const remove = (paths: readonly string[]) => shared?.remove(paths.filter((path) => own.delete(path)))
  return {
    add(paths: readonly string[]) {
      const fresh = paths.filter((path) => !own.has(path))
      for (const path of fresh) own.add(path)
      shared?.add(fresh)
    },
    remove,
    close: () => remove([...own]),
  }
}

function callsOf(pipeline: Pipeline, { close }: ServeOptions): Calls {
  const { history, live } = pipeline
  return {
    edges: pipeline.edges,
    devices: pipeline.devices,
    tags: pipeline.tags,
    tag: pipeline.tag,
    registerEdge: pipeline.registerEdge,
    command: pipeline.command,
    faults: pipeline.faults,
    buckets: (query) => history.buckets(query),
    raw: (query) => history.raw(query),
    last: (paths, before) => history.last(paths, before),
    retention: (paths) => history.retention(paths),
    present: (paths) => live.present(paths),
    organisationOf: (path) => live.organisationOf(path),
    async close() {
      if (!close) throw new Error('A pipeline is closed by the one who started it')
      await close()
    },
  }
}

async function answer(
  calls: Calls,
  channel: AnsweringChannel,
  { id, name, args }: Extract<Question, { kind: 'call' }>,
): Promise<void> {
  try {
    const call = calls[name] as (...args: readonly unknown[]) => Promise<unknown>
    channel.send({ kind: 'answer', id, value: await call(...args) })
  } catch (error) {
    channel.send({ kind: 'refusal', id, error: packError(error) })
  }
}

/** Values for one reader: one message under way at a time, and of each tag the newest alone waits behind it. */
function watchedValues(live: LiveValues, send: (values: readonly LiveTagValue[]) => void) {
  const ends = new Map<string, () => void>()
  const changed = new Map<string, LiveTagValue>()
  let [isUnderWay, isPlanned] = [false, false]
  const flush = () => {
    isPlanned = false
    if (isUnderWay || changed.size === 0) return
    isUnderWay = true
    const values = [...changed.values()]
    changed.clear()
    send(values)
  }
  const hear = (values: readonly LiveTagValue[]) => {
    for (const value of values) changed.set(value.path, value)
    if (isUnderWay || isPlanned) return
    isPlanned = true
    setImmediate(flush)
  }
  const remove = (paths: Iterable<string>) => {
    for (const path of paths) {
      ends.get(path)?.()
      ends.delete(path)
      changed.delete(path)
    }
  }
  return {
    add(paths: readonly string[]) {
      for (const path of paths) if (!ends.has(path)) ends.set(path, live.subscribe([path], hear))
    },
    remove,
    more() {
      isUnderWay = false
      flush()
    },
    close: () => remove([...ends.keys()]),
  }
}
