import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse, stringify } from 'yaml'
import { openAuthority } from '#cloud/platform/certificates/index.ts'
import { fingerprintOf } from '#cloud/platform/http/root-certificate.ts'
import { edgeFileOf } from '#cloud/web/features/edges/edge-file.ts'
import type { Edge, EdgeRegistered } from '#shared/contracts/edge.ts'
import type { PageOf } from '#shared/contracts/http.ts'
import type { Tag } from '#shared/contracts/tag.ts'
import type { Client } from '#tests/support/client.ts'
import { type Demo, startDemo } from '#tests/support/demo.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const GROUP = 'module-factory'
/** A box elsewhere opens the console under this name; here it is this machine. */
const HOST = 'andon.plant'

interface Endpoint {
  readonly profile: string
  readonly modbus?: { readonly host: string; readonly port: number; readonly unit: number }
}

let demo: Demo
let engineer: Client
const boxes: ChildProcess[] = []

beforeAll(async () => {
  demo = await startDemo()
  engineer = await demo.signIn('engineer')
})
afterAll(async () => {
  for (const box of boxes) {
    const ended = once(box, 'exit')
    if (box.exitCode === null && box.kill('SIGINT')) await ended
  }
  engineer?.close()
  await demo?.stop()
  demo?.remove()
})

/** Registers a box as the engineer does and writes what the console prints for it, with a meter of the simulated plant. */
async function registered(edge: string) {
  const { body } = await engineer.post<EdgeRegistered>('/api/edges', { group: GROUP, edge })
  const { username, secret, broker } = body
  const printed = parse(edgeFileOf({ group: GROUP, edge }, { username, host: HOST, broker }))
  const known = join(demo.data, 'demo', 'endpoints.json')
  await engineer.until('addresses of the plant', async () => existsSync(known))
  const { endpoints } = JSON.parse(readFileSync(known, 'utf8')) as { endpoints: Endpoint[] }
  const meter = endpoints.find(({ profile }) => profile === 'energy-meter')
  const file = join(demo.data, `${edge}.yaml`)
  const mqtt = { ...printed.mqtt, url: printed.mqtt.url.replace(HOST, '127.0.0.1') }
  const devices = [{ ...printed.devices[0], modbus: meter?.modbus }]
  writeFileSync(file, stringify({ ...printed, mqtt, devices, data: `./${edge}-data` }))
  return { file, secret, broker, printed }
}

function startBox(file: string, secret: string) {
  const env = { ...process.env, ANDON_EDGE_SECRET: secret, ANDON_EDGE_PORT: '0' }
  const box = spawn(process.execPath, ['andon.ts', 'edge', '--config', file], { cwd: root, env })
  boxes.push(box)
  let text = ''
  const says = async (wanted: RegExp) => {
    while (!wanted.test(text)) {
      const [chunk] = await Promise.race([once(box.stdout, 'data'), once(box.stderr, 'data')])
      text += chunk
    }
  }
  return { says }
}

describe('a box beyond the machine of the cloud', () => {
  it('follows what the console prints: TLS with the root from /ca, and its values arrive', async () => {
    const { file, secret, broker, printed } = await registered('line-2')
    expect(printed.mqtt).toMatchObject({ url: `mqtts://${HOST}:${broker.tlsPort}`, caFile: './root.pem' })
    const answer = await fetch(`${demo.url}/ca`)
    expect(answer.headers.get('content-type')).toBe('application/x-x509-ca-cert')
    const pem = await answer.text()
    expect(pem).not.toContain('PRIVATE KEY')
    expect(fingerprintOf(pem)).toBe(broker.rootFingerprint)
    const kept = join(demo.data, 'cloud/certificates/root.pem')
    expect(pem).toBe(readFileSync(kept, 'utf8'))
    expect(statSync(kept).mode & 0o777).toBe(0o644)
    writeFileSync(join(demo.data, 'root.pem'), pem)
    startBox(file, secret)
    await engineer.until('good values of the new box', async () => {
      const { items } = await engineer.get<PageOf<Tag>>('/api/tags?edge=line-2&limit=500')
      return items.some(({ quality, sourceAt }) => quality === 'good' && sourceAt !== null)
    })
  })

  it('that trusts another root sends its secret to nobody', async () => {
    const { file, secret } = await registered('line-3')
    const other = await openAuthority({ dir: join(demo.data, 'other'), clock: Date.now })
    writeFileSync(join(demo.data, 'other.pem'), other.rootPem)
    writeFileSync(file, readFileSync(file, 'utf8').replace('./root.pem', './other.pem'))
    await startBox(file, secret).says(/self-signed certificate|unable to verify|unable to get/i)
    const { items } = await engineer.get<PageOf<Edge>>('/api/edges')
    expect(items.find(({ edge }) => edge === 'line-3')?.status).toBe('never')
  })
})
