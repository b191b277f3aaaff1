import type { Role } from '#shared/contracts/person.ts'
import type { IconName } from '../../ui/icons.tsx'

/** A place of the console, as the rail and the bottom bar name it. */
export interface Place {
  readonly key: 'board' | 'alarms' | 'trends' | 'assets' | 'incidents' | 'inbox' | 'work' | 'retros' | 'edges'
  readonly to: string
  readonly icon: IconName
}

export interface PlaceGroup {
  readonly key: 'monitor' | 'respond' | 'maintain' | 'reviewGroup' | 'setUp'
  readonly places: readonly Place[]
}

const place = (key: Place['key'], to = `/${key}`): Place => ({ key, to, icon: key })

const PLACES: Readonly<Record<Place['key'], Place>> = {
  board: place('board'),
  alarms: place('alarms'),
  trends: place('trends'),
  assets: place('assets'),
  incidents: place('incidents'),
  inbox: place('inbox'),
  work: place('work'),
  retros: place('retros'),
  edges: place('edges'),
}

const GROUPS: readonly PlaceGroup[] = [
  { key: 'monitor', places: [PLACES.board, PLACES.alarms, PLACES.trends, PLACES.assets] },
  { key: 'respond', places: [PLACES.incidents, PLACES.inbox] },
  { key: 'maintain', places: [PLACES.work] },
  { key: 'reviewGroup', places: [PLACES.retros] },
  { key: 'setUp', places: [PLACES.edges] },
]

interface Preset {
  readonly home: string
  readonly tabs: readonly Place['key'][]
  readonly leftOut: readonly PlaceGroup['key'][]
}

/** Home, phone tabs and left-out groups by role; rights decide what a place then shows. */
const PRESETS: Readonly<Record<Role, Preset>> = {
  operator: { home: '/board', tabs: ['board', 'alarms', 'incidents', 'inbox'], leftOut: ['setUp'] },
  technician: { home: '/work', tabs: ['work', 'incidents', 'alarms', 'inbox'], leftOut: ['setUp', 'reviewGroup'] },
  lead: { home: '/board', tabs: ['board', 'incidents', 'work', 'inbox'], leftOut: ['setUp'] },
  engineer: { home: '/edges', tabs: ['edges', 'alarms', 'trends', 'inbox'], leftOut: [] },
  manager: { home: '/retros', tabs: ['board', 'incidents', 'retros', 'inbox'], leftOut: ['setUp'] },
  administrator: { home: '/edges', tabs: ['edges', 'board', 'alarms', 'inbox'], leftOut: [] },
  external: { home: '/work', tabs: ['work', 'inbox'], leftOut: ['setUp', 'reviewGroup', 'monitor'] },
}

/** The role that presets what a person with several sees: the one that acts soonest. */
const ORDER: readonly Role[] = ['administrator', 'engineer', 'manager', 'lead', 'technician', 'operator', 'external']

const presetOf = (roles: readonly Role[]): Preset => PRESETS[ORDER.find((role) => roles.includes(role)) ?? 'operator']

/** Where a person starts. */
export const homeOf = (roles: readonly Role[]): string => presetOf(roles).home

/** The rail's groups for a person. */
export const groupsOf = (roles: readonly Role[]): readonly PlaceGroup[] =>
  GROUPS.filter((group) => !presetOf(roles).leftOut.includes(group.key))

/** The phone's bottom bar for a person. */
export const tabsOf = (roles: readonly Role[]): readonly Place[] => presetOf(roles).tabs.map((key) => PLACES[key])
