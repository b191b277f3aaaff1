import { readFileSync } from 'node:fs'
import type { Clip, Replay } from '#shared/contracts/plant.ts'

/** A stretch of a recording in memory: seconds since its first row, and one column of values a tag. */
export interface Track {
  readonly seconds: Float64Array
  readonly columns: ReadonlyMap<string, Float64Array>
}

/** Splits the first line of a CSV file. */
export function csvHeader(text: string): string[] {
  return text
    .slice(0, Math.max(0, text.indexOf('\n')))
    .trim()
    .split(',')
}

/** Seconds of a time as the recording writes it. A date without a zone is UTC. NaN when it is not a time. */
export function momentSeconds(moment: string | number, unit: Replay['time']['unit']): number {
  if (unit === 'minutes') return Number(moment) * 60
  if (unit === 'seconds') return Number(moment)
  const text = String(moment).trim().replace(' ', 'T')
  return Date.parse(/Z$|[+-]\d\d:?\d\d$/.test(text) ? text : `${text}Z`) / 1000
}

/** Reads the rows of a clip from a CSV file. Each time is kept once, the first row of it, and time never goes back. Throws when no row is left. */
export function readTrack(path: string, clip: Clip, replay: Replay): Track {
  return parseTrack(readFileSync(path, 'utf8'), clip, replay)
}

/** See readTrack; the text instead of its file. */
export function parseTrack(text: string, clip: Clip, { time, columns }: Pick<Replay, 'time' | 'columns'>): Track {
  const header = csvHeader(text)
  const timeColumn = header.indexOf(time.column)
  const rows = risingRows(text, (cells) => momentSeconds(cells[timeColumn] ?? '', time.unit), boundsOf(clip, time.unit))
  const first = rows[0]
  if (!first)
    throw new Error(`${clip.file} has no rows between ${clip.from ?? 'its start'} and ${clip.to ?? 'its end'}`)
  const column = (name: string) => Float64Array.from(rows, (r) => Number(r.cells[header.indexOf(name)]))
  return {
    seconds: Float64Array.from(rows, (r) => r.at - first.at),
    columns: new Map(Object.entries(columns).map(([tag, name]) => [tag, column(name)])),
  }
}

interface Row {
  readonly at: number
  readonly cells: readonly string[]
}

function boundsOf(clip: Clip, unit: Replay['time']['unit']): readonly [number, number] {
  const from = clip.from === undefined ? Number.NEGATIVE_INFINITY : momentSeconds(clip.from, unit)
  return [from, clip.to === undefined ? Number.POSITIVE_INFINITY : momentSeconds(clip.to, unit)]
}

/** The rows between two moments whose time is later than that of the row kept before. */
function risingRows(text: string, timeOf: (cells: string[]) => number, [from, to]: readonly [number, number]): Row[] {
  const rows: Row[] = []
  let last = Number.NEGATIVE_INFINITY
  for (const line of text.split('\n').slice(1)) {
    const cells = line.split(',')
    const at = timeOf(cells)
    if (!(at >= from && at <= to && at > last)) continue
    rows.push({ at, cells })
    last = at
  }
  return rows
}

/** The row that stands at so many seconds of the recording: the last one not later. Past the end it holds, or starts again. */
export function rowAt(track: Track, seconds: number, atEnd: Clip['atEnd']): number {
  const times = track.seconds
  const end = times.length - 1
  const length = times[end] ?? 0
  // A loop lasts one more interval, so that the last row is seen as long as its neighbour.
  const period = length + length / Math.max(1, end)
  const at = atEnd === 'loop' && period > 0 ? seconds % period : seconds
  let low = 0
  let high = end
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if ((times[middle] ?? 0) <= at) low = middle
    else high = middle - 1
  }
  return low
}
