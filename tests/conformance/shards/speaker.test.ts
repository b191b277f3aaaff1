import { type Kysely, sql } from 'kysely'
import mqtt, { type MqttClient } from 'mqtt'
import type { IConnectPacket } from 'mqtt-packet'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Broker } from '#cloud/pipeline/broker/broker.ts'
import { connectBroker } from '#cloud/pipeline/broker/external.ts'
import { forgetMembers, join, type Member } from '#cloud/pipeline/lease/members.ts'
import { hostSpeaker, type Speaker } from '#cloud/pipeline/lease/speaker.ts'
import { silentLog } from '#shared/log/log.ts'
import { type Mosquitto, mosquittoProgram, startMosquitto } from '#tests/support/mosquitto.ts'
import { startTestDatabase, type TestDatabase } from '#tests/support/postgres.ts'
import { type Recorder, startRecorder } from '../broker/recorder.ts'

const HOST = 'andon'
const STATE = `spBv1.0/STATE/${HOST}`
const PATIENT = { timeout: 15_000 }

interface State {
  readonly online: boolean
  readonly timestamp: number
}

interface Process {
  readonly member: Member
  readonly speaker: Speaker
  readonly broker: Broker
  readonly recorder: Recorder
}

describe.skipIf(!mosquittoProgram())('STATE among several processes', () => {
  let server: Mosquitto
  let database: TestDatabase
  let edge: MqttClient
  let db: Kysely<never>
  const states: State[] = []
  const running: Process[] = []

  beforeAll(async () => {
    ;[server, database] = await Promise.all([startMosquitto(), startTestDatabase()])
    db = database.db.system as unknown as Kysely<never>
    edge = await mqtt.connectAsync(`mqtt://127.0.0.1:${server.port}`, { reconnectPeriod: 0 })
    edge.on('message', (_, bytes) => void (bytes.length > 0 && states.push(JSON.parse(bytes.toString()) as State)))
    await edge.subscribeAsync(STATE, { qos: 1 })
  })
  afterEach(async () => {
    for (const one of running.splice(0)) await end(one)
    await forgetMembers(db)
    await edge.publishAsync(STATE, '', { qos: 1, retain: true })
    states.splice(0)
  })
  afterAll(async () => {
    edge?.end(true)
    await Promise.all([server?.close(), database?.close()])
  })

  async function begin(): Promise<Process> {
    const refuse = () => {
      throw new Error('lacks nothing')
    }
    const member = await join({ db, log: silentLog, onLost: () => undefined, lacks: [], refuse })
    const listen = database.db.listen
    const speaker = hostSpeaker({ db, fence: member.fence, hostId: HOST, listen, log: silentLog, everyMs: 200 })
    const recorder = await startRecorder(server.port)
    const broker = await connectBroker({
      ...{ address: { url: `mqtt://127.0.0.1:${recorder.port}` }, clock: Date.now, log: silentLog },
      ...{ backOff: { firstMs: 20, mostMs: 100 }, mayHold: () => speaker.isSpeaker() },
      speaksFor: (await speaker.claim()) ? HOST : undefined,
    })
    await speaker.start(broker)
    const process = { member, speaker, broker, recorder }
    running.push(process)
    return process
  }

  async function end({ member, speaker, broker, recorder }: Process): Promise<void> {
    await speaker.stop()
    await broker.releaseState()
    await broker.close()
    await member.leave()
    await recorder.close()
  }

  const connects = ({ recorder }: Process) =>
    recorder.sent.filter((packet): packet is IConnectPacket => packet.cmd === 'connect')
  const lastWill = (one: Process) => connects(one).at(-1)?.will
  const speaks = async () =>
    (await sql<{ fence: string | null }>`select fence from pipeline_speaker`.execute(db)).rows[0]?.fence
  const hasReturned = () => states.some(({ online }) => !online) && states.at(-1)?.online
  const eventually = <T>(read: () => T) => expect.poll(read, PATIENT)

  it('is held by the first, whose only connection carries the will; the others have none', async () => {
    const [first, second] = [await begin(), await begin()]
    await eventually(() => states.at(-1)?.online).toBe(true)
    expect(await speaks()).toBe(String(first.member.fence))
    expect(connects(first)).toHaveLength(1)
    expect(lastWill(first)?.topic).toBe(STATE)
    expect(lastWill(second)).toBeUndefined()
  })

  it('goes to another one as soon as it says offline, with a later time, and the first has no will any more', async () => {
    const [first, second] = [await begin(), await begin()]
    await eventually(() => states.at(-1)?.online).toBe(true)
    const birth = states.at(-1)?.timestamp ?? 0
    first.recorder.cut()
    await eventually(hasReturned).toBe(true)
    expect(states.at(-1)?.timestamp).toBeGreaterThan(birth)
    expect(await speaks()).toBe(String(second.member.fence))
    await eventually(() => connects(first).length).toBeGreaterThan(1)
    await eventually(() => first.broker.fault()).toBeUndefined()
    expect(lastWill(first)).toBeUndefined()
    expect(lastWill(second)?.topic).toBe(STATE)
  })

  it('goes to one of many, and the others stay silent', async () => {
    const [first] = [await begin(), await begin(), await begin(), await begin()]
    await eventually(() => states.at(-1)?.online).toBe(true)
    await end(running.shift() ?? first)
    await eventually(hasReturned).toBe(true)
    // One who took the seat and lost it at once to another connects anew without a will.
    await eventually(() => running.filter((one) => lastWill(one)).length).toBe(1)
  })

  it('is held again where its holder was declared dead without the broker having noticed', async () => {
    const [first, second] = [await begin(), await begin()]
    await eventually(() => states.at(-1)?.online).toBe(true)
    const birth = states.at(-1)?.timestamp ?? 0
    await first.speaker.stop()
    await sql`update pipeline_members set expires_at = now() where fence = ${first.member.fence}`.execute(db)
    await sql`select andon_bury_members()`.execute(db)
    await eventually(() => states.at(-1)?.timestamp).toBeGreaterThan(birth)
    expect(await speaks()).toBe(String(second.member.fence))
  })
})
