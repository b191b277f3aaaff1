import { countFaults } from '#edge/acquisition/tag-faults.ts'
import type { LaneStatus } from '#edge/drivers/driver.ts'
import { type Metric, metricText } from './metric-text.ts'
import type { StatusSources } from './snapshot.ts'

/** The edge's figures as Prometheus reads them (text format 0.0.4). */
export const metricsText = (sources: StatusSources): string => allMetrics(sources).map(metricText).join('')

/** Every figure with its meaning; also of those that nothing has a value of now. */
export const allMetrics = (sources: StatusSources): readonly Metric[] => [
  ...processMetrics(sources),
  ...deviceMetrics(sources),
  ...laneMetrics(sources),
  ...journalMetrics(sources),
  ...uplinkMetrics(sources),
  ...writeMetrics(sources),
]

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

function deviceMetrics({ devices, drivers }: StatusSources): Metric[] {
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
    by('device_tag_faults', 'Tags that are bad although the device answers.', (d) => countFaults(d.faults).bad),
    by(
      'device_tags_not_measured',
      'Tags of which the device says that it does not measure them.',
      (d) => countFaults(d.faults).notMeasured,
    ),
    by(
      'device_quarantined',
      'Addresses that the device refuses and that are left alone.',
      ({ device }) => drivers.get(device)?.quarantined?.().length ?? 0,
    ),
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
    by('lane_waiting', 'Requests that wait for their turn.', (l) => l.waiting ?? 0),
    by('lane_overruns_total', 'Requests done later than they ought to have been.', (l) => l.overruns ?? 0),
    by(
      'lane_breakers_open',
      'Units that do not answer and are probed in idle time.',
      (l) => l.silentUnits?.length ?? 0,
    ),
    roundTripHistogram(all),
  ]
}

function roundTripHistogram(lanes: readonly LaneStatus[]): Metric {
  const values = lanes.flatMap(({ lane, roundTrips }) => {
    if (!roundTrips) return []
    const buckets = roundTrips.buckets.map(({ leMs, count }) => bucket(lane, leMs, count))
    const count = roundTrips.buckets.at(-1)?.count ?? 0
    return [...buckets, [{ lane }, roundTrips.sumMs / 1000, '_sum'] as const, [{ lane }, count, '_count'] as const]
  })
  return { name: 'lane_round_trip_seconds', kind: 'histogram', help: 'How long replies took.', values }
}

const bucket = (lane: string, leMs: number, count: number) =>
  [{ lane, le: leMs === Infinity ? '+Inf' : String(leMs / 1000) }, count, '_bucket'] as const

function certificateMetrics(lanes: readonly LaneStatus[]): Metric[] {
  const values = lanes.flatMap(({ lane, certificatesUntil }) =>
    Object.entries(certificatesUntil ?? {}).map(([of, until]) => [{ lane, of }, until / 1000] as const),
  )
  const help = 'When a certificate of the link expires, seconds since 1970.'
  return [{ name: 'lane_certificate_expires_timestamp_seconds', kind: 'gauge', help, values }]
}

const one = (name: string, help: string, value: number | bigint): Metric => ({
  name,
  kind: name.endsWith('_total') ? 'counter' : 'gauge',
  help,
  values: [[{}, value]],
})

const seconds = (ms: number) => Math.max(0, ms) / 1000

function journalMetrics({ journal, room, now, gaps, clockOffsetMs }: StatusSources): Metric[] {
  const [j, { bytesLeft }] = [journal(), room()]
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
    one(
      'journal_oldest_age_seconds',
      'Age of the oldest sample that the cloud has not acknowledged; 0 when there is none.',
      seconds(j.oldestAt === undefined ? 0 : now() - j.oldestAt),
    ),
    one('journal_room_bytes', 'What the journal may still take before it thins.', bytesLeft),
    one(
      'journal_retimed_total',
      'Samples that took gateway time because their own was too far off.',
      j.counters.retimed,
    ),
    one('journal_mistyped_total', 'Samples whose value does not fit the type of their tag.', j.counters.mistyped),
    one('clock_synchronised', '0 while gateway time cannot be right.', j.isTimeBelieved ? 1 : 0),
    one(
      'clock_offset_seconds',
      "Added to the machine's clock, which is wrong; 0 when it is not.",
      clockOffsetMs() / 1000,
    ),
    one(
      'clock_jumps',
      'Times that the clock was set, of the gaps that the page lists.',
      gaps().filter(({ cause }) => cause === 'clock-jump').length,
    ),
  ]
}

function uplinkMetrics({ uplink, now, certificateUntil }: StatusSources): Metric[] {
  const u = uplink()
  const until = certificateUntil()
  return [
    one('uplink_connected', '1 while connected to the cloud.', u.state === 'connected' ? 1 : 0),
    one('uplink_connects_total', 'Connections made.', u.connects),
    one('uplink_sent_total', 'Samples sent.', u.sent),
    one('uplink_resent_total', 'Samples sent again.', u.resent),
    one('uplink_births_total', 'Births published.', u.births),
    one('uplink_in_flight', 'Samples sent in this connection and not acknowledged.', u.inFlight),
    one('uplink_backlog', 'Samples that wait to be sent as backlog.', u.backlog),
    one('uplink_refused_messages_total', 'Messages of the host that were not understood.', u.refusedMessages),
    {
      ...one('uplink_acknowledgement_age_seconds', 'Time since the last acknowledgement; absent before the first.', 0),
      values: u.lastAckAt === undefined ? [] : [[{}, seconds(now() - u.lastAckAt)]],
    },
    {
      ...one(
        'certificate_expires_timestamp_seconds',
        'When the certificate of this box expires; absent without one.',
        0,
      ),
      values: until === undefined ? [] : [[{}, until / 1000]],
    },
  ]
}

function writeMetrics({ writeCounts }: StatusSources): Metric[] {
  const values = Object.entries(writeCounts()).map(([result, count]) => [{ result }, count] as const)
  return [{ name: 'writes_total', kind: 'counter', help: 'Commands settled since the start, by result.', values }]
}
