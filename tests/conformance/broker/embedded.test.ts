import mqtt, { type MqttClient } from 'mqtt'
import { startBroker } from '#cloud/pipeline/broker/embedded.ts'
import { hashEdgeSecret } from '#cloud/pipeline/broker/secret.ts'
import { silentLog } from '#shared/log/log.ts'
import { brokerContract } from './contract.ts'

brokerContract('the embedded broker', async () => {
  const hash = await hashEdgeSecret('right')
  const broker = await startBroker({
    host: '127.0.0.1',
    port: 0,
    secretHash: ({ group }) => (group === 'plant' ? hash : undefined),
    clock: Date.now,
    log: silentLog,
  })
  const clients: MqttClient[] = []
  return {
    broker,
    async connect(edge, options = {}) {
      const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${broker.port}`, {
        username: `plant/${edge}`,
        password: 'right',
        protocolVersion: 4,
        reconnectPeriod: 0,
        ...options,
      })
      clients.push(client)
      return client
    },
    async close() {
      for (const client of clients) client.end(true)
      await broker.close()
    },
  }
})
