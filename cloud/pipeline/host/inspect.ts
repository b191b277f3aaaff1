import { codeOfType } from '#shared/sparkplug/datatype.ts'
import { BD_SEQ, REBIRTH } from '#shared/sparkplug/metric-names.ts'
import { type Alias, decodePayload, type Payload, PayloadError } from '#shared/sparkplug/payload.ts'
import type { EdgeShard, Waiting } from '../shard/edge-shard.ts'
import type { HostContext } from './host-context.ts'
import { type Tolerance, tolerate } from './tolerances.ts'

/** Highest datatype of Sparkplug B 3.0 (DateTimeArray). */
const HIGHEST_DATATYPE = 34
/** The first data messages of a session are all looked into, later ones now and then: a sender breaks a rule always or never. */
const FIRST_MESSAGES = 32
const THEN_EVERY = 256

/** Looks for breaches of the rules in an NBIRTH. */
export function inspectNodeBirth(host: HostContext, shard: EdgeShard, payload: Payload): void {
  const found = new Set<Tolerance>()
  const rebirth = indexOf(payload, REBIRTH)
  if (rebirth < 0) found.add('no-rebirth-metric')
  else if (payload.alias(rebirth) !== undefined) found.add('rebirth-alias')
  if (payload.seq !== undefined && payload.seq !== 0) found.add('nbirth-seq-not-zero')
  const bdSeq = indexOf(payload, BD_SEQ)
  if (bdSeq < 0) found.add('nbirth-without-bdseq')
  else if (payload.datatypeCode(bdSeq) !== codeOfType('int64')) found.add('bdseq-not-int64')
  shard.session.bornTime = null
  shard.session.inspected = 0
  inspectBirth(shard, payload, found)
  for (const rule of found) tolerate(host, shard, rule)
}

/** Looks for breaches of the rules in a DBIRTH. */
export function inspectDeviceBirth(host: HostContext, shard: EdgeShard, device: string, payload: Payload): void {
  const found = new Set<Tolerance>()
  inspectBirth(shard, payload, found)
  if (sharesAlias(shard, device, payload)) found.add('alias-not-unique')
  for (const rule of found) tolerate(host, shard, rule)
}

function inspectBirth(shard: EdgeShard, payload: Payload, found: Set<Tolerance>): void {
  inspectTimes(payload, found)
  const aliases: Alias[] = []
  for (let i = 0; i < payload.count; i++) {
    const code = payload.datatypeCode(i)
    if (code === 0) found.add('missing-datatype')
    if (code > HIGHEST_DATATYPE) found.add('unknown-datatype')
    const alias = payload.alias(i)
    if (alias !== undefined) aliases.push(alias)
  }
  if (new Set(aliases).size < aliases.length) found.add('alias-not-unique')
  noteBirthTime(shard, payload.timestamp, found)
}

function noteBirthTime({ session }: EdgeShard, at: number | undefined, found: Set<Tolerance>): void {
  if (at === undefined) return
  if (session.bornTime !== null && at < session.bornTime) found.add('births-out-of-time-order')
  session.bornTime = at
}

/** A first alias that another device has is enough: whoever numbers each device anew starts them alike. */
function sharesAlias(shard: EdgeShard, device: string, payload: Payload): boolean {
  let first: Alias | undefined
  for (let i = 0; i < payload.count && first === undefined; i++) first = payload.alias(i)
  if (first === undefined) return false
  if (shard.born(undefined).byAlias.has(first)) return true
  for (const other of shard.devices.keys()) {
    if (other !== device && shard.born(other).byAlias.has(first)) return true
  }
  return false
}

function inspectTimes(payload: Payload, found: Set<Tolerance>): void {
  if (payload.timestamp === undefined) found.add('missing-timestamp')
  for (let i = 0; i < payload.count; i++) {
    if (payload.timestampOf(i) !== undefined) continue
    found.add('missing-metric-timestamp')
    return
  }
}

/** Looks for breaches of the rules in an NDATA or DDATA, when it is its turn. The message itself is taken elsewhere. */
export function inspectData(host: HostContext, shard: EdgeShard, { device, payload }: Waiting): void {
  const { session } = shard
  const turn = session.inspected++
  if (turn >= FIRST_MESSAGES && turn % THEN_EVERY !== 0) return
  const found = new Set<Tolerance>()
  try {
    inspectMetrics(shard, device, decodePayload(payload), found)
  } catch (error) {
    if (!(error instanceof PayloadError)) throw error
    return
  }
  for (const rule of found) tolerate(host, shard, rule)
}

function inspectMetrics(shard: EdgeShard, device: string | undefined, payload: Payload, found: Set<Tolerance>): void {
  inspectTimes(payload, found)
  const { byName, byAlias } = shard.born(device)
  for (let i = 0; i < payload.count; i++) {
    if (payload.datatypeCode(i) !== 0) found.add('datatype-in-data')
    const name = payload.name(i)
    if (name === undefined || found.has('name-in-data')) continue
    const slot = byName.get(name)
    const isAliased = payload.alias(i) !== undefined || (slot !== undefined && [...byAlias.values()].includes(slot))
    if (isAliased) found.add('name-in-data')
  }
}

function indexOf(payload: Payload, name: string): number {
  for (let i = 0; i < payload.count; i++) if (payload.name(i) === name) return i
  return -1
}
