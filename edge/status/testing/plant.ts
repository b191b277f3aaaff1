import type { DeviceStatus } from '#edge/acquisition/device.ts'
import { createModel } from '#edge/acquisition/model.ts'
import type { DeviceProfile } from '#shared/contracts/device-profile.ts'
import type { Trouble } from '#shared/reach/probe.ts'
import type { StatusSources } from '../snapshot.ts'

/** The moment at which this plant is looked at. */
export const NOW = 1_800_000_000_000
export const TOKEN = 'a-token-of-24-characters'
export const name = (en: string, zh: string) => ({ en, 'zh-CN': zh })
export const profile: DeviceProfile = {
  profile: 'press',
  version: 1,
  name: name('Press', '压机'),
  assetClass: 'press',
  protocol: 'modbus',
  tags: [
    {
      tag: 'oil',
      name: name('Oil <temperature>', '油温'),
      address: 'holding:0',
      type: 'int16',
      unit: '°C',
      decimals: 1,
    },
    { tag: 'count', name: name('Count', '计数'), address: 'holding:1', type: 'uint64' },
    {
      tag: 'state',
      name: name('State', '状态'),
      address: 'holding:9',
      type: 'int16',
      words: { '1': name('Running', '运行') },
    },
    { tag: 'lid', name: name('Lid', '盖'), address: 'coil:0', type: 'bit' },
  ],
}
const lost: DeviceStatus = {
  device: 'press-2',
  profile: 'press',
  protocol: 'modbus',
  state: 'lost',
  since: NOW - 5000,
  error: '10.0.0.6:502: nobody listens there (connection refused)',
  lossKind: 'refused',
  failures: 3,
  overruns: 0,
  read: 0,
  reported: 0,
  refused: 0,
  faults: new Map(),
}
const answering: DeviceStatus = {
  ...lost,
  device: 'press-1',
  state: 'answers',
  failures: 0,
  read: 10,
  faults: new Map([['lid', 'coil:0: the device has no such address (exception 2)']]),
}

const place = { file: '/etc/edge.yaml', line: 9, column: 3, path: 'devices[1].modbus.host' }
const trouble: Trouble = {
  address: {
    use: 'connect',
    host: 'no-such.invalid',
    port: 502,
    path: ['devices', 1, 'modbus'],
    hostAt: place,
    portAt: place,
  },
  kind: 'unknown-host',
  code: 'ENOTFOUND',
}

function plantModel() {
  const tagsOf = (device: string, from: number) => [
    { id: from, device, tag: 'oil', type: 'double' as const },
    { id: from + 1, device, tag: 'count', type: 'uint64' as const },
    { id: from + 2, device, tag: 'lid', type: 'boolean' as const },
    { id: from + 3, device, tag: 'state', type: 'int16' as const },
  ]
  const devices = ['press-1', 'press-2'].map((device, i) => ({
    device,
    profile: 'press',
    tags: tagsOf(device, i * 10),
  }))
  const model = createModel({ group: 'plant', edge: 'line-1', devices })
  model.update([
    { tagId: 0, sourceAt: NOW - 1500, value: 61.25, quality: 192 },
    { tagId: 1, sourceAt: NOW, value: 18_446_744_073_709_551_615n, quality: 192 },
    { tagId: 2, sourceAt: NOW, value: null, quality: 0 },
    { tagId: 3, sourceAt: NOW, value: 1, quality: 192 },
  ])
  return model
}

const counters = {
  accepted: 12,
  commits: 3,
  replaced: 0,
  shifted: 0,
  repeated: 0,
  retimed: 0,
  mistyped: 0,
  thinned: 0,
  unsynchronised: 0,
  repacked: 0,
  discarded: 4,
  gaps: 1,
}

const JOURNAL = {
  isTimeBelieved: true,
  epoch: 5n,
  newest: 12n,
  acknowledged: 2n,
  depth: 10,
  segments: 1,
  samples: 12,
  sizeBytes: 4096,
  oldestAt: NOW,
  counters,
} as const

const UPLINK = {
  state: 'waiting',
  server: 'mqtt://10.0.0.2:1883',
  since: NOW,
  lastError: 'connect ECONNREFUSED',
  connects: 1,
  lastAckAt: NOW,
  acknowledged: 2n,
  depth: 10,
  inFlight: 0,
  backlog: 10n,
  sent: 2,
  resent: 0,
  births: 1,
  refusedMessages: 0,
} as const

/** A press that answers, with one bad tag, one that is lost, and a cloud that does not answer. */
export function plantSources(): StatusSources {
  return {
    model: plantModel(),
    profiles: new Map([['press', profile]]),
    devices: () => [answering, lost],
    lanes: () => [
      {
        lane: 'modbus 10.0.0.5:502',
        isOpen: true,
        requests: 7,
        timeouts: 1,
        strayReplies: 0,
        roundTripMs: 1.5,
        silentUnits: [7],
        roundTrips: {
          p50Ms: 0.6,
          p95Ms: 12,
          sumMs: 14,
          buckets: [
            { leMs: 1, count: 3 },
            { leMs: Infinity, count: 4 },
          ],
        },
      },
    ],
    journal: () => JOURNAL,
    uplink: () => UPLINK,
    troubles: () => [trouble],
    gaps: () => [
      {
        first: '3',
        last: '6',
        count: 4,
        cause: 'disk-limit',
        firstTime: NOW - 9000,
        lastTime: NOW - 8000,
        device: 'press-1',
      },
    ],
    room: () => ({ bytesLeft: 5e9, hoursLeft: 30 }),
    certificateUntil: () => NOW + 3 * 86_400_000,
    configuration: () => ({ version: 12, hash: '0123456789abcdef', signature: undefined }),
    drivers: new Map(),
    addresses: [trouble.address],
    data: '/var/lib/edge',
    writeCounts: () => ({ done: 2, failed: 0, refused: 1 }),
    writes: () => [
      {
        id: '1',
        device: 'press-1',
        askedAt: NOW,
        writes: [{ tag: 'oil', value: 60 }],
        outcome: { status: 'refused', error: 'No tag oil <may> be written.' },
      },
    ],
    now: () => NOW,
    clockOffsetMs: () => 0,
    pageFingerprint: undefined,
    startedAt: NOW - 60_000,
  }
}
