import type { DeviceStatus, EdgeStatus, GapRecord, MqttPlace, TagStatus } from '#cloud/pipeline/index.ts'
import { fingerprintOf } from '#cloud/platform/http/root-certificate.ts'
import type { Device, Edge, EdgeBroker } from '#shared/contracts/edge.ts'
import { isLoopback } from '#shared/contracts/loopback.ts'
import type { Quality, Scalar } from '#shared/contracts/sample.ts'
import type { Tag, WireQuality, WireValue } from '#shared/contracts/tag.ts'
import type { LocalizedText } from '#shared/contracts/text.ts'
import { configurationState } from '../edge-configurations/index.ts'

const wire = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString())

/** An edge as the fleet screen shows it. */
export function edgeView(edge: EdgeStatus, wanted: Parameters<typeof configurationState>[1], now: number): Edge {
  const { id, group, name, status, gapCount, deviceCount, tagCount } = edge
  return {
    ...{ id, group, edge: edge.edge, name, status, gapCount, deviceCount, tagCount },
    connectedAt: wire(edge.connectedAt),
    lastMessageAt: wire(edge.lastMessageAt),
    journalDepth: String(edge.journalDepth),
    lastGap: edge.lastGap ? gapView(edge.lastGap) : null,
    configuration: configurationState(edge, wanted, now),
    report: edge.report,
    faults: [...edge.faults],
  }
}

/** A gap by source time; where the edge could not tell, by when it was recorded. */
export function gapView(gap: GapRecord) {
  return {
    device: gap.device,
    from: new Date(gap.firstTime ?? gap.recordedAt).toISOString(),
    to: new Date(gap.lastTime ?? gap.recordedAt).toISOString(),
    count: String(gap.count),
    cause: gap.cause,
  }
}

/** How a box reaches the broker. */
export function brokerView(mqtt: MqttPlace): EdgeBroker {
  const { url, isExternal, port, tlsPort, tlsHost, root } = mqtt
  return {
    url: isExternal ? url : null,
    port,
    tlsPort: tlsPort ?? null,
    isLocal: !isExternal && isLoopback(tlsHost ?? '127.0.0.1'),
    rootFingerprint: root === undefined ? null : fingerprintOf(root),
  }
}

export function deviceView(device: DeviceStatus, assetId: string | null): Device {
  const { id, group, edge, profile, status, tagCount, badTagCount } = device
  const own = { id, group, edge, device: device.device, profile, status, tagCount, badTagCount }
  return { ...own, assetId, bornAt: wire(device.bornAt) }
}

/** 64-bit integers beyond 2^53 keep their digits as text. */
export function wireValue(value: Scalar): WireValue {
  if (typeof value !== 'bigint') return typeof value === 'number' && !Number.isFinite(value) ? null : value
  const isExact = value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)
  return isExact ? Number(value) : String(value)
}

export function wireQuality(quality: Quality, isStale: boolean): WireQuality {
  if (isStale) return 'stale'
  if (quality === 192) return 'good'
  return quality === 64 ? 'uncertain' : 'bad'
}

/** A tag with its newest value. */
export function tagView(tag: TagStatus): Tag {
  const { id, path, group, edge, device, type, unit, name, live, definition } = tag
  return {
    ...{ id, path, group, edge, device, tag: tag.tag, type, unit, name },
    decimals: definition?.decimals ?? null,
    range: definition?.range ?? null,
    words: (definition?.words as Record<string, LocalizedText> | undefined) ?? null,
    limits: tag.limits.map(({ level, setpoint, priority }) => ({ level, setpoint, priority })),
    value: wireValue(live.value),
    quality: wireQuality(live.quality, live.isStale),
    sourceAt: wire(live.sourceAt),
  }
}
