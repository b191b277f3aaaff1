import { spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import mqtt from 'mqtt'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { scriptedServer } from '#edge/drivers/modbus/testing/scripted-server.ts'
import { signIn } from '#tests/support/client.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const dir = mkdtempSync(join(tmpdir(), 'andon-bad-'))

interface Ended {
  readonly code: number | null
  readonly text: string
}

/** Starts the one command as a person would. `says` resolves once a text was printed, `ended` with the exit code. */
function launch(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const child = spawn(process.execPath, ['andon.ts', ...args], { cwd: root, env: { ...process.env, ...env } })
  let text = ''
  const printed = new EventEmitter()
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk) => {
      text += chunk
      printed.emit('more')
    })
  }
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  const says = async (wanted: string) => {
    while (!text.includes(wanted)) {
      const isOver = await Promise.race([once(printed, 'more').then(() => false), ended.then(() => true)])
      if (isOver && !text.includes(wanted)) throw new Error(`It ended without saying '${wanted}':\n${text}`)
    }
  }
  return { child, ended, says, text: () => text }
}

/** Runs the one command and waits for its end. */
async function andon(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const { ended, text } = launch(args, env)
  return { code: await ended, text: text() }
}

function file(name: string, text: string): string {
  const path = join(dir, name)
  writeFileSync(path, text)
  return path
}

/** Takes a port of this machine and runs `use` while it is taken. */
async function withTakenPort<T>(use: (port: number) => Promise<T>): Promise<T> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    return await use((server.address() as { port: number }).port)
  } finally {
    server.close()
  }
}

/** Ports of this machine on which nothing listens: they were free a moment ago. */
async function closedPorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map((server) => once(server, 'listening')))
  const ports = servers.map((server) => (server.address() as { port: number }).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

/** An edge file without a fault, whose device and broker are not there; its page is on ANDON_EDGE_PORT. */
const minimalEdge = (data: string) => `version: 1
group: works
edge: line-1
data: ${join(dir, data)}
mqtt: { url: mqtt://127.0.0.1:1 }
devices:
  - { device: meter, profile: energy-meter, modbus: { host: 127.0.0.1, port: 1 } }
`

afterAll(() => rmSync(dir, { recursive: true, force: true }))

describe('a wrong file', () => {
  it('of an edge tells every fault at once, with line, path and the nearest name', async () => {
    const path = file(
      'edge.yaml',
      `version: 1
group: module-factory
edge: line-1
mqtt: { url: mqtt://127.0.0.1:1883 }
scann: { fast: 100 }
devices:
  - device: meter-1
    profile: energy-metre
    modbus: { host: 127.0.0.1, port: sixty, unit: 1 }
`,
    )
    const { code, text } = await andon(['check', path])
    expect(code).toBe(1)
    expect(text).toMatch(/5.*scann/s)
    expect(text).toContain("'scan'")
    expect(text).toMatch(/devices\S*port/)
    expect(text).toContain("'energy-meter'")
    expect(text).toMatch(/9/)
  })

  it('of an edge tells addresses that do not answer beside its other faults, in the order of the lines', async () => {
    const [free] = await closedPorts(1)
    const path = file(
      'unreachable.yaml',
      `version: 1
group: module-factory
edge: line-1
mqtt: { url: mqtt://no-such-broker.invalid }
scann: { fast: 100 }
devices:
  - { device: a, profile: energy-meter, modbus: { host: no-such-host.invalid } }
  - { device: b, profile: energy-metre, modbus: { host: 127.0.0.1, port: ${free} } }
  - { device: c, profile: chemical-unit, opcua: { url: opc.tcp://127.0.0.1:${free} } }
  - { device: d, profile: energy-meter, modbus: { host: 10.0.0.256, port: 502 } }
`,
    )
    const { code, text } = await andon(['check', path])
    expect(code).toBe(1)
    const places = [...text.matchAll(/unreachable\.yaml:(\d+):\d+ {2}(\S+):/g)].map(([, line, at]) => `${line} ${at}`)
    expect(places).toEqual([
      '4 mqtt.url',
      '5 scann',
      '7 devices[0].modbus.host',
      '8 devices[1].profile',
      '8 devices[1].modbus.port',
      '9 devices[2].opcua.url',
      '10 devices[3].modbus.host',
    ])
    expect(text).toMatch(/'no-such-host\.invalid': this host name .*\n.*write the IP address/)
    expect(text).toContain(`127.0.0.1:${free}: nothing listens on that port`)
    const offline = await andon(['check', '--offline', path])
    expect(offline.code).toBe(1)
    expect(offline.text).toContain('3 faults')
  })

  it('of a plant names the device, the missing profile and the one that was meant', async () => {
    const path = file(
      'plant.yaml',
      `version: 1
plant: p
name: { en: P, zh-CN: P }
profiles: ${join(root, 'devices/profiles')}
recordings: ${join(root, 'devices/recordings')}
devices:
  - device: m
    profile: energy-metr
    modbus: { port: 0, unit: 1 }
    machine: { model: energy-meter }
`,
    )
    const { code, text } = await andon(['check', path])
    expect(code).toBe(1)
    expect(text).toContain('energy-metr')
    expect(text).toContain("'energy-meter'")
  })

  it('of a device profile, of an organisation and of the cloud tell theirs, all files in one go', async () => {
    const shipped = (path: string) => readFileSync(join(root, 'devices', path), 'utf8')
    const profile = shipped('profiles/energy-meter.yaml')
      .replace('assetClass:', 'assetClas:')
      .replace('scan: slow', 'scan: slo')
    const organisation = shipped('plants/module-factory.organisation.yaml')
      .replace('parent: factory', 'parent: factry')
      .replace('organisation:', 'organization:')
    const { code, text } = await andon([
      'check',
      file('meter.yaml', profile),
      file('works.yaml', organisation),
      file('cloud-file.yaml', 'version: 2\nlog: loud\nprofile: ./here\n'),
    ])
    expect(code).toBe(1)
    expect(text).toMatch(/meter\.yaml:\d+:\d+ {2}assetClas: .*\n.*'assetClass'/)
    expect(text).toMatch(/meter\.yaml:\d+:\d+ {2}tags\[\d+\]\.scan: .*'slo'/)
    expect(text).toMatch(/works\.yaml:\d+:\d+ {2}organization: .*\n.*'organisation'/)
    expect(text).toMatch(/cloud-file\.yaml:1:\d+ {2}version: /)
    expect(text).toMatch(/cloud-file\.yaml:2:\d+ {2}log: .*'loud'/)
    expect(text).toMatch(/cloud-file\.yaml:3:\d+ {2}profile: .*\n.*'profiles'/)
  })

  it('of the cloud refuses the start and changes nothing', async () => {
    const path = file('cloud.yaml', 'version: 1\nprofile: ./here\n')
    const { code, text } = await andon(['cloud', '--config', path], { ANDON_DATA: join(dir, 'untouched') })
    expect(code).toBe(1)
    expect(text).toContain("'profiles'")
    expect(existsSync(join(dir, 'untouched'))).toBe(false)
  })
})

describe('a plant file whose device is to listen on an address of another machine', () => {
  it('is refused by the check, while its ports may be in use', async () => {
    const shipped = readFileSync(join(root, 'devices/plants/module-factory.yaml'), 'utf8')
    const moved = (host: string, port: number) =>
      shipped
        .replaceAll(/(profiles|recordings): \.\./g, `$1: ${join(root, 'devices')}`)
        .replace('organisation: ', `organisation: ${join(root, 'devices/plants')}/`)
        .replace('{ port: 5020, unit: 1 }', `{ host: ${host}, port: ${port}, unit: 1 }`)
    const foreign = await andon(['check', file('foreign.yaml', moved('192.0.2.1', 5999))])
    expect(foreign.code).toBe(1)
    expect(foreign.text).toMatch(
      /foreign\.yaml:\d+:\d+ {2}devices\[0\]\.modbus\.host: .*not an address of this machine/,
    )
    await withTakenPort(async (port) => {
      const own = await andon(['check', file('own.yaml', moved('127.0.0.1', port))])
      expect([own.code, own.text]).toEqual([0, expect.stringContaining('good (plant; 8 addresses tried)')])
    })
  })
})

describe('an edge whose devices are partly not there', () => {
  it('starts, reads the others, and lists once, all together, what does not answer', async () => {
    const [free] = await closedPorts(1)
    const device = await scriptedServer()
    const path = file(
      'partly.yaml',
      `version: 1
group: works
edge: line-1
data: ${join(dir, 'edge-data')}
mqtt: { url: mqtt://127.0.0.1:${free} }
status: { port: 0 }
devices:
  - { device: here, profile: energy-meter, modbus: { host: 127.0.0.1, port: ${device.port} } }
  - { device: unknown, profile: energy-meter, modbus: { host: no-such-host.invalid } }
  - { device: off, profile: energy-meter, modbus: { host: 127.0.0.1, port: ${free} } }
`,
    )
    const edge = launch(['edge', '--config', path], { ANDON_EDGE_PORT: '' })
    const warning = 'Addresses of the configuration do not answer'
    await edge.says(warning)
    const [page = ''] = /http:[^\s"]+\//.exec(edge.text()) ?? []
    const token = readFileSync(join(dir, 'edge-data/status-token'), 'utf8').trim()
    const answer = await fetch(`${page}api/status`, { headers: { authorization: `Bearer ${token}` } })
    const status = (await answer.json()) as { devices: { state: string; read: number }[]; faults: { at: string }[] }
    expect(status.devices.map(({ state }) => state)).toEqual(['answers', 'lost', 'lost'])
    expect(status.devices[0]?.read).toBeGreaterThan(0)
    expect(status.faults.map(({ at }) => at)).toEqual([`${path}:5`, `${path}:9`, `${path}:10`])
    edge.child.kill('SIGTERM')
    expect(await edge.ended).toBe(0)
    expect(edge.text().split(warning)).toHaveLength(2)
    const [line = ''] = edge.text().match(new RegExp(`.*${warning}.*`)) ?? []
    expect((JSON.parse(line) as { addresses: object[] }).addresses).toMatchObject([
      { at: `${path}:5`, path: 'mqtt.url' },
      { at: `${path}:9`, path: 'devices[1].modbus.host' },
      { at: `${path}:10`, path: 'devices[2].modbus.port' },
    ])
    await device.close()
  })
})

describe('a port in use', () => {
  it.each([
    ['ANDON_HTTP_PORT', ['cloud']],
    ['ANDON_MQTT_PORT', ['cloud']],
    ['ANDON_MQTTS_PORT', ['cloud']],
    ['ANDON_EDGE_PORT', ['edge', '--config', join(dir, 'page.yaml')]],
    ['ANDON_MODBUS_PORT', ['devices', '--plant', 'devices/plants/module-factory.yaml']],
    ['ANDON_OPCUA_PORT', ['devices', '--plant', 'devices/plants/module-factory.yaml']],
  ])('is a clear error that names %s', async (setting, args) => {
    file('page.yaml', minimalEdge('page-data'))
    const { code, text } = await withTakenPort((port) =>
      andon(args, {
        ANDON_DATA: join(dir, setting.toLowerCase()),
        ANDON_HTTP_PORT: '0',
        ANDON_MQTT_PORT: '0',
        ANDON_EDGE_PORT: '0',
        ANDON_MODBUS_PORT: '0',
        ANDON_OPCUA_PORT: '0',
        [setting]: String(port),
      }),
    )
    expect(code).toBe(1)
    expect(text).toContain(setting)
    expect(text).not.toMatch(/^ {4}at /m)
  })
})

describe('data of another version', () => {
  it('keeps the cloud from starting, with both versions and what to do, and stays as it was', async () => {
    const data = join(dir, 'newer-cloud')
    mkdirSync(data)
    writeFileSync(join(data, 'format'), '99\n')
    const { code, text } = await andon(['cloud'], { ANDON_DATA: data, ANDON_HTTP_PORT: '0', ANDON_MQTT_PORT: '0' })
    expect(code).toBe(1)
    expect(text).toMatch(
      /newer-cloud has the format '99'.*Start the version that made it, or choose another ANDON_DATA/,
    )
    expect(readdirSync(data)).toEqual(['format'])
  })

  it('keeps an edge from starting, with both versions and what another directory would lose', async () => {
    const path = file('newer.yaml', minimalEdge('newer-data'))
    const journal = join(dir, 'newer-data', 'journal')
    mkdirSync(journal, { recursive: true })
    const db = new DatabaseSync(join(journal, 'journal.db'))
    db.exec(
      "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT; INSERT INTO meta VALUES ('version', '99')",
    )
    db.close()
    const { code, text } = await andon(['edge', '--config', path], { ANDON_EDGE_PORT: '0' })
    expect(code).toBe(1)
    expect(text).toMatch(
      /is of version 99, this program reads version 2\. Start a newer Andon.*another 'data' in edge\.yaml/,
    )
  })
})

describe('a cloud at work', () => {
  const settings = {
    ANDON_DATA: join(dir, 'at-work'),
    ANDON_HTTP_PORT: '0',
    ANDON_MQTT_PORT: '0',
    ANDON_DEMO_PASSWORD: 'demo-Test-1',
    ANDON_EDGE_SECRET: 'secret-of-line-1',
  }
  let cloud: ReturnType<typeof launch>
  let url = ''
  let mqttUrl = ''
  beforeAll(async () => {
    const seed = join(root, 'devices/plants/module-factory.organisation.yaml')
    cloud = launch(['cloud', '--config', file('at-work.yaml', `version: 1\nseed: ${seed}\n`)], settings)
    await cloud.says('andon cloud: console ')
    // The log comes by another stream.
    await cloud.says('"msg":"Cloud started"')
    url = /console (http:\S+)/.exec(cloud.text())?.[1] ?? ''
    mqttUrl = `mqtt://127.0.0.1:${/"mqttPort":(\d+)/.exec(cloud.text())?.[1]}`
  })
  afterAll(async () => {
    cloud.child.kill('SIGTERM')
    await cloud.ended
  })
  const counted = async (metric: RegExp) => Number(metric.exec(await (await fetch(`${url}/metrics`)).text())?.[1] ?? 0)
  const asEdge = (password = settings.ANDON_EDGE_SECRET) =>
    mqtt.connectAsync(mqttUrl, { username: 'module-factory/line-1', password, reconnectPeriod: 0 }, false)
  const linesOf = (reason: string) =>
    cloud
      .text()
      .split('\n')
      .filter((line) => line.includes(`"reason":"${reason}"`))

  it('counts each broken payload of an edge, tells them in one line, and goes on taking what is right', async () => {
    const edge = await asEdge()
    const rejected = /^andon_payloads_rejected_total\{reason="broken"\} (\d+)$/m
    for (const nonsense of [Buffer.from('no protobuf'), Buffer.alloc(40, 0xff), Buffer.from([0x12, 0x7f, 0x01])]) {
      await edge.publishAsync('spBv1.0/module-factory/NDATA/line-1', nonsense, { qos: 1 })
    }
    await expect.poll(() => counted(rejected), { timeout: 10_000 }).toBe(3)
    expect(linesOf('broken-ndata')).toEqual([expect.stringContaining('"sender":"module-factory/line-1"')])
    expect(edge.connected).toBe(true)
    await edge.endAsync()
  })

  it('refuses a connection with a wrong secret, and a message to a topic of others, and tells each once', async () => {
    const refused = (reason: string) => () =>
      counted(new RegExp(`^andon_mqtt_refused_total\\{reason="${reason}"\\} (\\d+)$`, 'm'))
    const PATIENT = { timeout: 10_000 }
    for (const _again of [1, 2]) await expect(asEdge('guessed')).rejects.toThrow(/Bad username or password/)
    await expect.poll(refused('unknown-edge-or-bad-secret'), PATIENT).toBe(2)
    await expect.poll(() => linesOf('unknown-edge-or-bad-secret').length, PATIENT).toBe(1)
    for (const _again of [1, 2]) {
      const edge = await asEdge()
      const closed = new Promise<void>((resolve) => edge.once('close', resolve))
      edge.publish('spBv1.0/module-factory/NDATA/line-9', 'forged')
      await closed
    }
    await expect.poll(refused('publish-not-allowed'), PATIENT).toBe(2)
    expect(linesOf('publish-not-allowed')).toEqual([
      expect.stringContaining('"topic":"spBv1.0/module-factory/NDATA/line-9"'),
    ])
  })

  it('answers a body that does not fit its schema with every fault and the place of each, and changes nothing', async () => {
    const engineer = await signIn(url, 'engineer', settings.ANDON_DEMO_PASSWORD)
    const before = await engineer.get<{ items: unknown[] }>('/api/edges')
    const answer = await engineer.post<{ code: string; errors: { path: string }[] }>('/api/edges', {
      group: 'module-factory',
      edge: 7,
      nmae: 'x',
    })
    expect(answer.status).toBe(400)
    expect(answer.body.errors.map(({ path }) => path).toSorted()).toEqual(['/edge', '/nmae'])
    const noJson = await fetch(`${url}/api/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"username": ',
    })
    expect([noJson.status, noJson.headers.get('content-type')]).toEqual([400, expect.stringContaining('problem+json')])
    expect(await engineer.get('/api/edges')).toEqual(before)
    engineer.close()
  })
})

describe('a wrong call', () => {
  it('exits 2 with the usage', async () => {
    const { code, text } = await andon(['dmeo'])
    expect(code).toBe(2)
    expect(text).toContain('usage: andon COMMAND')
  })

  it.each([
    ['an unknown option', ['devices', '--plnat', 'x'], '--plnat'],
    ['an option without its value', ['edge', '--config'], '--config'],
    ['a missing option', ['edge'], '--config FILE'],
    ['a word too many', ['cloud', 'now'], "'now'"],
    ['a value that is no number', ['demo', '--speed', 'x'], "--speed is 'x'"],
    ['a value that is no number', ['devices', '--speed', 'x'], "--speed is 'x'"],
    ['a value out of range', ['devices', '--plant', 'any', '--speed', '1001'], "--speed is '1001'"],
    ['a value that is no length', ['bench', 'codec', '--seconds', '0'], "--seconds is '0'"],
    ['a value that is no role', ['cloud', '--roles', 'web,workr'], "'worker'"],
    ['a value that is no role', ['user', 'add', 'kim', '--role', 'boss'], "no role 'boss'"],
  ])('with %s exits 2, names it and shows how that command is called: %j', async (_what, args, fault) => {
    const { code, text } = await andon(args, { ANDON_DATA: join(dir, 'never-made') })
    expect(code).toBe(2)
    expect(text).toContain(fault)
    expect(text).toContain(`usage: andon ${args[0]} `)
    expect(text).not.toContain('usage: andon COMMAND')
    expect(existsSync(join(dir, 'never-made'))).toBe(false)
  })
})
