import type { FanOut } from '#cloud/platform/fanout/index.ts'
import type { LiveTagValue, LiveValues } from '../contract.ts'
import { packValues, unpackValues, valuesChannel } from './live-values.ts'

/** Tags whose values leave once for everybody, however many processes look at them. */
export interface FannedValues {
  /** One more process looks at these tags. */
  add(paths: readonly string[]): void
  remove(paths: Iterable<string>): void
}

interface Shown {
  watchers: number
  readonly end: () => void
}

/** Publishes what changes of the tags looked at, by edge: one round under way, and of each tag the newest alone waits behind it. */
export function fanValues(live: Pick<LiveValues, 'subscribe'>, fanOut: Pick<FanOut, 'publish'>): FannedValues {
  const shown = new Map<string, Shown>()
  const changed = new Map<string, LiveTagValue>()
  let isBusy = false
  const flush = async () => {
    while (changed.size > 0) {
      const values = [...changed.values()]
      changed.clear()
      const byChannel = Map.groupBy(values, ({ path }) => valuesChannel(path))
      await Promise.all([...byChannel].map(([channel, own]) => fanOut.publish(channel, packValues(own))))
    }
    isBusy = false
  }
  const hear = (values: readonly LiveTagValue[]) => {
    for (const value of values) changed.set(value.path, value)
    if (isBusy) return
    isBusy = true
    setImmediate(() => void flush())
  }
  return {
    add(paths) {
      for (const path of paths) {
        const known = shown.get(path)
        if (known) known.watchers += 1
        else shown.set(path, { watchers: 1, end: live.subscribe([path], hear) })
      }
    },
    remove(paths) {
      for (const path of paths) {
        const known = shown.get(path)
        if (!known) continue
        known.watchers -= 1
        if (known.watchers > 0) continue
        known.end()
        shown.delete(path)
      }
    },
  }
}

/** The listening end: hears the channels of the edges whose tags somebody looks at. */
export interface HeardValues {
  add(paths: readonly string[]): void
  remove(paths: readonly string[]): void
  close(): void
}

/** Starts without any. */
export function hearValues(
  fanOut: Pick<FanOut, 'subscribe'>,
  tell: (values: readonly LiveTagValue[]) => void,
): HeardValues {
  const channels = new Map<string, { tags: number; readonly end: () => void }>()
  return {
    add(paths) {
      for (const channel of paths.map(valuesChannel)) {
        const known = channels.get(channel)
        if (known) known.tags += 1
        else channels.set(channel, { tags: 1, end: fanOut.subscribe(channel, (bytes) => tell(unpackValues(bytes))) })
      }
    },
    remove(paths) {
      for (const channel of paths.map(valuesChannel)) {
        const known = channels.get(channel)
        if (!known) continue
        known.tags -= 1
        if (known.tags > 0) continue
        known.end()
        channels.delete(channel)
      }
    },
    close() {
      for (const { end } of channels.values()) end()
      channels.clear()
    },
  }
}
