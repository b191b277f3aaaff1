import type { LocalizedText } from '#shared/contracts/text.ts'

export type InboxKind = 'acknowledge' | 'approve' | 'fill' | 'task' | 'review'

export interface NewInboxItem {
  readonly personId: string
  readonly recordId: string
  readonly kind: InboxKind
  readonly title: LocalizedText
  readonly detail?: LocalizedText
  /** Path in the console: `/incidents/<id>`. */
  readonly href: string
  readonly isUrgent?: boolean
  readonly severity?: string
  readonly priority?: string
  readonly pageId?: string
  readonly dueAt?: Date
}

export interface InboxMatch {
  readonly recordId: string
  readonly personId?: string
  readonly kind?: InboxKind
}

/** What waits for people. Each change is told as `inbox.added` or `inbox.done` on `inbox:<person id>`. */
export interface Inbox {
  /** An open item of the same person, record and kind is kept instead of doubled. Returns the item's id. */
  add(item: NewInboxItem): Promise<string>
  /** Closes the open items that match; returns how many. */
  complete(match: InboxMatch): Promise<number>
}
