import { liveValue, type SourceValue, type ValueSource } from './values.ts'

/** A tag that somebody looks at: read and put into words once, however many look. */
export interface Watched<Reader> {
  readonly path: string
  readonly readers: Set<Reader>
  newest: SourceValue | undefined
  /** `newest` as JSON, made when it is first sent. */
  text: string | undefined
  /** Rises with each change of any tag. */
  version: number
  /** The source is being asked for the present value. */
  reading: Promise<void> | undefined
  stop: () => void
}

/** The newest values of all tags that somebody looks at. */
export interface ValueBoard<Reader> {
  /** The newest version of all. */
  version(): number
  /** Tags changed since they were taken away here. */
  readonly changed: Set<Watched<Reader>>
  join(path: string, reader: Reader): Watched<Reader>
  leave(tags: readonly Watched<Reader>[], reader: Reader): void
  /** Asks for the present values of those tags that have none. Whoever listens first misses no change. */
  read(tags: readonly Watched<Reader>[]): Promise<void>
  close(): void
}

/** Starts without tags; `onChange` is called after each change, in the source's turn. */
export function createValueBoard<Reader>(source: ValueSource, onChange: () => void): ValueBoard<Reader> {
  const watched = new Map<string, Watched<Reader>>()
  const changed = new Set<Watched<Reader>>()
  let version = 0
  const put = (tag: Watched<Reader>, value: SourceValue) => {
    version += 1
    Object.assign(tag, { newest: value, text: undefined, version })
    changed.add(tag)
  }
  const hear = (values: readonly SourceValue[]) => {
    for (const value of values) {
      const tag = watched.get(value.path)
      if (tag) put(tag, value)
    }
    onChange()
  }
  const ask = async (tags: readonly Watched<Reader>[]) => {
    try {
      for (const value of await source.present(tags.map((tag) => tag.path))) {
        const tag = watched.get(value.path)
        if (tag && tag.newest === undefined) put(tag, value)
      }
      onChange()
    } finally {
      for (const tag of tags) tag.reading = undefined
    }
  }
  return {
    changed,
    version: () => version,
    join(path, reader) {
      const known = watched.get(path)
      const tag = known ?? unread<Reader>(path)
      tag.readers.add(reader)
      if (known) return known
      watched.set(path, tag)
      tag.stop = source.subscribe([path], hear)
      return tag
    },
    leave(tags, reader) {
      for (const tag of tags) {
        tag.readers.delete(reader)
        if (tag.readers.size > 0) continue
        tag.stop()
        watched.delete(tag.path)
        changed.delete(tag)
      }
    },
    async read(tags) {
      const lacking = tags.filter((tag) => tag.newest === undefined)
      const fresh = lacking.filter((tag) => tag.reading === undefined)
      const asking = fresh.length > 0 ? ask(fresh) : undefined
      for (const tag of fresh) tag.reading = asking
      await Promise.all(lacking.map((tag) => tag.reading))
    },
    close() {
      for (const tag of watched.values()) tag.stop()
      watched.clear()
    },
  }
}

const unread = <Reader>(path: string): Watched<Reader> => ({
  ...{ path, readers: new Set(), newest: undefined, text: undefined, version: 0, reading: undefined },
  stop: () => {},
})

/** The newest value as JSON; undefined before there is one. */
export function textOf(tag: Watched<unknown>): string | undefined {
  if (tag.newest === undefined) return undefined
  tag.text ??= JSON.stringify(liveValue(tag.newest))
  return tag.text
}
