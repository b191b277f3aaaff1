import type { Retro } from '#shared/contracts/retro.ts'
import type { LocalizedText } from '#shared/contracts/text.ts'

/** What a retro is drafted from; every value is read from stored events, none is made up. */
export interface DraftFacts {
  readonly number: string
  readonly asset: LocalizedText
  readonly startedAt: Date
  readonly restoredAt: Date | null
  readonly restoredBy: 'state-tag' | 'hand' | null
  readonly downtimeSeconds: number | null
  readonly alarms: readonly { readonly name: LocalizedText; readonly isFirstOut: boolean }[]
  readonly clocks: readonly { readonly clock: string; readonly status: string; readonly seconds: number | null }[]
  readonly people: readonly { readonly name: string; readonly acceptedAt: Date | null }[]
  readonly workOrders: readonly {
    readonly number: string
    readonly failure: { readonly mode: string; readonly cause: string; readonly remedy: string } | null
  }[]
}

const CLOCK_WORDS: Readonly<Record<string, LocalizedText>> = {
  detect: { en: 'detect', 'zh-CN': '发现' },
  notify: { en: 'notify', 'zh-CN': '通知' },
  acknowledge: { en: 'acknowledge', 'zh-CN': '收到' },
  accept: { en: 'accept', 'zh-CN': '接单' },
  arrive: { en: 'arrive', 'zh-CN': '到场' },
  contain: { en: 'contain', 'zh-CN': '遏制' },
  restore: { en: 'restore', 'zh-CN': '恢复生产' },
}

/** One paragraph from the facts alone: what failed first, what followed, who came, what was done, what was late. */
export function draftSummary(facts: DraftFacts): LocalizedText {
  const sentences = [openingOf(facts), peopleOf(facts), workOf(facts), endOf(facts), lateOf(facts)]
  const told = sentences.filter((s) => s !== undefined)
  return { en: told.map((s) => s.en).join(' '), 'zh-CN': told.map((s) => s['zh-CN']).join('') }
}

function openingOf(facts: DraftFacts): LocalizedText {
  const first = facts.alarms.filter((a) => a.isFirstOut)
  const others = facts.alarms.length - first.length
  const at = minuteOf(facts.startedAt)
  const en = first.map((a) => a.name.en).join(', ') || 'an unknown alarm'
  const zh = first.map((a) => a.name['zh-CN']).join('、') || '未知报警'
  return {
    en: `On ${facts.asset.en}, ${en} came first at ${at} UTC${others > 0 ? `; ${others} more followed` : ''}.`,
    'zh-CN': `${facts.asset['zh-CN']}于 ${at}（UTC）首出「${zh}」${others > 0 ? `，随后又有 ${others} 条报警` : ''}。`,
  }
}

function peopleOf(facts: DraftFacts): LocalizedText | undefined {
  const accepted = facts.people.filter((p) => p.acceptedAt)
  if (facts.people.length === 0) return undefined
  if (accepted.length === 0) {
    return {
      en: `${facts.people.length} people were called, none accepted.`,
      'zh-CN': `共呼叫 ${facts.people.length} 人，无人接单。`,
    }
  }
  const names = accepted.map((p) => p.name)
  return {
    en: `${names.join(', ')} accepted (${facts.people.length} called).`,
    'zh-CN': `${names.join('、')}接单（共呼叫 ${facts.people.length} 人）。`,
  }
}

function workOf(facts: DraftFacts): LocalizedText | undefined {
  const done = facts.workOrders.filter((w) => w.failure)
  if (done.length === 0) return undefined
  const en = done.map((w) => `${w.number}: ${w.failure?.mode}; cause ${w.failure?.cause}; remedy ${w.failure?.remedy}.`)
  const zh = done.map(
    (w) => `${w.number}：现象 ${w.failure?.mode}，原因 ${w.failure?.cause}，措施 ${w.failure?.remedy}。`,
  )
  return { en: en.join(' '), 'zh-CN': zh.join('') }
}

function endOf(facts: DraftFacts): LocalizedText {
  if (!facts.restoredAt) return { en: 'It does not run again yet.', 'zh-CN': '尚未恢复生产。' }
  const proof =
    facts.restoredBy === 'hand'
      ? { en: 'confirmed by hand', 'zh-CN': '人工确认' }
      : { en: 'proven by its state tag', 'zh-CN': '由状态点位证明' }
  const lasted = facts.downtimeSeconds
  const stop = lasted === null ? '' : `, after ${durationText(lasted).en} of downtime`
  const stopZh = lasted === null ? '' : `，停机 ${durationText(lasted)['zh-CN']}`
  return {
    en: `It ran again at ${minuteOf(facts.restoredAt)} UTC (${proof.en})${stop}.`,
    'zh-CN': `${minuteOf(facts.restoredAt)}（UTC）恢复生产（${proof['zh-CN']}）${stopZh}。`,
  }
}

function lateOf(facts: DraftFacts): LocalizedText | undefined {
  const late = facts.clocks.filter((c) => c.status === 'missed').map((c) => CLOCK_WORDS[c.clock])
  if (late.length === 0) return undefined
  return {
    en: `Over target: ${late.map((w) => w?.en).join(', ')}.`,
    'zh-CN': `超时：${late.map((w) => w?.['zh-CN']).join('、')}。`,
  }
}

/** Whole minutes and seconds, in words. */
export function durationText(seconds: number): LocalizedText {
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60), Math.round(seconds % 60)]
  const hour = h > 0 ? { en: `${h} h `, 'zh-CN': `${h} 小时 ` } : { en: '', 'zh-CN': '' }
  return { en: `${hour.en}${m} min ${s} s`, 'zh-CN': `${hour['zh-CN']}${m} 分 ${s} 秒` }
}

const minuteOf = (at: Date) => at.toISOString().slice(0, 16).replace('T', ' ')

/** Five questions, each asking into the answer before; people answer. */
export function whySkeleton(asset: LocalizedText, firstOut: LocalizedText | undefined): LocalizedText[] {
  const first = firstOut
    ? {
        en: `Why did "${firstOut.en}" occur on ${asset.en}?`,
        'zh-CN': `${asset['zh-CN']}为什么发生「${firstOut['zh-CN']}」？`,
      }
    : { en: `Why did ${asset.en} stop?`, 'zh-CN': `${asset['zh-CN']}为什么停机？` }
  const deeper = [2, 3, 4, 5].map((n) => ({
    en: `Why ${n}: and why was that so?`,
    'zh-CN': `第 ${n} 个为什么：原因又是什么？`,
  }))
  return [first, ...deeper]
}

/** What a reviewer would send back for: each with the words that say what to write. */
export function missingOf(retro: {
  readonly summary: string | null
  readonly whys: readonly (string | null)[]
  readonly actionCount: number
  readonly restoredAt: Date | null
}): Retro['missing'] {
  const missing: Retro['missing'] = []
  const note = (code: string, en: string, zh: string) => missing.push({ code, text: { en, 'zh-CN': zh } })
  if (!retro.summary) note('retro.summary', 'Write or take over the summary.', '请填写或采用摘要。')
  if (!retro.whys.some((why) => why)) note('retro.cause', 'Answer at least the first why.', '请至少回答第一个为什么。')
  if (retro.actionCount === 0) note('retro.actions', 'Name at least one action.', '请至少列出一项措施。')
  if (!retro.restoredAt) note('retro.restore', 'The machine is not proven to run again.', '设备尚未证明恢复生产。')
  return missing
}

/** Seconds in which the machine did not run, within [from, to). */
export function downtimeWithin(
  intervals: readonly { readonly state: string; readonly since: number; readonly until: number | null }[],
  from: number,
  to: number,
): number {
  const ms = intervals
    .filter((i) => i.state !== 'running' && i.state !== 'no-data')
    .reduce((sum, i) => sum + Math.max(0, Math.min(i.until ?? to, to) - Math.max(i.since, from)), 0)
  return ms / 1000
}

const MINUTE_MS = 60_000

/** The stretch of trend that shows the fault: ten minutes before the first alarm to ten after the end, a day at most. */
export function trendSlice(startedAt: Date, endedAt: Date): { from: Date; to: Date } {
  const from = startedAt.getTime() - 10 * MINUTE_MS
  const to = Math.min(endedAt.getTime() + 10 * MINUTE_MS, from + 1440 * MINUTE_MS)
  return { from: new Date(from), to: new Date(to) }
}
