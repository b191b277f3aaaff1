import { checkValue, type Issue } from '#shared/config/check-value.ts'
import { checkProfile } from '#shared/config/profile.ts'
import type { Schema } from '#shared/config/schema.ts'
import { type DeviceProfile, ProfileTag } from '#shared/contracts/device-profile.ts'
import { csvText, parseCsv } from './csv.ts'

type Kind = 'text' | 'number' | 'boolean' | 'json'

/** A column and where its value stands in a tag. */
export interface TagColumn {
  readonly head: string
  readonly kind: Kind
}

const column = (head: string, kind: Kind = 'text'): TagColumn => ({ head, kind })

/** The columns of a tag file: the keys of a tag in a profile, with a dot before an inner key. */
export const TAG_COLUMNS: readonly TagColumn[] = [
  ...['tag', 'name.en', 'name.zh-CN', 'address', 'type', 'publish', 'wordOrder', 'packing'].map((head) => column(head)),
  ...['length', 'scale', 'offset', 'clamp.0', 'clamp.1'].map((head) => column(head, 'number')),
  ...[column('scaleFactor'), column('invalid', 'json'), column('unit'), column('decimals', 'number')],
  ...['range.0', 'range.1'].map((head) => column(head, 'number')),
  ...[column('scan'), column('deadband.absolute', 'number'), column('deadband.percent', 'number')],
  ...[column('deadband.swingingDoor', 'boolean'), column('words', 'json'), column('retention')],
  ...[column('writable', 'boolean'), column('write', 'json')],
]

/** The tags of a profile as a file for a spreadsheet. */
export function tagsToCsv({ tags }: DeviceProfile): string {
  const rows = tags.map((tag) => TAG_COLUMNS.map(({ head, kind }) => cellOf(valueAt(tag, head), kind)))
  return csvText([TAG_COLUMNS.map(({ head }) => head), ...rows])
}

function valueAt(tag: ProfileTag, head: string): unknown {
  const inner = (value: unknown, key: string) => (value as Record<string, unknown> | undefined)?.[key]
  return head.split('.').reduce<unknown>(inner, tag)
}

function cellOf(value: unknown, kind: Kind): string {
  if (value === undefined) return ''
  return kind === 'json' ? JSON.stringify(value) : String(value)
}

/** A fault of a tag file. */
export interface CsvFault {
  /** As a spreadsheet counts it: the head is 1. Undefined: of the whole file. */
  readonly row: number | undefined
  readonly column: string
  readonly found: string
  readonly fix: string
}

export interface CsvReading {
  /** The profile with these tags as its next version; undefined when there is a fault. */
  readonly profile: DeviceProfile | undefined
  readonly faults: readonly CsvFault[]
}

/** Reads a tag file into the next version of a profile. `check` says what the driver thinks of an address. */
export function csvToTags(
  text: string,
  running: DeviceProfile,
  check: (tag: ProfileTag) => string | undefined,
): CsvReading {
  if (text.includes('\uFFFD'))
    return refused({ row: undefined, column: '', found: 'no UTF-8', fix: 'save it as "CSV UTF-8"' })
  const [heads = [], ...rows] = parseCsv(text)
  const headFaults = faultsOfHeads(heads.map((head) => head.trim()))
  if (headFaults.length > 0) return { profile: undefined, faults: headFaults }
  const faults: CsvFault[] = []
  const values = rows.map((row, i) => tagOf(heads, row, (fault) => faults.push({ row: i + 2, ...fault })))
  const profile = { ...running, version: running.version + 1, tags: values as unknown as ProfileTag[] }
  faults.push(...issuesOf(profile).map(faultOf), ...(faults.length > 0 ? [] : addressFaults(profile, check)))
  return faults.length > 0 ? { profile: undefined, faults: inOrder(faults) } : { profile, faults }
}

const refused = (fault: CsvFault): CsvReading => ({ profile: undefined, faults: [fault] })
const inOrder = (faults: readonly CsvFault[]) => faults.toSorted((a, b) => (a.row ?? 0) - (b.row ?? 0))

function faultsOfHeads(heads: readonly string[]): CsvFault[] {
  const known = TAG_COLUMNS.map(({ head }) => head)
  const unknown = heads.filter((head, i) => !known.includes(head) || heads.indexOf(head) !== i)
  const missing = ['tag', 'name.en', 'name.zh-CN', 'address', 'type'].filter((head) => !heads.includes(head))
  return [
    ...unknown.map((column) => ({
      row: 1,
      column,
      found: `'${column}'`,
      fix: `use each of ${known.join(', ')} once at most`,
    })),
    ...missing.map((column) => ({ row: 1, column, found: 'no such column', fix: `add the column '${column}'` })),
  ]
}

type Report = (fault: Omit<CsvFault, 'row'>) => void

function tagOf(heads: readonly string[], row: readonly string[], report: Report): Record<string, unknown> {
  const tag: Record<string, unknown> = {}
  for (const { head, kind } of TAG_COLUMNS) {
    const text = row[heads.findIndex((own) => own.trim() === head)]?.trim() ?? ''
    const value = text === '' ? undefined : readCell(text, { head, kind }, report)
    if (value !== undefined) put(tag, head.split('.'), value)
  }
  if (row.length > heads.length && row.slice(heads.length).some(Boolean))
    report({ column: '', found: `${row.length} cells`, fix: `leave ${heads.length}, as many as the head has` })
  return tag
}

function readCell(text: string, { head, kind }: TagColumn, report: Report): unknown {
  const bad = (fix: string) => void report({ column: head, found: `'${text}'`, fix })
  if (kind === 'text') return text
  if (kind === 'number')
    return Number.isFinite(Number(text)) ? Number(text) : bad('write a number with a point, as 1.5')
  if (kind === 'boolean')
    return /^(true|false)$/i.test(text) ? text.toLowerCase() === 'true' : bad('write true or false')
  try {
    return JSON.parse(text) as unknown
  } catch {
    return bad('write JSON as the export has it, or leave the cell empty')
  }
}

/** `clamp.0` is the first of a list. */
function put(tag: Record<string, unknown>, [key = '', inner]: readonly string[], value: unknown): void {
  if (inner === undefined) tag[key] = value
  else if (/^\d$/.test(inner)) tag[key] = withItem(tag[key], Number(inner), value)
  else tag[key] = { ...(tag[key] as object | undefined), [inner]: value }
}

const withItem = (list: unknown, at: number, value: unknown): unknown[] => {
  const items = [...((list as unknown[] | undefined) ?? [])]
  items[at] = value
  return items
}

/** What the schema says first; what only a sound profile can be asked comes when it says nothing. */
function issuesOf(profile: DeviceProfile): Issue[] {
  const issues: Issue[] = []
  for (const [i, tag] of profile.tags.entries())
    checkValue(ProfileTag as Schema, tag, ['tags', i], (issue) => issues.push(issue))
  if (profile.tags.length === 0)
    issues.push({ path: ['tags'], found: 'no tag', expected: 'at least one', fix: 'add a row' })
  return issues.length > 0 ? issues : checkProfile(profile)
}

function faultOf({ path, found, expected, fix }: Issue): CsvFault {
  const [list, index, ...rest] = path
  const isTag = list === 'tags' && typeof index === 'number'
  const column = rest.join('.')
  return {
    row: isTag ? index + 2 : undefined,
    column: isTag ? columnOf(column) : path.join('.'),
    found: `${found ?? 'nothing'}, not ${expected}`,
    fix,
  }
}

const columnOf = (path: string) =>
  TAG_COLUMNS.find(({ head }) => path === head || path.startsWith(`${head}.`))?.head ?? path

function addressFaults({ tags }: DeviceProfile, check: (tag: ProfileTag) => string | undefined): CsvFault[] {
  return tags.flatMap((tag, i) => {
    const found = check(tag)
    return found === undefined ? [] : [{ row: i + 2, column: 'address', found, fix: 'correct the address' }]
  })
}

/** How two versions differ, by tag. */
export function tagChanges(before: DeviceProfile, after: DeviceProfile) {
  const old = new Map(before.tags.map((tag) => [tag.tag, JSON.stringify(sorted(tag))]))
  const added = after.tags.filter(({ tag }) => !old.has(tag))
  const changed = after.tags.filter((tag) => old.has(tag.tag) && old.get(tag.tag) !== JSON.stringify(sorted(tag)))
  const kept = new Set(after.tags.map(({ tag }) => tag))
  const removed = before.tags.filter(({ tag }) => !kept.has(tag))
  const names = (tags: readonly ProfileTag[]) => tags.map(({ tag }) => tag)
  return { added: names(added), changed: names(changed), removed: names(removed) }
}

const sorted = (tag: ProfileTag) => Object.entries(tag).toSorted(([a], [b]) => (a < b ? -1 : 1))
