import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { devicesEnvironment } from '#devices/config.ts'
import { loadPlant } from '#devices/load-plant.ts'
import { openLedger } from '#devices/simulators/ledger.ts'
import { type Endpoint, type RunningPlant, startPlant } from '#devices/simulators/start-plant.ts'
import { createLog, type Log, silentLog } from '#shared/log/log.ts'
import { type Command, FASTEST, numberOption, UsageError } from './command.ts'

const HELP = `usage: andon devices --plant FILE [--speed N] [--ledger FILE] [--data DIR] [--json]

Starts the simulated devices of a plant file and keeps them running until Ctrl-C.

  --plant FILE   the plant, such as devices/plants/module-factory.yaml
  --speed N      so many seconds of the plant in one second, at most 1000 (default 1)
  --ledger FILE  appends every value served, one JSON object a line
  --data DIR     where the OPC UA server keeps its certificates (default .andon/devices)
  --json         prints one JSON line once all devices answer, then logs as JSON lines

ANDON_MODBUS_PORT and ANDON_OPCUA_PORT move the devices; 0 picks free ports.
A line {"type":"work-order-done","device":"NAME"} on standard input tells a device that it has been repaired.`

const OPTIONS = {
  plant: { type: 'string' },
  speed: { type: 'string', default: '1' },
  ledger: { type: 'string' },
  data: { type: 'string' },
  json: { type: 'boolean', default: false },
} as const

/** `andon devices`: the simulated devices alone. */
export const command: Command = { help: HELP, run }

async function run(args: readonly string[]): Promise<number> {
  keepHeapSmall()
  const { values } = parseArgs({ args: [...args], options: OPTIONS })
  const speed = numberOption('speed', values.speed, FASTEST)
  if (values.plant === undefined) throw new UsageError('devices needs --plant FILE')
  const env = devicesEnvironment()
  const log = values.json || process.send ? createLog({ program: 'devices' }) : silentLog
  const plant = await startPlant({
    loaded: loadPlant(values.plant),
    ports: env,
    dataDir: values.data ?? env.dataDir,
    speed,
    log,
    now: Date.now,
    ...(values.ledger !== undefined && { ledger: openLedger(values.ledger) }),
  })
  tellReady(plant.endpoints, values.json)
  await untilStopped(plant, log)
  await plant.close()
  return 0
}

/** The OPC UA library alone lets the heap grow to 240 MB; told to save space before it loads, the process stays near 130 MB. */
function keepHeapSmall(): void {
  setFlagsFromString('--optimize-for-size')
  setFlagsFromString('--max-semi-space-size=4')
}

function tellReady(endpoints: readonly Endpoint[], isJson: boolean): void {
  const ready = { type: 'ready', ready: true, endpoints }
  process.send?.(ready)
  if (isJson) process.stdout.write(`${JSON.stringify(ready)}\n`)
  else process.stdout.write(`${endpoints.map(endpointText).join('\n')}\nCtrl-C stops the plant.\n`)
}

function endpointText({ device, profile, modbus, opcua }: Endpoint): string {
  const where = modbus ? `modbus://${modbus.host}:${modbus.port} unit ${modbus.unit}` : (opcua?.url ?? '')
  return `${device.padEnd(16)} ${profile.padEnd(18)} ${where}`
}

/** Hands messages to the plant until a signal, or until the parent that holds the IPC channel is gone. */
function untilStopped(plant: RunningPlant, log: Log): Promise<void> {
  const stopped = new Promise<void>((resolve) => {
    const take = (message: unknown) => takeMessage(message, plant, log)
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
    if (process.send) {
      process.on('message', take)
      process.once('disconnect', () => resolve())
    }
    if (process.stdin.isTTY) return
    createInterface({ input: process.stdin }).on('line', (line) => take(parseLine(line)))
  })
  return stopped.then(() => {
    process.stdin.destroy()
    if (process.connected) process.disconnect?.()
  })
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return line
  }
}

function takeMessage(message: unknown, plant: RunningPlant, log: Log): void {
  const { type, device } = (message ?? {}) as { type?: unknown; device?: unknown }
  if (type === 'work-order-done' && typeof device === 'string') plant.workOrderDone(device)
  else log.warn({ received: message }, 'Message not understood')
}
