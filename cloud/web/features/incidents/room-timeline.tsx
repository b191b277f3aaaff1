import { useQuery } from '@tanstack/react-query'
import { useEffect, useLayoutEffect, useRef, useState } from 'react'
import type { Incident, TimelineEntry } from '#shared/contracts/incident.ts'
import type { Message } from '#shared/contracts/message.ts'
import type { LocalizedText } from '#shared/contracts/text.ts'
import { markRead } from '../../api/acts.ts'
import { messagesQuery, timelineQuery } from '../../api/queries.ts'
import { Card } from '../../ui/card.tsx'
import { EmptyState } from '../../ui/empty-state.tsx'
import { useFactText } from '../../ui/fact-text.ts'
import { FilterTabs } from '../../ui/filter-tabs.tsx'
import { useTexts } from '../../ui/language.ts'
import { Timeline, type TimelineLine } from '../../ui/timeline.tsx'
import { Composer } from './composer.tsx'
import { isShown, type RoomFilter, type RoomLine, roomLines } from './timeline-merge.ts'

const FILTERS = ['all', 'people', 'machine', 'decisions'] as const satisfies readonly RoomFilter[]

/** One timeline of facts and chat with the line to write in. */
export function RoomTimeline({ incident }: { readonly incident: Incident }) {
  const { t } = useTexts()
  const [filter, setFilter] = useState<RoomFilter>('all')
  const facts = useQuery(timelineQuery(incident.id)).data?.items ?? []
  const messages = useQuery(messagesQuery(incident.channelId)).data?.items ?? []
  const toLine = useToLine()
  const lines = roomLines(facts, messages)
    .filter((line) => isShown(line, filter))
    .map(toLine)
  const lastSeq = messages.at(-1)?.seq
  useEffect(() => {
    if (lastSeq !== undefined) markRead(incident.channelId, lastSeq).catch(() => undefined)
  }, [incident.channelId, lastSeq])
  return (
    <section className="panel room-timeline">
      <header>
        <h2 className="sr">{t('room.timeline')}</h2>
        <FilterTabs
          label={t('room.timeline')}
          active={filter}
          onChange={setFilter}
          tabs={FILTERS.map((key) => ({ key, label: t(`room.filter.${key}`) }))}
        />
      </header>
      <KeptAtEnd count={lines.length}>
        {lines.length === 0 ? <EmptyState kind="nothing-yet" title={t('room.timelineEmpty')} /> : null}
        <Timeline lines={lines} label={t('room.timeline')} />
      </KeptAtEnd>
      <Composer channelId={incident.channelId} />
    </section>
  )
}

/** Near enough to the end to follow it, in px. */
const NEAR_PX = 80

/** Follows new lines while the reader is at the end; otherwise says how many there are, and moves nothing. */
function KeptAtEnd({ count, children }: { readonly count: number; readonly children: React.ReactNode }) {
  const { t } = useTexts()
  const box = useRef<HTMLDivElement>(null)
  const isAtEnd = useRef(true)
  const [seen, setSeen] = useState(count)
  const toEnd = () => {
    const element = box.current
    if (element) element.scrollTop = element.scrollHeight
    setSeen(count)
  }
  useLayoutEffect(() => {
    const element = box.current
    if (!element || !isAtEnd.current) return
    element.scrollTop = element.scrollHeight
    setSeen(count)
  }, [count])
  const onScroll = () => {
    const element = box.current
    if (!element) return
    isAtEnd.current = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_PX
    if (isAtEnd.current) setSeen(count)
  }
  return (
    <div className="room-scroll">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolled region must be reachable by keyboard (WCAG 2.1.1). */}
      <section ref={box} onScroll={onScroll} className="room-lines" tabIndex={0} aria-label={t('room.timeline')}>
        {children}
      </section>
      {count > seen ? (
        <button type="button" className="new-below" onClick={toEnd}>
          {t('room.newBelow', { count: count - seen })}
        </button>
      ) : null}
    </div>
  )
}

/** Turns a fact or a message into a line as the timeline shows it. */
function useToLine() {
  const { read } = useTexts()
  const factText = useFactText()
  return (line: RoomLine): TimelineLine =>
    line.kind === 'message' ? messageLine(line.message, read) : factLine(line.fact, factText(line.fact))
}

type Read = (text: LocalizedText | string) => string

function messageLine(message: Message, read: Read): TimelineLine {
  const isCard = message.kind === 'card' && message.recordId !== null
  return {
    id: message.id,
    at: message.at,
    source: message.author ? 'person' : 'system',
    actor: message.author?.name ?? null,
    body: isCard ? <Card recordId={message.recordId ?? ''} /> : read(message.localized ?? message.text ?? ''),
    isMessage: message.kind === 'text',
  }
}

const factLine = (fact: TimelineEntry, body: string): TimelineLine => ({
  id: fact.id,
  at: fact.at,
  source: fact.source,
  actor: fact.actor?.name ?? null,
  body,
  href: hrefOf(fact.recordNumber),
})

/** Where the record of a fact stands, by the letters of its number. */
function hrefOf(number: string | null): string | undefined {
  if (number?.startsWith('WO-')) return `/work-orders/${number}`
  return number?.startsWith('RET-') ? `/retros/${number}` : undefined
}
