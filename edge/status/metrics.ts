import type { LaneStatus } from '#edge/drivers/driver.ts'
import type { StatusSources } from './snapshot.ts'

type Labels = Readonly<Record<string, string>>

interface Metric {
  readonly name: string
  readonly kind: 'counter' | 'gauge'
  readonly help: string
  readonly values: readonly (readonly [Labels, number | bigint])[]
}

/** The edge's figures as Prometheus reads them (text format 0.0.4). */
export function metricsText(sources: StatusSources): string {
  return [...processMetrics(sources), ...deviceMetrics(sources), ...laneMetrics(sources), ...pathMetrics(sources)]
    .map(metricText)
    .join('')
}

function metricText({ name, kind, help, values }: Metric): string {
  const lines = values.map(([labels, value]) => `andon_edge_${name}${labelText(labels)} ${value}\n`)
  return `# HELP andon_edge_${name} ${help}\n# TYPE andon_edge_${name} ${kind}\n${lines.join('')}`
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([key, value]) => `${key}="${escaped(value)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

const escaped = (text: string) => text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')

function processMetrics({ now, startedAt }: StatusSources): Metric[] {
  const cpu = process.cpuUsage()
  const gauge = (name: string, help: string, value: number): Metric => ({
    name,
    kind: 'gauge',
    help,
    values: [[{}, value]],
  })
  return [
    gauge('uptime_seconds', 'Time since the agent started.', Math.round((now() - startedAt) / 1000)),
    gauge('memory_bytes', 'Resident memory of the agent.', process.memoryUsage.rss()),
    {
      name: 'cpu_seconds_total',
      kind: 'counter',
      help: 'Processor time used.',
      values: [[{}, (cpu.user + cpu.system) / 1e6]],
    },
  ]
}

function deviceMetrics({ devices }: StatusSources): Metric[] {
  const all = devices()
  const by = (name: string, help: string, of: (status: (typeof all)[number]) => number): Metric => ({
    name,
    kind: name.endsWith('_total') ? 'counter' : 'gauge',
    help,
    values: all.map((status) => [{ device: status.device }, of(status)]),
  })
  return [
    by('device_answers', '1 while the device answers.', (d) => (d.state === 'answers' ? 1 : 0)),
    by('device_failures_total', 'Times that the device was lost or could not be reached.', (d) => d.failures),
    by('device_overruns_total', 'Scans left out because the one before took too long.', (d) => d.overruns),
    by('device_samples_read_total', 'Values read.', (d) => d.read),
    by('device_samples_reported_total', 'Values given to the journal.', (d) => d.reported),
    by('device_samples_refused_total', 'Values that the journal did not take.', (d) => d.refused),
    by('device_tag_faults', 'Tags that are bad although the device answers.', (d) => d.faults.size),
  ]
}

function laneMetrics({ lanes }: StatusSources): Metric[] {
  const all = lanes()
  const by = (name: string, help: string, of: (lane: (typeof all)[number]) => number): Metric => ({
    name,
    kind: name.endsWith('_total') ? 'counter' : 'gauge',
    help,
    values: all.map((lane) => [{ lane: lane.lane }, of(lane)]),
  })
  return [
    by('lane_open', '1 while the link is open.', (l) => (l.isOpen ? 1 : 0)),
    by('lane_requests_total', 'Requests sent.', (l) => l.requests),
    by('lane_timeouts_total', 'Requests without an answer.', (l) => l.timeouts),
    by('lane_stray_replies_total', 'Late or unasked replies, dropped.', (l) => l.strayReplies),
    ...certificateMetrics(all),
    by('lane_round_trip_ms', 'Round trip, smoothed.', (l) => l.roundTripMs),
  ]
}

function certificateMetrics(lanes: readonly LaneStatus[]): Metric[] {
  const values = lanes.flatMap(({ lane, certificatesUntil }) =>
    Object.entries(certificatesUntil ?? {}).map(([of, until]) => [{ lane, of }, until / 1000] as const),
  )
  const help = 'When a certificate of the link expires, seconds since 1970.'
  return [{ name: 'lane_certificate_expires_timestamp_seconds', kind: 'gauge', help, values }]
}

function pathMetrics({ journal, uplink }: StatusSources): Metric[] {
  const [j, u] = [journal(), uplink()]
  const one = (name: string, help: string, value: number | bigint): Metric => ({
    name,
    kind: name.endsWith('_total') ? 'counter' : 'gauge',
    help,
    values: [[{}, value]],
  })
  return [
    one('journal_depth', 'Samples on disk that the cloud has not acknowledged.', j.depth),
    one('journal_bytes', 'Size of the journal on disk.', j.sizeBytes),
    one('journal_accepted_total', 'Samples accepted.', j.counters.accepted),
    one('journal_commits_total', 'Commits.', j.counters.commits),
    one('journal_discarded_total', 'Samples given up, each covered by a gap record.', j.counters.discarded),
    one(
      'journal_thinned_total',
      'Samples left out of a thinned backlog, each covered by a gap record.',
      j.counters.thinned,
    ),
    one(
      'journal_unsynchronised_total',
      'Samples read while gateway time could not be right.',
      j.counters.unsynchronised,
    ),
    one('journal_gaps_total', 'Gap records written.', j.counters.gaps),
    one('uplink_connected', '1 while connected to the cloud.', u.state === 'connected' ? 1 : 0),
    one('uplink_connects_total', 'Connections made.', u.connects),
    one('uplink_sent_total', 'Samples sent.', u.sent),
    one('uplink_resent_total', 'Samples sent again.', u.resent),
    one('uplink_births_total', 'Births published.', u.births),
  ]
}
