import { type Static, Type } from 'typebox'
import { Id, Instant, nullable } from './http.ts'
import { Priority, Severity } from './priority.ts'
import { LocalizedText } from './text.ts'

/** One thing that waits for one person. `page` items are urgent notices and cannot be muted. */
export const InboxItem = Type.Object({
  id: Id,
  kind: Type.Union([
    Type.Literal('acknowledge'),
    Type.Literal('approve'),
    Type.Literal('fill'),
    Type.Literal('task'),
    Type.Literal('review'),
  ]),
  isUrgent: Type.Boolean(),
  title: LocalizedText,
  detail: nullable(LocalizedText),
  severity: nullable(Severity),
  priority: nullable(Priority),
  record: Type.Object({ id: Id, type: Type.String(), number: nullable(Type.String()), href: Type.String() }),
  pageId: nullable(Id),
  createdAt: Instant,
  dueAt: nullable(Instant),
  doneAt: nullable(Instant),
})
export type InboxItem = Static<typeof InboxItem>
