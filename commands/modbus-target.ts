import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PolledDriver } from '#edge/drivers/driver.ts'
import { modbus } from '#edge/drivers/modbus/index.ts'
import type { DeviceProfile } from '#shared/contracts/device-profile.ts'
import { createLog } from '#shared/log/log.ts'
import { numberOption, UsageError } from './command.ts'

/** A Modbus device that somebody named on the command line. */
export interface ModbusTarget {
  readonly host: string
  readonly port: number
  readonly unit: number
  readonly timeoutMs: number
}

/** Reads `HOST[:PORT]`, also `[::1]:502`. @throws UsageError for anything else. */
export function targetOf(
  text: string | undefined,
  options: { readonly unit: string; readonly timeout: string },
): ModbusTarget {
  const match = /^(\[[^\]]+\]|[^:\s]+)(?::(\d{1,5}))?$/.exec(text ?? '')
  if (!match?.[1]) throw new UsageError(`'${text ?? ''}' is no HOST[:PORT]`)
  const host = match[1].replace(/^\[|\]$/g, '')
  return {
    host,
    port: Number(match[2] ?? 502),
    unit: unitOf(options.unit),
    timeoutMs: numberOption('timeout', options.timeout, 60_000),
  }
}

/** 0 is a unit too: some devices answer to no other. */
function unitOf(text: string): number {
  if (/^\d{1,3}$/.test(text) && Number(text) <= 255) return Number(text)
  throw new UsageError(`--unit is '${text}': give a whole number from 0 to 255`)
}

/** Opens the device for as long as `use` takes. @throws NotConnectedError when nobody answers. */
export async function withDevice<T>(
  { host, port, unit, timeoutMs }: ModbusTarget,
  addressing: DeviceProfile['modbus'],
  use: (driver: PolledDriver<unknown>, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { signal } = new AbortController()
  const protocol = modbus.start({
    now: Date.now,
    log: createLog({ program: 'andon' }),
    dataDir: join(tmpdir(), 'andon-command'),
  })
  const profile = {
    profile: 'any',
    version: 1,
    name: { en: 'any', 'zh-CN': '任意' },
    assetClass: 'any',
    protocol: 'modbus',
    tags: [],
  } as const
  const driver = protocol.createDriver({
    device: `command-${process.pid}`,
    profile: { ...profile, tags: [], ...(addressing && { modbus: addressing }) },
    config: { host, port, unit, timeoutMs, connectTimeoutMs: Math.max(timeoutMs, 3000) },
  }) as PolledDriver<unknown>
  try {
    await driver.connect(signal)
    return await use(driver, signal)
  } finally {
    await driver.close()
    await protocol.close()
  }
}
