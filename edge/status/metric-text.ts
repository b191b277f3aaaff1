export type Labels = Readonly<Record<string, string>>

/** One figure, with every value that it has now; of a histogram each value with the end of its name. */
export interface Metric {
  readonly name: string
  readonly kind: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  readonly values: readonly (readonly [labels: Labels, value: number | bigint, suffix?: string])[]
}

const PREFIX = 'andon_edge_'

/** A figure in the text format 0.0.4 of Prometheus. */
export function metricText({ name, kind, help, values }: Metric): string {
  const lines = values.map(([labels, value, suffix = '']) => `${PREFIX}${name}${suffix}${labelText(labels)} ${value}\n`)
  return `# HELP ${PREFIX}${name} ${help}\n# TYPE ${PREFIX}${name} ${kind}\n${lines.join('')}`
}

/** The figures as a table for people. */
export function metricsTable(metrics: readonly Metric[]): string {
  const rows = metrics.map(({ name, kind, help }) => `| \`${PREFIX}${name}\` | ${kind} | ${help} |`)
  return ['| metric | kind | what it tells |', '| --- | --- | --- |', ...rows].join('\n')
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([key, value]) => `${key}="${escaped(value)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

const escaped = (text: string) => text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
