import { describe, expect, it } from 'vitest'
import type { TimelineEntry } from '#shared/contracts/incident.ts'
import type { Message } from '#shared/contracts/message.ts'
import { isShown, roomLines } from './timeline-merge.ts'

const fact = (second: number, type: string, source: TimelineEntry['source'], text = type): TimelineEntry => ({
  id: `f${second}`,
  at: new Date(second * 1000).toISOString(),
  source,
  type,
  actor: null,
  text: { en: text, 'zh-CN': text },
  recordId: null,
  recordNumber: null,
  data: {},
})
const message = (second: number, kind: Message['kind'], text: string): Message => ({
  id: `m${second}`,
  channelId: 'c',
  seq: second,
  kind,
  author: null,
  text: kind === 'text' ? text : null,
  localized: kind === 'system' ? { en: text, 'zh-CN': text } : null,
  recordId: null,
  at: new Date(second * 1000).toISOString(),
})

describe('the room', () => {
  const facts = [
    fact(1, 'alarm.activated', 'machine'),
    fact(3, 'incident.accepted', 'person', 'On the way'),
    fact(4, 'message.posted', 'person', 'seal is torn'),
  ]
  const messages = [message(4, 'text', 'seal is torn'), message(3, 'system', 'On the way'), message(2, 'card', '')]
  const lines = roomLines(facts, messages)
  const names = (shown: typeof lines) => shown.map((l) => (l.kind === 'fact' ? l.fact.id : l.message.id)).join(' ')

  it('tells facts and chat once each, in the order of time', () => {
    expect(names(lines)).toBe('f1 m2 f3 m4')
  })

  it('shows the part that is asked for', () => {
    expect(names(lines.filter((l) => isShown(l, 'machine')))).toBe('f1')
    expect(names(lines.filter((l) => isShown(l, 'decisions')))).toBe('f3')
    expect(names(lines.filter((l) => isShown(l, 'people')))).toBe('f3 m4')
  })
})
