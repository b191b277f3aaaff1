import type { QueryClient } from '@tanstack/react-query'
import type { StreamEvent } from '#shared/contracts/stream.ts'

/** What the whole console listens to; channels of open rooms come on top. */
export const BASE_TOPICS = ['alarms', 'incidents', 'work-orders', 'retros', 'assets', 'edges', 'inbox:me'] as const

/** The nouns whose answers may be out of date after an event of the topic. */
const NOUNS: Readonly<Record<string, readonly string[]>> = {
  alarms: ['alarms', 'assets', 'timeline'],
  incidents: ['incidents', 'timeline', 'assets', 'pages', 'cards'],
  'work-orders': ['work-orders', 'incidents', 'timeline', 'cards'],
  retros: ['retros', 'incidents', 'cards'],
  assets: ['assets', 'states'],
  edges: ['edges', 'devices', 'tags'],
  'inbox:me': ['inbox', 'pages'],
  channel: ['channels', 'messages'],
  record: ['cards'],
}

/** Nouns to read again after an event, each once. */
export function nounsOf(event: Pick<StreamEvent, 'topics'>): readonly string[] {
  const found = event.topics.flatMap((topic) => NOUNS[topic] ?? NOUNS[topic.split(':')[0] ?? ''] ?? [])
  return [...new Set(found)]
}

/** Spacing of two rounds of reading in ms, so that a flood of events does not become a flood of requests. */
const SPACING_MS = 400

/** Marks answers as out of date when events tell so: at once when it is quiet, every 400 ms in a flood. */
export function refresher(client: Pick<QueryClient, 'invalidateQueries'>, clock: () => number = Date.now) {
  const waiting = new Set<string>()
  let last = Number.NEGATIVE_INFINITY
  let timer: ReturnType<typeof setTimeout> | undefined
  const flush = () => {
    timer = undefined
    last = clock()
    for (const noun of waiting) void client.invalidateQueries({ queryKey: [noun] })
    waiting.clear()
  }
  return {
    onEvent(event: Pick<StreamEvent, 'topics'>): void {
      for (const noun of nounsOf(event)) waiting.add(noun)
      if (waiting.size === 0 || timer !== undefined) return
      const due = last + SPACING_MS - clock()
      if (due <= 0) flush()
      else timer = setTimeout(flush, due)
    },
    close: () => clearTimeout(timer),
  }
}
