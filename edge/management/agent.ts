import { createPrivateKey, sign } from 'node:crypto'
import { reportStatement } from '#shared/contracts/edge-configuration.ts'
import type { EdgeReport } from '#shared/contracts/edge-report.ts'
import type { Log } from '#shared/log/log.ts'
import type { AcquisitionClock } from '../acquisition/acquisition.ts'
import { dataFolder, type EdgeConfig, edgeConfigOf } from '../config.ts'
import { type Edge, startEdge } from '../main.ts'
import { callCloud } from './cloud.ts'
import { brokerRedial, type CloudTime, createCloudTime, keepTime } from './cloud-time.ts'
import { configure } from './configure.ts'
import { createGatewayTime } from './gateway-time.ts'
import { readIdentity, timeSourceOf } from './identity.ts'
import { clearSecrets } from './judge.ts'
import { hashOf, type KeptConfiguration, openConfiguration } from './kept.ts'
import { keepCertificate, type RenewalState } from './renewal.ts'
import { MOST_STARTS, unhealthy, type WhyBack } from './trial.ts'

/** Times of management in ms; tests shorten them. */
export interface ManagementTiming {
  /** A new configuration that is not healthy by then is taken back. */
  readonly trialMs: number
  /** How often it is looked. */
  readonly watchMs: number
}

const TIMING: ManagementTiming = { trialMs: 300_000, watchMs: 1000 }

export interface AgentOptions {
  readonly file: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly clock: AcquisitionClock
  readonly log: Log
  readonly timing?: Partial<ManagementTiming>
  /** Called when the agent cannot go on: a configuration that ran before does not start any more. */
  readonly onFailed: (error: unknown) => void
}

/** The edge agent with its configuration looked after. */
export interface Agent {
  /** The agent that runs now; another one after each new configuration. */
  readonly edge: Edge
  readonly config: EdgeConfig
  stop(): Promise<void>
}

/** Starts the agent of edge.yaml, and again with each configuration that the cloud sends. @throws ConfigError, or what startEdge() throws. */
export async function startAgent(options: AgentOptions): Promise<Agent> {
  const agent = new ManagedAgent(options)
  await agent.start()
  return agent
}

const ENDED: WhyBack = {
  ...{ reason: `the program ended ${MOST_STARTS} times`, code: 'ended', params: { count: MOST_STARTS } },
}

class ManagedAgent implements Agent {
  readonly #options: AgentOptions
  readonly #timing: ManagementTiming
  readonly #kept: KeptConfiguration
  readonly #time: CloudTime
  #edge: Edge | undefined
  #config: EdgeConfig | undefined
  #hash = ''
  #news = 0
  #renewal: RenewalState = 'not-due'
  #endRenewals: (() => Promise<void>) | undefined
  #endTime: (() => void) | undefined
  #watch: NodeJS.Timeout | undefined
  #trialSince: number | undefined
  /** Restarts and the stop, one after the other. */
  #turn: Promise<void> = Promise.resolve()
  #isStopped = false

  constructor(options: AgentOptions) {
    const data = dataFolder(options.file)
    this.#timing = { ...TIMING, ...options.timing }
    this.#kept = openConfiguration(options.file, data)
    // Its own certificate was made before today, whatever the machine's clock shows.
    const clock = createGatewayTime(options.clock, readIdentity(data)?.certificate.validFromDate.getTime())
    this.#time = createCloudTime({ clock, source: () => timeSourceOf(data), log: options.log })
    this.#options = { ...options, clock }
  }

  get edge(): Edge {
    if (!this.#edge) throw new Error('The agent does not run')
    return this.#edge
  }

  get config(): EdgeConfig {
    if (!this.#config) throw new Error('The agent does not run')
    return this.#config
  }

  async start(): Promise<void> {
    await this.#run()
    const { log, clock } = this.#options
    const { data } = this.config
    const onState = (state: RenewalState) => {
      if (state !== this.#renewal) this.#news += 1
      this.#renewal = state
    }
    const { redial } = this.#time
    this.#endRenewals = keepCertificate({ data, now: clock.now, log, redial, onState })
    this.#endTime = keepTime(this.#time, log)
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    clearInterval(this.#watch)
    this.#endTime?.()
    await this.#turn
    await this.#endRenewals?.()
    await this.#edge?.stop()
  }

  /** Starts what edge.yaml says. A new one that does not even start, or has ended the program again and again, is taken back. */
  async #run(): Promise<void> {
    const { log } = this.#options
    const kept = this.#kept
    if ((kept.state.trial?.starts ?? 0) >= MOST_STARTS) this.#rollBack(ENDED)
    kept.noteStart()
    try {
      await this.#startOnce()
    } catch (error) {
      if (!kept.state.trial) throw error
      log.error({ err: error }, 'The new configuration does not start')
      const detail = error instanceof Error ? error.message : String(error)
      this.#rollBack({ reason: detail, code: 'not-started', params: { detail: detail.slice(0, 500) } })
      await this.#startOnce()
    }
    if (kept.state.trial) this.#watchTrial()
  }

  async #startOnce(): Promise<void> {
    const { file, env, clock, log } = this.#options
    const text = this.#kept.document()
    this.#config = edgeConfigOf(text, file, env)
    this.#hash = hashOf(text)
    const onConfigure = (ask: Parameters<typeof configure>[1]) =>
      configure(
        {
          ...{ file, env, running: this.config, kept: this.#kept, redial: this.#time.redial },
          alive: () => this.#edge?.health().alive ?? [],
          restart: () => this.#restartSoon(),
        },
        ask,
      )
    const management = {
      onConfigure,
      running: () => this.#kept.running(this.#hash),
      facts: () => this.#facts(),
      news: () => this.#news,
      onLinked: () => void this.#tellDocument(text),
      redial: brokerRedial(this.#time),
      clockOffsetMs: () => this.#time.clock.offsetMs,
    }
    this.#edge = await startEdge({ config: this.config, clock, log, management })
  }

  /** The answer to the command leaves before the connection ends, in order. */
  #restartSoon(): void {
    setImmediate(() => this.#inTurn(() => this.#restart()))
  }

  #inTurn(work: () => Promise<void>): void {
    this.#turn = this.#turn
      .then(async () => {
        if (!this.#isStopped) await work()
      })
      .catch(this.#options.onFailed)
  }

  async #restart(): Promise<void> {
    clearInterval(this.#watch)
    await this.#edge?.stop()
    this.#edge = undefined
    await this.#run()
  }

  #watchTrial(): void {
    const { clock, log } = this.#options
    this.#trialSince = clock.monotonic()
    this.#watch = setInterval(() => {
      const { trial } = this.#kept.state
      if (!trial || !this.#edge) return
      const fault = unhealthy(this.#edge.health(), trial.alive)
      if (fault === undefined) {
        clearInterval(this.#watch)
        this.#kept.confirm()
        this.#news += 1
        log.info({ version: trial.next.version }, 'The new configuration has proved itself')
      } else if (clock.monotonic() - (this.#trialSince ?? 0) >= this.#timing.trialMs) {
        clearInterval(this.#watch)
        this.#rollBack(fault)
        this.#inTurn(() => this.#restart())
      }
    }, this.#timing.watchMs)
  }

  #rollBack(why: WhyBack): void {
    const { clock, log } = this.#options
    log.error(
      { version: this.#kept.state.trial?.next.version, reason: why.reason },
      'The new configuration is taken back',
    )
    this.#kept.rollBack(clock.now(), why)
  }

  #facts(): Pick<EdgeReport, 'configuration' | 'certificate'> {
    const { clock } = this.#options
    const { trial, rolledBack } = this.#kept.state
    const leftMs = this.#timing.trialMs - (clock.monotonic() - (this.#trialSince ?? clock.monotonic()))
    const identity = readIdentity(this.config.data)
    return {
      configuration: {
        version: this.#kept.running(this.#hash).version ?? null,
        hash: this.#hash,
        fileHash: hashOf(this.#kept.document()),
        imports: this.config.imports
          .slice(0, 100)
          .map(({ profile: { profile, version }, at }) => ({ profile, version, at })),
        trialUntil: trial ? Math.round(clock.now() + leftMs) : null,
        rolledBack,
      },
      certificate: identity
        ? {
            serial: identity.certificate.serialNumber,
            expiresAt: Date.parse(identity.certificate.validTo),
            renewal: this.#renewal,
          }
        : null,
    }
  }

  /** Tells the cloud the document that runs when it is none of its own, so that people can see and edit it there. */
  async #tellDocument(document: string): Promise<void> {
    const { file } = this.#options
    const identity = readIdentity(this.config.data)
    // A document is kept in the cloud: one that holds a secret stays here.
    if (!identity || clearSecrets(document, file).length > 0 || this.#kept.running(this.#hash).version !== undefined)
      return
    const { certPem: certificate, keyPem, place, rootPem } = identity
    const statement = Buffer.from(reportStatement({ document, certificate }))
    const signature = sign('sha256', statement, createPrivateKey(keyPem)).toString('base64')
    const url = `${place.url}/api/edge-configuration-reports`
    const { redial } = this.#time
    const body = { certificate, document, signature }
    await callCloud({ method: 'POST', url, roots: [rootPem], redial, body }).catch((err) =>
      this.#options.log.warn({ err }, 'The cloud was not told which configuration runs here'),
    )
  }
}
