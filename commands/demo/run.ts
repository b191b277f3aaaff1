import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { checkPlantFile } from '#devices/load-plant.ts'
import type { Plant } from '#shared/contracts/plant.ts'
import type { StreamEvent } from '#shared/contracts/stream.ts'
import type { DemoConfig } from './config.ts'
import { type DeviceEndpoint, edgeDocument, writeDocument } from './documents.ts'
import { keepFamily } from './family.ts'
import { follow } from './follow.ts'
import { type DemoSecrets, keepSecrets } from './secrets.ts'
import { type SupervisedChild, supervise } from './supervise.ts'
import { type Say, storyOf } from './terminal.ts'

const ACCOUNTS = ['admin', 'engineer', 'operator', 'maintainer', 'electrician', 'lead', 'manager']

/** What a child tells when it listens. */
type Ready =
  | { readonly type: 'ready'; readonly endpoints: readonly DeviceEndpoint[] }
  | { readonly type: 'ready'; readonly url: string; readonly mqttPort: number }
  | { readonly type: 'ready'; readonly pageUrl: string; readonly pageFingerprint?: string }

interface Running {
  readonly stop: () => Promise<void>
}

/** Everything the demo's parts share. */
interface Context {
  readonly root: string
  readonly config: DemoConfig
  readonly secrets: DemoSecrets
  readonly say: Say
  readonly fail: (reason: string) => void
  readonly ledger: string | undefined
  readonly plant: Plant
  /** A path that the plant file names, made absolute. */
  readonly beside: (path: string) => string
  /** Notes the process id of a part for the next start. */
  readonly note: (name: string, pid: number) => void
}

interface DemoState {
  endpoints?: readonly DeviceEndpoint[]
  url?: string
  mqttPort?: number
}

/** Starts plant, cloud and edge and keeps them running. `fail` is called once when a part cannot be started at all. */
export function runDemo(options: Omit<Context, 'secrets' | 'plant' | 'beside' | 'note'>): Running {
  const { config, say } = options
  const { plant } = checkPlantFile(config.plant)
  for (const part of ['logs', 'demo']) mkdirSync(join(config.data, part), { recursive: true, mode: 0o700 })
  const context: Context = {
    ...options,
    plant,
    beside: (path) => resolve(dirname(config.plant), path),
    note: keepFamily(familyFile(config.data)),
    secrets: keepSecrets(join(config.data, 'secrets.json'), config.password),
  }
  let edge: SupervisedChild | undefined
  const state: DemoState = {}
  let stopFollowing: () => void = () => undefined
  let isStopping = false

  const startEdge = () => {
    // A part that was starting may still say that it is ready: nothing may be started behind the stop.
    if (isStopping || edge || state.endpoints === undefined || state.mqttPort === undefined) return
    edge = supervise(edgeSpec(context, state, () => edge?.ready()))
  }
  const devices = supervise(
    devicesSpec(context, state, (endpoints) => {
      devices.ready()
      if (!state.endpoints) say(`plant    ${endpoints.length} simulated machines answer`)
      state.endpoints = endpoints
      startEdge()
    }),
  )
  const onEvent = (event: StreamEvent) => {
    const story = storyOf(event)
    if (story) say(story)
    if (event.event === 'work-order.done') devices.send({ type: 'work-order-done', device: event.data.device })
  }
  const cloud = supervise(
    cloudSpec(context, state, (url, mqttPort) => {
      cloud.ready()
      const isFirst = state.url === undefined
      Object.assign(state, { url, mqttPort })
      if (!isFirst || isStopping) return
      welcome(context, url)
      stopFollowing = follow({
        url: () => state.url ?? url,
        username: 'admin',
        password: context.secrets.password,
        onEvent,
      })
      startEdge()
    }),
  )

  return {
    stop: async () => {
      isStopping = true
      stopFollowing()
      await edge?.stop()
      await Promise.all([cloud.stop(), devices.stop()])
    },
  }
}

/** Where a demo notes the processes that it started. */
export const familyFile = (data: string): string => join(data, 'demo', 'processes.json')

/** Deletes what an earlier run kept. The directory is recognised by its secrets file, so that no other folder is emptied. */
export function clearData(data: string): void {
  for (const part of ['cloud', 'edge', 'devices', 'demo', 'logs', 'secrets.json']) {
    rmSync(join(data, part), { recursive: true, force: true })
  }
}

function welcome({ secrets, say, config }: Context, url: string): void {
  const shown = config.publicUrl ?? url
  say(`console  ${shown}`)
  say(`accounts ${ACCOUNTS.join(' ')}`)
  say(`password ${secrets.password}`)
  if (config.password !== undefined && config.password !== secrets.password) {
    say('the accounts keep the password of the first start, not that of ANDON_DEMO_PASSWORD; --fresh forgets it')
  }
  say('the compressor will fail within three minutes; watch the board, or sign in as maintainer on a phone')
}

const log = (context: Context, name: string) => join(context.config.data, 'logs', `${name}.log`)
const common = (context: Context, name: string) => ({
  name,
  say: context.say,
  onHopeless: context.fail,
  onStart: (pid: number) => context.note(name, pid),
})
const andon = (context: Context) => join(context.root, 'andon.ts')

function devicesSpec(context: Context, state: DemoState, onReady: (endpoints: readonly DeviceEndpoint[]) => void) {
  const { config } = context
  const args = [
    'devices',
    '--plant',
    config.plant,
    '--speed',
    String(config.speed),
    '--data',
    join(config.data, 'devices'),
  ]
  if (context.ledger) args.push('--ledger', context.ledger)
  return {
    ...common(context, 'plant'),
    command: () => [andon(context), args] as const,
    // A plant that is started again listens where it listened before: the edge knows those addresses.
    env: () => ({ ...config.env, ...keptPorts(state.endpoints) }),
    logFile: log(context, 'devices'),
    onMessage: (message: unknown) => {
      const ready = message as Ready
      if (ready.type === 'ready' && 'endpoints' in ready) onReady(ready.endpoints)
    },
  }
}

function keptPorts(endpoints: readonly DeviceEndpoint[] | undefined): Record<string, string> {
  if (!endpoints) return {}
  const modbus = endpoints.flatMap((e) => (e.modbus ? [e.modbus.port] : []))
  const opcua = endpoints.flatMap((e) => (e.opcua ? [Number(new URL(e.opcua.url).port)] : []))
  return {
    ...(modbus.length ? { ANDON_MODBUS_PORT: String(Math.min(...modbus)) } : {}),
    ...(opcua.length ? { ANDON_OPCUA_PORT: String(Math.min(...opcua)) } : {}),
  }
}

function cloudSpec(context: Context, state: DemoState, onReady: (url: string, mqttPort: number) => void) {
  const { config, plant, secrets, beside } = context
  const file = writeDocument(join(config.data, 'demo'), 'cloud.yaml', {
    version: 1,
    profiles: beside(plant.profiles),
    ...(plant.organisation ? { seed: beside(plant.organisation) } : {}),
  })
  return {
    ...common(context, 'cloud'),
    command: () => [andon(context), ['cloud', '--config', file]] as const,
    env: () => ({
      ...config.env,
      ANDON_DATA: join(config.data, 'cloud'),
      ANDON_HTTP_PORT: state.url ? new URL(state.url).port : String(config.httpPort),
      ANDON_MQTT_PORT: String(state.mqttPort ?? config.mqttPort),
      ANDON_MQTTS_PORT: String(config.mqttsPort),
      ANDON_HTTPS_PORT: String(config.httpsPort),
      ANDON_DEMO_PASSWORD: secrets.password,
      ANDON_EDGE_SECRET: secrets.edgeSecret,
    }),
    logFile: log(context, 'cloud'),
    onMessage: (message: unknown) => {
      const ready = message as Ready
      if (ready.type === 'ready' && 'mqttPort' in ready) onReady(ready.url, ready.mqttPort)
    },
  }
}

function edgeSpec(context: Context, state: DemoState, onReady: () => void) {
  const { config, plant, secrets, beside } = context
  const write = () =>
    writeDocument(
      join(config.data, 'demo'),
      'edge.yaml',
      edgeDocument({
        group: plant.group ?? plant.plant,
        edge: plant.edge ?? 'line-1',
        data: join(config.data, 'edge'),
        profiles: beside(plant.profiles),
        mqttPort: state.mqttPort ?? config.mqttPort,
        endpoints: state.endpoints ?? [],
      }),
    )
  return {
    ...common(context, 'edge'),
    command: () => [andon(context), ['edge', '--config', write()]] as const,
    env: () => ({ ...config.env, ANDON_EDGE_SECRET: secrets.edgeSecret }),
    logFile: log(context, 'edge'),
    onMessage: (message: unknown) => {
      const ready = message as Ready
      if (ready.type !== 'ready' || !('pageUrl' in ready)) return
      onReady()
      const { pageUrl, pageFingerprint } = ready
      context.say(
        `edge     local page ${pageUrl}${pageFingerprint ? ` (its certificate: SHA-256 ${pageFingerprint})` : ''}`,
      )
      writeFileSync(join(config.data, 'demo', 'endpoints.json'), JSON.stringify({ ...state, pageUrl }))
    },
  }
}
