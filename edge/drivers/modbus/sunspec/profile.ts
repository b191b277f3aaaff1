import type { DeviceProfile, ProfileTag } from '#shared/contracts/device-profile.ts'
import type { MachineState } from '#shared/contracts/machine-state.ts'
import type { LocalizedText } from '#shared/contracts/text.ts'
import type { FoundDevice } from './discover.ts'
import { isImplemented, NOT_IMPLEMENTED, textOf } from './implemented.ts'
import type { PointType } from './models.ts'
import { isReadable, type Part, type PlacedModel, type PlacedPoint, placeModels } from './points.ts'

export interface ProfileOptions {
  /** Also points of which the device says that it has not implemented them, and sets of settings that are not in force. */
  readonly hasAll?: boolean
}

/** A profile made of what a device tells of itself. */
export interface MadeProfile {
  readonly profile: DeviceProfile
  /** Ids of models of which no tags were made. */
  readonly unknown: readonly number[]
  /** How many points were left out as not implemented. */
  readonly leftOut: number
}

/** The device has no model of which Andon could make a tag. */
export class NoTagsError extends Error {
  override readonly name = 'NoTagsError'
}

/** Makes a device profile. Mandatory points are always in it: some devices have no values for them at night. @throws NoTagsError */
export function sunspecProfile(found: FoundDevice, { hasAll = false }: ProfileOptions = {}): MadeProfile {
  const placed = placeModels(found.models)
  const all = placed.flatMap((model) => model.points.map((point) => ({ model, point })))
  const used = all.filter(({ point }) => isReadable(point) && (hasAll || isWanted(point)))
  const keys = keysOf(used)
  const tags = used.map((one, i) => tagOf(one, keys[i] ?? ''))
  if (tags.length === 0) throw new NoTagsError(`None of the models ${idsOf(found).join(', ')} is known`)
  const known = new Set(placed.map(({ id }) => id))
  const modbus = { ...WIRE, ...firmwareOf(tags, used) }
  return {
    profile: { ...headOf(placed), modbus, ...machineStateOf(tags, used), tags },
    unknown: idsOf(found).filter((id) => !known.has(id)),
    leftOut: all.length - used.length,
  }
}

const isWanted = (placed: PlacedPoint) => !placed.isStored && (placed.point.isMandatory || isImplemented(placed))

const idsOf = ({ models }: FoundDevice) => models.map(({ id }) => id)

interface Used {
  readonly model: PlacedModel
  readonly point: PlacedPoint
}

/** Name, maker and class. The kind is that of the first model which measures. */
function headOf(placed: readonly PlacedModel[]): Omit<DeviceProfile, 'tags'> {
  const text = (name: string) => {
    const point = placed[0]?.points.find((one) => one.point.name === name)
    return point ? textOf(point) : ''
  }
  const [vendor, type] = [text('Mn'), text('Md')]
  const model = placed.find(({ model }) => model.kind !== 'common')?.model
  const title = `${vendor} ${type}`.trim()
  return {
    profile: keyOf(`sunspec ${title || (model?.label.en ?? 'device')}`),
    version: 1,
    name: { en: title || 'SunSpec device', 'zh-CN': title || 'SunSpec 设备' },
    ...(vendor === '' ? {} : { vendor }),
    assetClass: model?.kind ?? 'device',
    protocol: 'modbus',
  }
}

const WIRE = { wordOrder: 'ABCD', maxGap: 8 } as const

/** Point Vr of the common model, where the device has it. */
function firmwareOf(tags: readonly ProfileTag[], used: readonly Used[]): { readonly firmware?: string } {
  const at = used.findIndex(({ model, point }) => model.model.kind === 'common' && point.point.name === 'Vr')
  const firmware = tags[at]?.tag
  return firmware === undefined ? {} : { firmware }
}

const keyOf = (text: string): string =>
  text
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 64)
    .replace(/^-+|-+$/g, '')

/** A name that two points share gets the number of its model, and of its place where that is not enough. */
function keysOf(used: readonly Used[]): string[] {
  const plain = used.map(({ point }) => keyOf(labelOf(point).en))
  const isShared = (key: string) => plain.filter((other) => other === key).length > 1
  const longer = used.map(({ model }, i) => {
    const key = plain[i] ?? ''
    return isShared(key) && plain.indexOf(key) !== i ? `${key.slice(0, 50)}-m${model.id}` : key
  })
  return longer.map((key, i) => (longer.indexOf(key) === i ? key : `${key.slice(0, 50)}-${used[i]?.point.address}`))
}

function labelOf({ point, parts }: PlacedPoint): LocalizedText {
  const label = point.label ?? { en: point.name, 'zh-CN': point.name }
  const said = (language: keyof LocalizedText) => [...parts.map((part) => partIn(part, language)), label[language]]
  return { en: said('en').join(' '), 'zh-CN': said('zh-CN').join(' ') }
}

const partIn = ({ label, number }: Part, language: keyof LocalizedText): string =>
  number === undefined ? label[language] : `${label[language]}${language === 'en' ? ' ' : ''}${number}`

const AS: Readonly<Partial<Record<PointType, ProfileTag['type']>>> = {
  int16: 'int16',
  uint16: 'uint16',
  enum16: 'uint16',
  bitfield16: 'uint16',
  int32: 'int32',
  uint32: 'uint32',
  acc32: 'uint32',
  bitfield32: 'uint32',
  float32: 'float32',
  int64: 'int64',
  uint64: 'uint64',
  string: 'string',
}

/** What changes seldom or never, or only adds up. */
const isSlow = ({ model }: PlacedModel, { point: { type, unit } }: PlacedPoint) =>
  model.isSetting || type === 'string' || /h$/.test(unit ?? '')

function tagOf({ model, point: placed }: Used, tag: string): ProfileTag {
  const { point, address, factorAddress } = placed
  const nothing = NOT_IMPLEMENTED[point.type]
  return {
    ...{ tag, name: labelOf(placed), address: `holding:${address}`, type: AS[point.type] ?? 'uint16' },
    ...(point.type === 'string' ? { length: point.size } : {}),
    ...(factorAddress === undefined ? {} : { scaleFactor: `holding:${factorAddress}` }),
    ...(nothing === undefined ? {} : { invalid: [nothing] }),
    ...(point.unit === undefined ? {} : { unit: point.unit }),
    ...(isSlow(model, placed) ? { scan: 'slow' as const } : {}),
    ...(point.words === undefined ? {} : { words: point.words }),
  }
}

/** Models 101 to 113 and 701 count states alike; 802 otherwise. */
const INVERTER_STATES: Readonly<Record<string, MachineState>> = {
  '1': 'maintenance',
  '2': 'idle',
  '3': 'set-up',
  '4': 'running',
  '5': 'running',
  '6': 'planned-stop',
  '7': 'unplanned-stop',
  '8': 'idle',
}
const BATTERY_STATES: Readonly<Record<string, MachineState>> = {
  '1': 'planned-stop',
  '2': 'set-up',
  '3': 'running',
  '4': 'idle',
  '5': 'idle',
  '6': 'planned-stop',
  '99': 'unplanned-stop',
}
const STATE_POINTS: Readonly<Record<string, readonly number[]>> = {
  St: [101, 102, 103, 111, 112, 113],
  InvSt: [701],
  State: [802],
}

function machineStateOf(tags: readonly ProfileTag[], used: readonly Used[]): Pick<DeviceProfile, 'machineState'> {
  const at = used.findIndex(({ model, point }) => STATE_POINTS[point.point.name]?.includes(model.id))
  const tag = tags[at]?.tag
  if (tag === undefined) return {}
  return { machineState: { tag, states: used[at]?.model.id === 802 ? BATTERY_STATES : INVERTER_STATES } }
}
