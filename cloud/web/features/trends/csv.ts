import type { History } from '#shared/contracts/history.ts'

/** The history as RFC 4180 lines: one bucket a line, times in RFC 3339. */
export function csvOf(history: History): string {
  const lines = history.series.flatMap((series) =>
    series.at.map((at, i) =>
      [
        new Date(at).toISOString(),
        series.path,
        series.first[i] ?? '',
        series.min[i] ?? '',
        series.max[i] ?? '',
        series.last[i] ?? '',
        series.count[i] ?? '',
        series.quality[i] ?? '',
      ].join(','),
    ),
  )
  return ['time,tag,first,min,max,last,count,quality', ...lines, ''].join('\r\n')
}
