import type { AddressSpace, UAAlarmCondition, UAAlarmConditionEx, UAObject } from 'node-opcua'
import type { AlarmDefinition } from '#shared/contracts/alarm-definition.ts'
import type { ProfileTag } from '#shared/contracts/device-profile.ts'
import type { Priority } from '#shared/contracts/priority.ts'
import type { ServedNode } from './opcua-sent.ts'

/** What the server itself says of one of its alarms. */
export interface ConditionState {
  readonly isActive: boolean
  readonly isAcknowledged: boolean
  /** The comment of the last acknowledgement. */
  readonly comment: string
}

/** Severities in the middle of the ranges that Part 9 gives to systems with four priorities. */
const SEVERITIES: Readonly<Record<Priority, number>> = { critical: 900, high: 700, medium: 500, low: 200 }
const LIMITS = { HH: 'highHighLimit', H: 'highLimit', L: 'lowLimit', LL: 'lowLowLimit' } as const
/** Values of a node that HistoryRead gives. */
const MOST_PAST_VALUES = 10_000

export interface ConditionedDevice {
  readonly space: AddressSpace
  readonly folder: UAObject
  readonly alarms: readonly AlarmDefinition[]
  node(tag: string): ServedNode | undefined
}

/** Makes a condition of the server for each limit alarm of a device's profile; resolves them by the key of the alarm. */
export function addConditions({
  space,
  folder,
  alarms,
  node,
}: ConditionedDevice): ReadonlyMap<string, UAAlarmCondition> {
  const conditions = new Map<string, UAAlarmCondition>()
  for (const definition of alarms) {
    const served = node(definition.tag)
    if (!served || definition.condition.kind !== 'limit') continue
    folder.addReference({ referenceType: 'HasEventSource', nodeId: served.variable })
    const limits = definition.condition.levels.map(({ level, setpoint }) => [
      LIMITS[level],
      rawOf(served.tag, setpoint),
    ])
    const alarm = space.getOwnNamespace().instantiateNonExclusiveLimitAlarm('NonExclusiveLimitAlarmType', {
      ...{
        browseName: definition.alarm,
        conditionName: definition.name.en,
        componentOf: folder,
        conditionSource: served.variable,
      },
      ...{ nodeId: `s=${folder.browseName.name}.${definition.alarm}`, inputNode: served.variable },
      ...Object.fromEntries(limits),
    })
    alarm.sourceName.setValueFromSource({ dataType: 'String', value: definition.tag })
    giveSeverity(alarm, SEVERITIES[definition.priority])
    conditions.set(definition.alarm, alarm)
  }
  return conditions
}

/** Lets the values that a node had be read back. */
export function keepHistory(space: AddressSpace, { variable }: ServedNode): void {
  space.installHistoricalDataNode(variable, { maxOnlineValues: MOST_PAST_VALUES })
}

/** The library knows one severity for all alarms. */
function giveSeverity(alarm: UAAlarmConditionEx, severity: number): void {
  const calculate = alarm.calculateConditionInfo.bind(alarm)
  alarm.calculateConditionInfo = (...given) => Object.assign(calculate(...given), given[1] ? { severity } : {})
}

const rawOf = ({ scale = 1, offset = 0 }: ProfileTag, value: number) => (value - offset) / scale

export function conditionState(alarm: UAAlarmCondition): ConditionState {
  return {
    isActive: alarm.activeState.id.readValue().value.value,
    isAcknowledged: alarm.ackedState.id.readValue().value.value,
    comment: alarm.comment.readValue().value.value?.text ?? '',
  }
}
