import { randomUUID } from 'node:crypto'
import type { LiveTagValue, LiveValues, Pipeline } from '../contract.ts'
import type { AnsweringChannel } from './channel.ts'
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
}

/** Answers what comes over the channel from the pipeline, until the channel ends. */
export function servePipeline(pipeline: Pipeline, channel: AnsweringChannel, options: ServeOptions = {}): void {
  const calls = callsOf(pipeline, options)
  const watched = watchedValues(pipeline.live, (values) => channel.send({ kind: 'values', values }))
  const { meter } = options
  const tell = meter && (() => channel.send({ kind: 'readings', readings: meter.readings() }))
  const telling = tell && setInterval(tell, READINGS_EVERY_MS).unref()
  channel.send({ kind: 'hello', instance: INSTANCE, mqtt: pipeline.mqtt })
  channel.onMessage((question) => {
    if (question.kind === 'call') void answer(calls, channel, question)
    else if (question.kind === 'watch') watched.add(question.paths)
    else if (question.kind === 'unwatch') watched.remove(question.paths)
    else watched.more()
  })
  channel.onEnd(() => {
    clearInterval(telling)
    watched.close()
  })
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
