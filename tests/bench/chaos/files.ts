import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { deviceName, edgeName } from '../ingest/plan.ts'
import { type ChaosLoad, H, HH, ON_DELAY_MS, PROFILE_KEY, places, TAGS, type TagName, TYPES } from './plan.ts'

const text = (en: string) => ({ en, 'zh-CN': en })
const part = (name: string) => ({ [name]: text(name) })
const rationalisation = { ...part('cause'), ...part('consequence'), ...part('action'), timeToRespondMinutes: 30 }
const IN_PROFILE = { double: 'float64', int32: 'int32', boolean: 'bit' } as const

const address = (tag: TagName) => (TYPES[tag] === 'boolean' ? 'coil' : 'holding')

function profile(): object {
  const high = { name: text('High'), priority: 'low' }
  const level = (name: string, { setpoint, deadband }: typeof H | typeof HH) => ({ level: name, setpoint, deadband })
  return {
    ...{ profile: PROFILE_KEY, version: 1, name: text('Chaos block'), assetClass: 'load', protocol: 'modbus' },
    tags: TAGS.map((tag, i) => ({
      ...{ tag, name: text(tag), address: `${address(tag)}:${i * 4}` },
      ...{ type: IN_PROFILE[TYPES[tag]], scan: 'fast' },
    })),
    alarms: [
      {
        ...{ alarm: 'pressure-high', tag: 'pressure', ...high },
        condition: { kind: 'limit', levels: [level('H', H), level('HH', HH)] },
      },
      {
        ...{ alarm: 'level-high', tag: 'level', ...high, onDelaySeconds: ON_DELAY_MS / 1000 },
        condition: { kind: 'limit', levels: [level('H', H)] },
      },
      {
        ...{ alarm: 'machine-fault', tag: 'fault', name: text('Machine fault'), priority: 'high', rationalisation },
        condition: { kind: 'discrete', abnormal: [true] },
        ...{ incident: 'S2', trades: ['mechanical'] },
      },
    ],
  }
}

/** Every device is a machine of its own, so that each fault opens an incident; one person is on duty. */
function organisation({ group, edges, ...load }: ChaosLoad): object {
  const machines = places({ edges, ...load }).map(({ edge, device }) => ({
    asset: `M-${edgeName(edge)}-${deviceName(device)}`,
    ...{ kind: 'work-unit', parent: 'PLANT', name: text(`${edgeName(edge)} ${deviceName(device)}`) },
    device: { group, edge: edgeName(edge), device: deviceName(device) },
  }))
  const person = (key: string, roles: readonly string[]) => ({
    ...{ person: key, name: key, account: key, department: 'plant', roles },
  })
  return {
    version: 1,
    organisation: { key: 'chaos', name: text('Chaos'), timeZone: 'Asia/Shanghai' },
    edges: Array.from({ length: edges }, (_, edge) => ({ group, edge: edgeName(edge), name: edgeName(edge) })),
    departments: [{ department: 'plant', name: text('Plant') }],
    people: [
      person('admin', ['administrator', 'operator', 'lead']),
      { ...person('mechanic', ['technician']), trades: ['mechanical'] },
    ],
    assets: [{ asset: 'PLANT', name: text('Plant'), kind: 'site' }, ...machines],
    schedules: [
      {
        ...{ schedule: 'mechanical', name: text('Duty'), trade: 'mechanical', timeZone: 'Asia/Shanghai' },
        // Nobody accepts in the benchmark: who is called next is left to longer times than its own.
        ...{ turnHours: 1440, primary: ['mechanic'], fallback: 'lead', escalateAfterMinutes: 1440 },
      },
    ],
  }
}

/** Writes profile, organisation and cloud.yaml; answers the path of the last. */
export function writeFiles(dir: string, load: ChaosLoad): string {
  const profiles = join(dir, 'profiles')
  mkdirSync(profiles, { recursive: true })
  writeFileSync(join(profiles, `${PROFILE_KEY}.yaml`), stringify(profile()))
  writeFileSync(join(dir, 'organisation.yaml'), stringify(organisation(load)))
  const config = { version: 1, profiles, seed: join(dir, 'organisation.yaml'), log: 'warn' }
  writeFileSync(join(dir, 'cloud.yaml'), stringify(config))
  return join(dir, 'cloud.yaml')
}
