import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { FanOut } from '#cloud/platform/fanout/index.ts'

const PATIENT = { timeout: 10_000 }

/** Two ends of one fan-out; where there is one process they are the same. */
export interface Ends {
  readonly one: FanOut
  readonly other: FanOut
  close(): Promise<void>
}

/** What every adapter of the fan-out promises. */
export function fanOutContract(name: string, open: () => Promise<Ends>): void {
  describe(`fan-out by ${name}`, () => {
    let ends: Ends
    let channels = 0
    beforeAll(async () => {
      ends = await open()
    })
    afterAll(() => ends?.close())

    /** A channel of its own, with somebody on the other end of it who is known to listen. */
    async function listening() {
      const channel = `channel-${++channels}`
      const heard: Buffer[] = []
      const end = ends.other.subscribe(channel, (message) => heard.push(message))
      const probe = async () => {
        await ends.one.publish(channel, Buffer.from('probe'))
        return heard.length
      }
      await expect.poll(probe, PATIENT).toBeGreaterThan(0)
      const sent = async (message: Buffer) => {
        await ends.one.publish(channel, message)
        await expect.poll(() => heard.some((one) => one.equals(message)), PATIENT).toBe(true)
      }
      await sent(Buffer.from('end of probes'))
      heard.length = 0
      return { channel, heard, end }
    }

    it('hands a message to everybody on its channel and to nobody on another', async () => {
      const [first, second] = [await listening(), await listening()]
      const again: string[] = []
      ends.other.subscribe(first.channel, (message) => again.push(message.toString()))
      await ends.one.publish(first.channel, Buffer.from('news'))
      await ends.one.publish(second.channel, Buffer.from('other news'))
      await expect.poll(() => second.heard.map(String), PATIENT).toEqual(['other news'])
      expect(first.heard.map(String)).toEqual(['news'])
      expect(again).toEqual(['news'])
    })

    it('keeps the order of what one end publishes', async () => {
      const { channel, heard } = await listening()
      const numbers = Array.from({ length: 500 }, (_, i) => String(i))
      await Promise.all(numbers.map((number) => ends.one.publish(channel, Buffer.from(number))))
      await expect.poll(() => heard.map(String), PATIENT).toEqual(numbers)
    })

    it('hands bytes over as they are, none or many', async () => {
      const { channel, heard } = await listening()
      const messages = [
        Buffer.alloc(0),
        Buffer.from(Array.from({ length: 256 }, (_, i) => i)),
        Buffer.alloc(1_000_000, 7),
      ]
      for (const message of messages) await ends.one.publish(channel, message)
      await expect.poll(() => heard.length, PATIENT).toBe(messages.length)
      for (const [i, message] of messages.entries()) expect(heard[i]?.equals(message)).toBe(true)
    })

    it('hands nothing to one who has left', async () => {
      const { channel, heard, end } = await listening()
      const stays = await listening()
      end()
      end()
      await ends.one.publish(channel, Buffer.from('too late'))
      await ends.one.publish(stays.channel, Buffer.from('in time'))
      await expect.poll(() => stays.heard.map(String), PATIENT).toEqual(['in time'])
      expect(heard).toEqual([])
    })

    it('never calls a listener within the publishing', async () => {
      const { channel, heard } = await listening()
      const publishing = ends.other.publish(channel, Buffer.from('mine'))
      expect(heard).toEqual([])
      await publishing
      await expect.poll(() => heard.map(String), PATIENT).toEqual(['mine'])
    })

    it('has no fault while it works, and closes twice', async () => {
      expect(ends.one.fault()).toBeUndefined()
      await ends.close()
      await ends.close()
    })
  })
}
