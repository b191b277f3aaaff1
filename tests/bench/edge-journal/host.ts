import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import mqtt from 'mqtt-packet'
import { ACK_OFFSET, EPOCH, FIRST_OFFSET, LAST_OFFSET } from '#shared/sparkplug/metric-names.ts'
import { decodePayload, encodePayload, type Payload } from '#shared/sparkplug/payload.ts'
import { RangeSet } from '#shared/sparkplug/range-set.ts'

const ACK_EVERY_MS = 200

/** A broker with a host that counts what is live and what is backlog, how late the live is, and acknowledges. */
export class CountingHost {
  /** Source time to arrival of live samples, ms. */
  liveMs: number[] = []
  live = 0
  backlog = 0
  duplicated = 0
  readonly committed = new RangeSet()
  port = 0
  newest = 0n
  #epoch = 0n
  #base = 1n
  #client: Socket | undefined
  #isRefusing = false
  #aliases = new Map<string, string>()
  readonly #server = createServer({ noDelay: true }, (socket) => this.#join(socket))

  async start(): Promise<void> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    this.port = (this.#server.address() as AddressInfo).port
    setInterval(() => this.#acknowledge(), ACK_EVERY_MS).unref()
  }

  /** Cuts the link and refuses new ones until told otherwise. */
  refuse(isRefusing: boolean): void {
    this.#isRefusing = isRefusing
    if (isRefusing) this.#client?.destroy()
  }

  stop(): void {
    this.#client?.destroy()
    this.#server.close()
  }

  #join(socket: Socket): void {
    if (this.#isRefusing) return void socket.destroy()
    const parser = mqtt.parser({ protocolVersion: 4 })
    socket.on('error', () => socket.destroy())
    parser.on('packet', (packet) => this.#hear(socket, packet))
    socket.on('data', (chunk: Buffer) => void parser.parse(chunk))
  }

  #hear(socket: Socket, packet: mqtt.Packet): void {
    if (packet.cmd === 'connect') {
      this.#client = socket
      socket.write(mqtt.generate({ cmd: 'connack', returnCode: 0, sessionPresent: false }))
    } else if (packet.cmd === 'subscribe') {
      const granted = packet.subscriptions.map(() => 0)
      socket.write(mqtt.generate({ cmd: 'suback', messageId: packet.messageId ?? 1, granted }))
    } else if (packet.cmd === 'pingreq') socket.write(mqtt.generate({ cmd: 'pingresp' }))
    else if (packet.cmd === 'publish') this.#receive(packet.topic, packet.payload as Buffer)
  }

  #receive(topic: string, bytes: Buffer): void {
    const [, , kind = '', , device = ''] = topic.split('/')
    const payload = decodePayload(bytes)
    if (kind.endsWith('BIRTH')) this.#learn(device, payload)
    else if (kind.endsWith('DATA')) this.#take(device, payload)
  }

  #learn(device: string, payload: Payload): void {
    for (let i = 0; i < payload.count; i++) {
      const name = payload.name(i)
      if (name === FIRST_OFFSET || name === LAST_OFFSET) this.#aliases.set(`${device}/${payload.alias(i)}`, name)
      if (name === EPOCH) this.#epoch = payload.valueAs(i, 'uint64') as bigint
      if (name === FIRST_OFFSET && device === '' && this.committed.isEmpty)
        this.#base = payload.valueAs(i, 'uint64') as bigint
    }
  }

  #take(device: string, payload: Payload): void {
    const samples = payload.count - 2
    if (samples < 1 || this.#aliases.get(`${device}/${payload.alias(payload.count - 1)}`) !== LAST_OFFSET) return
    const [first, last] = [samples, samples + 1].map((i) => payload.valueAs(i, 'uint64') as bigint) as [bigint, bigint]
    if (this.committed.missing(first, last).length === 0) this.duplicated += samples
    this.committed.add(first, last)
    if (last > this.newest) this.newest = last
    if (payload.isHistorical(0)) {
      this.backlog += samples
      return
    }
    this.live += samples
    this.liveMs.push(Date.now() - (payload.timestampOf(0) ?? 0))
  }

  #acknowledge(): void {
    if (!this.#client?.writable || this.committed.isEmpty) return
    const metrics = [
      { name: EPOCH, type: 'uint64' as const, isTyped: true, value: this.#epoch },
      { name: ACK_OFFSET, type: 'uint64' as const, isTyped: true, value: this.committed.endFrom(this.#base) },
    ]
    const payload = Buffer.from(encodePayload({ timestamp: Date.now(), metrics }))
    const topic = 'spBv1.0/plant/NCMD/line-1'
    this.#client.write(mqtt.generate({ cmd: 'publish', topic, payload, qos: 0, retain: false, dup: false }))
  }
}
