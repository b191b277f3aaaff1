import { DomainError } from '#cloud/platform/errors.ts'
import type { FanOut } from '#cloud/platform/fanout/index.ts'
import type { LiveTagValue, Pipeline, PipelineMetrics } from '../contract.ts'
import type { AskingChannel } from './channel.ts'
import { type HeardValues, hearValues } from './fanned-values.ts'
import type { Answer, CallName } from './messages.ts'
import { type Readings, readingsInto } from './meter.ts'
import { unpackError } from './packed-error.ts'
import { createWatchers, type Watchers } from './watchers.ts'

/** A call that is not answered for this long is given up; whether it was carried out is unknown. */
const CALL_TIMEOUT_MS = 30_000
const FIRST_PAUSE_MS = 250
const LONGEST_PAUSE_MS = 5000
const CATCH_UP_MS = 1000
/** Until somebody has said where the broker is. */
export const NOWHERE: Pipeline['mqtt'] = {
  ...{ host: '', port: 0, url: '', isExternal: false },
  ...{ tlsPort: undefined, tlsHost: undefined, root: undefined },
}

export interface LinkOptions {
  /** Opens a way to the pipeline. Called again, with growing pauses, whenever it has ended. */
  readonly open: () => Promise<AskingChannel>
  /** Takes what the pipeline counts. */
  readonly metrics?: PipelineMetrics
  /** Labels of its gauges, where there are several pipelines. */
  readonly labels?: Readonly<Record<string, string>>
  /** Brings values of tags that are looked at; absent: they come over the channel. */
  readonly fanOut?: FanOut | undefined
  /** 30 s unless told. */
  readonly callTimeoutMs?: number
}

interface Pending {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
  readonly timer: NodeJS.Timeout
}

/** Why nobody answers for now. */
export const away = (what: string) =>
  new DomainError(
    'unavailable',
    'pipeline.away',
    `The machine side ${what}; its edges keep their samples. Try again soon`,
  )

/** It is there, and has not answered in time; what was asked may have been done. */
const tooLate = (timeoutMs: number) =>
  new DomainError(
    'unavailable',
    'pipeline.timeout',
    `The machine side has not answered within ${timeoutMs / 1000} s; it may be asked too much. Try again soon`,
  )

/** True for a call that got no answer, because nobody is there or because it took too long. */
export const isUnanswered = (error: unknown): boolean =>
  error instanceof DomainError && (error.code === 'pipeline.away' || error.code === 'pipeline.timeout')

/** The asking end: calls under way, tags looked at, and the channel of the moment. */
export class PipelineLink {
  readonly watchers: Watchers
  /** Resolves at the first hello. */
  readonly ready: Promise<void>
  readonly #options: LinkOptions
  readonly #first = Promise.withResolvers<void>()
  readonly #pending = new Map<number, Pending>()
  readonly #readings: Readings | undefined
  readonly #isFanned: boolean
  readonly #heard: HeardValues | undefined
  readonly #ends: (() => void)[] = []
  #channel: AskingChannel | undefined
  #mqtt = NOWHERE
  #instance = ''
  #calls = 0
  #failures = 0
  #isLeft = false
  #retry: NodeJS.Timeout | undefined

  constructor(options: LinkOptions) {
    this.#options = options
    this.#readings = options.metrics && readingsInto(options.metrics, options.labels)
    const { fanOut } = options
    this.#isFanned = fanOut !== undefined
    this.#heard = fanOut && hearValues(fanOut, (values) => this.watchers.tell(values))
    this.watchers = createWatchers({
      watch: (paths) => this.#watch(paths),
      unwatch: (paths) => {
        this.#heard?.remove(paths)
        this.#channel?.send({ kind: 'unwatch', paths, isFanned: this.#isFanned })
      },
    })
    if (fanOut) this.#bridge(fanOut)
    this.ready = this.#first.promise
    this.#connect()
  }

  /** Where the broker of the pipeline last reached listens. */
  get mqtt(): Pipeline['mqtt'] {
    return this.#mqtt
  }

  /** Rejects with DomainError: `pipeline.away` while there is no channel, `pipeline.timeout` when no answer comes. */
  call(name: CallName, args: readonly unknown[]): Promise<unknown> {
    const channel = this.#channel
    if (!channel) return Promise.reject(away('cannot be reached'))
    this.#calls += 1
    const id = this.#calls
    const { callTimeoutMs = CALL_TIMEOUT_MS } = this.#options
    return new Promise((resolve, reject) => {
      const giveUp = () => this.#take(id)?.reject(tooLate(callTimeoutMs))
      this.#pending.set(id, { resolve, reject, timer: setTimeout(giveUp, callTimeoutMs) })
      channel.send({ kind: 'call', id, name, args })
    })
  }

  /** Ends the channel and opens none again. */
  leave(): void {
    this.#isLeft = true
    clearTimeout(this.#retry)
    this.#channel?.close()
    this.#heard?.close()
    this.#readings?.end()
    for (const end of this.#ends.splice(0)) end()
  }

  #watch(paths: readonly string[]): void {
    this.#heard?.add(paths)
    this.#channel?.send({ kind: 'watch', paths, isFanned: this.#isFanned })
  }

  /** While the fan-out is away values are asked for now and then, and once when it is back. */
  #bridge(fanOut: FanOut): void {
    const timer = setInterval(() => fanOut.fault() === undefined || this.#catchUp(), CATCH_UP_MS).unref()
    this.#ends.push(
      () => clearInterval(timer),
      fanOut.onMissed(() => this.#catchUp()),
    )
  }

  /** What changed while nobody listened; a way that is lost again asks again. */
  #catchUp(): void {
    const paths = this.watchers.paths()
    if (paths.length === 0) return
    this.call('present', [paths]).then(
      (values) => this.watchers.tell(values as LiveTagValue[]),
      () => undefined,
    )
  }

  #take(id: number): Pending | undefined {
    const one = this.#pending.get(id)
    this.#pending.delete(id)
    clearTimeout(one?.timer)
    return one
  }

  #connect(): void {
    this.#options.open().then(
      (channel) => this.#begin(channel),
      () => this.#later(),
    )
  }

  #begin(channel: AskingChannel): void {
    if (this.#isLeft) {
      channel.close()
      return
    }
    this.#channel = channel
    channel.onEnd(() => this.#lose())
    channel.onMessage((answer) => this.#hear(answer))
  }

  #hear(answer: Answer): void {
    switch (answer.kind) {
      case 'hello':
        this.#greet(answer)
        break
      case 'answer':
        this.#take(answer.id)?.resolve(answer.value)
        break
      case 'refusal':
        this.#take(answer.id)?.reject(unpackError(answer.error))
        break
      case 'values':
        this.watchers.tell(answer.values)
        this.#channel?.send({ kind: 'more' })
        break
      case 'readings':
        this.#readings?.take(answer.readings)
    }
  }

  #greet({ mqtt, instance }: Extract<Answer, { kind: 'hello' }>): void {
    this.#mqtt = mqtt
    if (instance !== this.#instance) this.#readings?.anew()
    this.#instance = instance
    this.#failures = 0
    this.#first.resolve()
    const paths = this.watchers.paths()
    if (paths.length === 0) return
    this.#channel?.send({ kind: 'watch', paths, isFanned: this.#isFanned })
    this.#catchUp()
  }

  #lose(): void {
    this.#channel = undefined
    for (const id of [...this.#pending.keys()]) this.#take(id)?.reject(away('went away'))
    this.watchers.tellStale()
    this.#later()
  }

  #later(): void {
    if (this.#isLeft) return
    this.#failures += 1
    const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (this.#failures - 1))
    this.#retry = setTimeout(() => this.#connect(), pause).unref()
  }
}
