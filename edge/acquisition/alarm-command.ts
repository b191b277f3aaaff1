import { Value } from 'typebox/value'
import { type AnyDriver, NotConnectedError, WriteError } from '#edge/drivers/driver.ts'
import { AlarmCommand } from '#shared/contracts/alarm-command.ts'
import type { StandingAlarm } from './condition-events.ts'

/** What became of an action on an alarm; `failed`: nobody knows. */
export interface AlarmOutcome {
  readonly status: 'done' | 'refused' | 'failed'
  readonly error?: string
}

/** A device whose own alarms may be acknowledged. */
export interface AlarmedDevice {
  readonly driver: AnyDriver
  alarm(pointId: string): StandingAlarm | undefined
}

const ANSWERS_WITHIN_MS = 10_000

/** Acknowledges an alarm at the device that judges it; the device's own event tells the rest. Never rejects. */
export async function actOnAlarm(devices: readonly AlarmedDevice[], json: string): Promise<AlarmOutcome> {
  const command = read(json)
  if (!command) return refused('The alarm command cannot be read. Both sides may be of different versions.')
  if (command.kind !== 'acknowledge')
    return refused(`The edge does not ${command.kind} alarms of a device; the cloud keeps that itself.`)
  for (const { driver, alarm } of devices) {
    const standing = alarm(command.pointId)
    if (standing) return acknowledge(driver, standing, command)
  }
  return refused('No device of this edge reports this alarm now. See whether the device answers.')
}

const refused = (error: string): AlarmOutcome => ({ status: 'refused', error })

function read(json: string): AlarmCommand | undefined {
  try {
    const value: unknown = JSON.parse(json)
    return Value.Check(AlarmCommand, value) ? value : undefined
  } catch {
    return undefined
  }
}

async function acknowledge(
  driver: AnyDriver,
  { condition, eventId }: StandingAlarm,
  { comment = '' }: AlarmCommand,
): Promise<AlarmOutcome> {
  if (driver.kind !== 'subscribing' || !driver.acknowledge) return refused('The device takes no acknowledgement.')
  try {
    await driver.acknowledge(condition, eventId, comment, AbortSignal.timeout(ANSWERS_WITHIN_MS))
    return { status: 'done' }
  } catch (error) {
    if (error instanceof WriteError) return refused(error.message)
    if (error instanceof NotConnectedError) return { status: 'failed', error: error.message }
    throw error
  }
}
