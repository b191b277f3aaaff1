import mqtt, { type IClientOptions, type MqttClient } from 'mqtt'
import { afterAll, beforeAll, describe } from 'vitest'
import { connectBroker } from '#cloud/pipeline/broker/external.ts'
import { silentLog } from '#shared/log/log.ts'
import { type Mosquitto, mosquittoProgram, startMosquitto } from '#tests/support/mosquitto.ts'
import { brokerContract } from './contract.ts'

describe.skipIf(!mosquittoProgram())('with Debian’s mosquitto', () => {
  let server: Mosquitto
  beforeAll(async () => {
    server = await startMosquitto()
  })
  afterAll(() => server.close())

  for (const protocolVersion of [4, 5] as const) {
    brokerContract(`mosquitto, edges by MQTT ${protocolVersion === 4 ? '3.1.1' : '5'}`, async () => {
      const address = { url: `mqtt://127.0.0.1:${server.port}` }
      const broker = await connectBroker({ address, clock: Date.now, log: silentLog, speaksFor: 'andon' })
      const clients: MqttClient[] = []
      const connect = async (edge: string, options: IClientOptions = {}) => {
        const base = { clientId: edge, protocolVersion, reconnectPeriod: 0 }
        const client = await mqtt.connectAsync(address.url, { ...base, ...options })
        clients.push(client)
        return client
      }
      const close = async () => {
        for (const client of clients) client.end(true)
        await broker.close()
      }
      return { broker, connect, close }
    })
  }
})
