import type { LiveTagValue } from '../contract.ts'

type Listener = (values: readonly LiveTagValue[]) => void

interface Watched {
  readonly listeners: Set<Listener>
  newest: LiveTagValue | undefined
}

/** Who looks at which tag at the asking end; the other end is asked for each tag once. */
export interface Watchers {
  subscribe(paths: Iterable<string>, listener: Listener): () => void
  /** Every tag that somebody looks at. */
  paths(): string[]
  /** Tells those who look at these tags. */
  tell(values: readonly LiveTagValue[]): void
  /** Tells everybody that what he saw last, of these tags or of all, is not to be trusted as present. */
  tellStale(paths?: Iterable<string>): void
}

export interface WatchersOptions {
  readonly watch: (paths: readonly string[]) => void
  readonly unwatch: (paths: readonly string[]) => void
}

/** Starts without anybody. */
export function createWatchers({ watch, unwatch }: WatchersOptions): Watchers {
  const watched = new Map<string, Watched>()
  const tell = (values: readonly LiveTagValue[]) => {
    const batches = new Map<Listener, LiveTagValue[]>()
    for (const value of values) {
      const one = watched.get(value.path)
      if (!one) continue
      one.newest = value
      for (const listener of one.listeners) collect(batches, listener, value)
    }
    for (const [listener, batch] of batches) listener(batch)
  }
  const join = (path: string, listener: Listener): boolean => {
    const known = watched.get(path)
    if (known) known.listeners.add(listener)
    else watched.set(path, { listeners: new Set([listener]), newest: undefined })
    return !known
  }
  const leave = (path: string, listener: Listener): boolean => {
    const one = watched.get(path)
    one?.listeners.delete(listener)
    return one?.listeners.size === 0 && watched.delete(path)
  }
  return {
    tell,
    paths: () => [...watched.keys()],
    tellStale(paths = watched.keys()) {
      const newest = [...paths].flatMap((path) => watched.get(path)?.newest ?? [])
      tell(newest.map((value) => ({ ...value, isStale: true })))
    },
    subscribe(paths, listener) {
      const own: Listener = (values) => listener(values)
      const wanted = [...new Set(paths)]
      const fresh = wanted.filter((path) => join(path, own))
      if (fresh.length > 0) watch(fresh)
      return () => {
        const left = wanted.filter((path) => leave(path, own))
        if (left.length > 0) unwatch(left)
      }
    },
  }
}

function collect(batches: Map<Listener, LiveTagValue[]>, listener: Listener, value: LiveTagValue): void {
  const batch = batches.get(listener)
  if (batch) batch.push(value)
  else batches.set(listener, [value])
}
