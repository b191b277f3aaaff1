import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DataType, type UANonExclusiveLimitAlarm } from 'node-opcua'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { actOnAlarm } from '#edge/acquisition/alarm-command.ts'
import { createConditionLog } from '#edge/acquisition/condition-events.ts'
import { silentLog } from '#shared/log/log.ts'
import type { Protocol } from '../driver.ts'
import { opcua } from './index.ts'
import { Device } from './testing/device.ts'
import { startProxy } from './testing/proxy.ts'
import { setNumber, startServer, TAGS, type TestServer } from './testing/server.ts'

const root = mkdtempSync(join(tmpdir(), 'andon-opcua-alarms-'))
let plant: TestServer
let protocol: Protocol
beforeAll(async () => {
  plant = await startServer({ pki: join(root, 'server') })
  protocol = opcua.start({ now: Date.now, log: silentLog, dataDir: join(root, 'edge') })
  const { space } = plant
  const namespace = space.getOwnNamespace()
  const { objects } = space.rootFolder
  const hall = namespace.addObject({
    ...{ browseName: 'Hall', organizedBy: objects, eventNotifier: 1, notifierOf: objects.server },
  })
  const press = namespace.addObject({ browseName: 'Press', organizedBy: hall, eventSourceOf: hall })
  space.installAlarmsAndConditionsService()
  const alarm: UANonExclusiveLimitAlarm = namespace.instantiateNonExclusiveLimitAlarm('NonExclusiveLimitAlarmType', {
    ...{ browseName: 'High', componentOf: press, conditionName: 'High', conditionSource: press },
    ...{ inputNode: plant.nodes.temperature, lowLowLimit: -20, lowLimit: -10, highLimit: 90, highHighLimit: 100 },
  })
  alarm.severity.setValueFromSource({ dataType: DataType.UInt16, value: 700 })
})
afterAll(async () => {
  await protocol.close()
  await plant.stop()
  rmSync(root, { recursive: true })
})

describe('the alarms and conditions of a server', { timeout: 60_000 }, () => {
  it('are reported with their state, acknowledged by their event, and reported again after a break', async () => {
    const proxy = await startProxy(plant.port)
    const machine = new Device(protocol, { url: proxy.url, alarms: 'server' })
    const last = () => machine.conditions.at(-1)
    await machine.connect()
    machine.subscribe({ temperature: TAGS.temperature })
    await machine.waitFor(() => machine.last('temperature') !== undefined)
    setNumber(plant.nodes.temperature, 95)
    await machine.waitFor(() => last()?.isActive === true)
    expect(last()).toMatchObject({ name: 'High', isAcknowledged: false, isRetained: true })
    proxy.cut()
    await machine.ended
    const before = machine.conditions.length
    proxy.mend()
    await machine.reconnect()
    machine.subscribe({ temperature: TAGS.temperature })
    await machine.waitFor(() => machine.conditions.length > before)
    expect(last()).toMatchObject({ name: 'High', isActive: true, isAcknowledged: false })
    expect(last()?.condition).toBe(machine.conditions[0]?.condition)
    expect(last()?.condition).toMatch(/^nsu=/)
    const alarms = createConditionLog({ group: 'g', edge: 'e', device: 'machine' })
    const [{ pointId = '' } = {}] = machine.conditions.flatMap((report) => alarms.take(report, Date.now()))
    const about = { id: randomUUID(), by: 'Li', at: Date.now(), comment: 'seen' }
    const act = (more: object) =>
      actOnAlarm([{ driver: machine.driver, alarm: alarms.find }], JSON.stringify({ ...about, ...more }))
    expect(await act({ pointId, kind: 'shelve' })).toMatchObject({ status: 'refused' })
    expect(await act({ pointId: randomUUID(), kind: 'acknowledge' })).toMatchObject({ status: 'refused' })
    expect(await act({ pointId, kind: 'acknowledge' })).toEqual({ status: 'done' })
    await machine.waitFor(() => last()?.isAcknowledged === true)
    expect(last()?.comment).toBe('seen')
    expect(await act({ pointId, kind: 'acknowledge' })).toMatchObject({ status: 'refused' })
    setNumber(plant.nodes.temperature, 20)
    await machine.waitFor(() => last()?.isActive === false)
    await machine.stop()
    await proxy.close()
  })
})
