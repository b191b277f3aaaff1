import type { ProfileTag } from '#shared/contracts/device-profile.ts'
import type { ConditionReport, MissedTime, Protocol, Sample } from '../../driver.ts'
import type { OpcuaDriver } from '../driver.ts'

const text = { en: 'x', 'zh-CN': 'x' }

/** One device over the driver, as the supervisor has it: what it reports, and waiting for it. */
export class Device {
  readonly samples: Sample[] = []
  readonly past: Sample[] = []
  readonly missed: MissedTime[] = []
  readonly conditions: ConditionReport[] = []
  readonly stopping = new AbortController()
  readonly driver: OpcuaDriver
  ended: Promise<Error | undefined> = Promise.resolve(undefined)
  #wake: () => void = () => undefined

  constructor(protocol: Protocol, config: Record<string, unknown>) {
    this.driver = protocol.createDriver({
      device: 'machine',
      profile: { profile: 'p', version: 1, name: text, assetClass: 'a', protocol: 'opcua', tags: [] },
      config: {
        security: 'Basic256Sha256',
        trust: 'accept-first',
        publishingMs: 50,
        server: 'unknown',
        alarms: 'none',
        batch: 2,
        timeoutMs: 5000,
        ...config,
      },
    }) as OpcuaDriver
  }

  connect() {
    return this.driver.connect(this.stopping.signal)
  }

  /** Tags with their addresses, or with more of their profile. */
  subscribe(tags: Record<string, string | Partial<ProfileTag>>, everyMs = 20) {
    const wanted = Object.entries(tags).map(([tag, written]) => {
      const more = typeof written === 'string' ? { address: written } : written
      const address = this.driver.parseAddress({ tag, name: text, address: '', type: 'float64', ...more })
      return [tag, { address, everyMs }] as const
    })
    const reports = {
      onSamples: (samples: Sample[]) => this.#add(() => this.samples.push(...samples)),
      onPast: (samples: Sample[]) => this.#add(() => this.past.push(...samples)),
      onConditions: (conditions: ConditionReport[]) => this.#add(() => this.conditions.push(...conditions)),
      onMissed: (missed: MissedTime) => this.#add(() => this.missed.push(missed)),
    }
    this.ended = this.driver.subscribe(new Map(wanted), reports, this.stopping.signal).then(
      () => undefined,
      (error: Error) => error,
    )
  }

  last = (tag: string) => this.samples.findLast((s) => s.tag === tag)

  /** Resolves when a report makes it so; the test's time-out is the limit. */
  async waitFor(isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  /** What the supervisor does after a loss. */
  async reconnect() {
    await this.driver.close()
    for (;;) {
      try {
        return await this.connect()
      } catch {
        await this.driver.close()
      }
    }
  }

  async stop() {
    this.stopping.abort()
    await this.ended
    await this.driver.close()
  }

  #add(add: () => void) {
    add()
    this.#wake()
  }
}
