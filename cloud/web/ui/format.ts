import type { WireValue } from '#shared/contracts/tag.ts'
import type { LocalizedText } from '#shared/contracts/text.ts'
import type { Language } from '../locales/i18n.ts'

const two = (n: number) => String(n).padStart(2, '0')

/** How long something took: `00:14:32`, from one day on `2 d 3 h`. Negative spans count as none. */
export function formatSpan(ms: number, language: Language): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  if (seconds >= 86_400) {
    const [d, h] = [Math.floor(seconds / 86_400), Math.floor((seconds % 86_400) / 3600)]
    return language === 'zh-CN' ? `${d} 天 ${h} 时` : `${d} d ${h} h`
  }
  return `${two(Math.floor(seconds / 3600))}:${two(Math.floor((seconds % 3600) / 60))}:${two(seconds % 60)}`
}

/** A clock of an incident: `1:10`, from one hour on `1:04:10`. */
export function formatShortSpan(seconds: number): string {
  const s = Math.max(0, Math.round(seconds))
  const rest = `${two(Math.floor((s % 3600) / 60))}:${two(s % 60)}`
  return s >= 3600 ? `${Math.floor(s / 3600)}:${rest}` : rest.replace(/^0(\d:)/, '$1')
}

/** How old something is, in its largest unit: `3 s`, `12 min`, `5 h`, `2 d`. */
export function formatAge(ms: number, language: Language): string {
  const s = Math.max(0, Math.round(ms / 1000))
  const zh = language === 'zh-CN'
  if (s < 60) return `${s} ${zh ? '秒' : 's'}`
  if (s < 3600) return `${Math.floor(s / 60)} ${zh ? '分钟' : 'min'}`
  if (s < 86_400) return `${Math.floor(s / 3600)} ${zh ? '小时' : 'h'}`
  return `${Math.floor(s / 86_400)} ${zh ? '天' : 'd'}`
}

const zones = new Map<string, Intl.DateTimeFormat>()

function formatter(language: Language, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${language}${JSON.stringify(options)}`
  const known = zones.get(key)
  if (known) return known
  const made = new Intl.DateTimeFormat(language === 'en' ? 'en-GB' : 'zh-CN', { ...options, hourCycle: 'h23' })
  zones.set(key, made)
  return made
}

const TIME: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit', second: '2-digit' }
const SHORT: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit' }
const DATE: Intl.DateTimeFormatOptions = { month: 'short', day: 'numeric' }

/** Time of day in the viewer's zone, with the date in front when it is another day than `now`. */
export function formatTime(at: string | number, language: Language, now = Date.now(), seconds = true): string {
  const date = new Date(at)
  const time = formatter(language, seconds ? TIME : SHORT).format(date)
  const isToday = date.toDateString() === new Date(now).toDateString()
  return isToday ? time : `${formatter(language, DATE).format(date)} ${time}`
}

/** Date and time with the year, for printed pages. */
export const formatMoment = (at: string | number, language: Language): string =>
  formatter(language, { ...SHORT, year: 'numeric', month: 'short', day: 'numeric' }).format(new Date(at))

/** What is needed to print a value besides the value. */
export interface ValueFormat {
  readonly decimals?: number | null | undefined
  readonly words?: Readonly<Record<string, LocalizedText>> | null | undefined
  readonly yes: string
  readonly no: string
  readonly none: string
}

/** A value as people read it: fixed decimals, the word of a coded value, on or off. */
export function formatValue(value: WireValue | undefined, format: ValueFormat, language: Language): string {
  if (value === null || value === undefined) return format.none
  const word = format.words?.[String(value)]
  if (word) return word[language]
  if (typeof value === 'boolean') return value ? format.yes : format.no
  if (typeof value === 'string') return value
  return value.toFixed(format.decimals ?? defaultDecimals(value))
}

/** Enough digits to see a change, no more: three significant ones, none for whole numbers. */
function defaultDecimals(value: number): number {
  if (Number.isInteger(value)) return 0
  const size = Math.abs(value)
  if (size >= 100) return 1
  return size >= 1 ? 2 : 3
}

/** A whole number with its thousands told apart. */
export const formatCount = (count: number, language: Language): string =>
  new Intl.NumberFormat(language === 'en' ? 'en-GB' : 'zh-CN').format(count)

/** A size in its largest unit: `912 B`, `3.4 MB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, bytes)) / 3)))
  const value = bytes / 1000 ** power
  return `${value < 10 && power > 0 ? value.toFixed(1) : Math.floor(value)} ${units[power]}`
}
