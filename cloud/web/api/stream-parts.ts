import type { LiveValue } from '#shared/contracts/tag.ts'

/** What people are told about the link. Times in ms since 1970. */
export interface LinkState {
  readonly status: 'connecting' | 'live' | 'lost'
  /** When anything last came from the server; null before the first message. */
  readonly lastAt: number | null
  /** Changes that came in while catching up after the last loss. */
  readonly caughtUp: number
}

const REMEMBERED = 2000

/** Counts wants by name and tells which names are wanted at all. */
export function wants() {
  const counts = new Map<string, number>()
  return {
    add(name: string): boolean {
      counts.set(name, (counts.get(name) ?? 0) + 1)
      return counts.get(name) === 1
    },
    drop(name: string): boolean {
      const left = (counts.get(name) ?? 1) - 1
      if (left > 0) counts.set(name, left)
      else counts.delete(name)
      return left <= 0
    },
    names: () => [...counts.keys()],
  }
}

/** Remembers the numbers of the newest events, so that one sent again is not handled again. */
export function seenEvents() {
  const seen = new Set<number>()
  return {
    isNew(seq: number): boolean {
      if (seen.has(seq)) return false
      seen.add(seq)
      if (seen.size > REMEMBERED) seen.delete(seen.values().next().value as number)
      return true
    },
    forget: () => seen.clear(),
  }
}

/** The newest value of each watched tag, told to its listeners at most once a turn however many came. */
export function valueStore() {
  const values = new Map<string, LiveValue>()
  const listeners = new Map<string, Set<() => void>>()
  return {
    get: (path: string) => values.get(path),
    put(items: readonly LiveValue[]) {
      const changed = new Set<string>()
      for (const item of items) {
        values.set(item.path, item)
        changed.add(item.path)
      }
      for (const path of changed) for (const listener of listeners.get(path) ?? []) listener()
    },
    listen(path: string, listener: () => void): () => void {
      const set = listeners.get(path) ?? new Set()
      listeners.set(path, set.add(listener))
      return () => {
        set.delete(listener)
        if (set.size === 0) listeners.delete(path)
      }
    },
  }
}

/** Holds what people are told about the link, and tells those who listen. */
export function linkState() {
  let state: LinkState = { status: 'connecting', lastAt: null, caughtUp: 0 }
  const listeners = new Set<() => void>()
  return {
    get: () => state,
    set(next: Partial<LinkState>) {
      state = { ...state, ...next }
      for (const listener of listeners) listener()
    },
    /** Without telling anybody: the time of the last message changes too often to redraw for it. */
    touch(at: number) {
      state = { ...state, lastAt: at }
    },
    listen(listener: () => void): () => void {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
