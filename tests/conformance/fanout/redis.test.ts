import { afterEach, describe, expect, it } from 'vitest'
import type { FanOut } from '#cloud/platform/fanout/index.ts'
import { redisFanOut } from '#cloud/platform/fanout/redis.ts'
import { type Log, silentLog } from '#shared/log/log.ts'
import { hasPackage } from '#tests/support/debian.ts'
import { startRedis } from '#tests/support/redis.ts'
import { fanOutContract } from './contract.ts'

const PATIENT = { timeout: 15_000 }
const closing: (() => Promise<void>)[] = []

/** Counts what is told at the level that people see. */
function countingLog() {
  const told: string[] = []
  const note = (_: unknown, words: string) => void told.push(words)
  return { told, log: { ...silentLog, warn: note, info: note } as unknown as Log }
}

describe.skipIf(!hasPackage('redis-server'))('with Debian’s redis-server', () => {
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close()
  })

  async function open(url: string, prefix = 'test:', log: Log = silentLog): Promise<FanOut> {
    const fanOut = await redisFanOut({ url, prefix, log })
    closing.push(() => fanOut.close())
    return fanOut
  }

  fanOutContract('Redis', async () => {
    const server = await startRedis()
    const options = { url: server.url, prefix: 'contract:', log: silentLog }
    const [one, other] = [await redisFanOut(options), await redisFanOut(options)]
    const close = async () => {
      await Promise.all([one.close(), other.close()])
      await server.close()
    }
    return { one, other, close }
  })

  it('goes on after its server was killed, tells so once, and says that messages may have been missed', async () => {
    const server = await startRedis()
    closing.push(() => server.close())
    const { told, log } = countingLog()
    const fanOut = await open(server.url, 'test:', log)
    const heard: string[] = []
    let missed = 0
    fanOut.subscribe('news', (message) => heard.push(message.toString()))
    fanOut.onMissed(() => {
      missed += 1
    })
    const published = async () => {
      await fanOut.publish('news', Buffer.from('before'))
      return heard.length
    }
    await expect.poll(published, PATIENT).toBeGreaterThan(0)
    await server.kill()
    await expect.poll(() => fanOut.fault(), PATIENT).toMatch(/^Redis 127\.0\.0\.1:\d+ is out of reach: /)
    await fanOut.publish('news', Buffer.from('lost'))
    await server.start()
    await expect.poll(() => fanOut.fault(), PATIENT).toBeUndefined()
    await expect.poll(() => missed, PATIENT).toBe(1)
    await fanOut.publish('news', Buffer.from('after'))
    await expect.poll(() => heard.at(-1), PATIENT).toBe('after')
    expect(heard).not.toContain('lost')
    expect(told).toEqual([
      'Redis is out of reach; it is tried again, and nothing is lost meanwhile',
      'Redis is there again',
    ])
  })

  it('starts without its server, and listens once it is there', async () => {
    const server = await startRedis()
    closing.push(() => server.close())
    await server.kill()
    const fanOut = await open(server.url)
    const heard: string[] = []
    fanOut.subscribe('news', (message) => heard.push(message.toString()))
    expect(fanOut.fault()).toBeDefined()
    await server.start()
    const published = async () => {
      await fanOut.publish('news', Buffer.from('there'))
      return heard.length
    }
    await expect.poll(published, PATIENT).toBeGreaterThan(0)
  })

  it('keeps installations apart that share a server', async () => {
    const server = await startRedis()
    closing.push(() => server.close())
    const [ours, theirs] = [await open(server.url, 'ours:'), await open(server.url, 'theirs:')]
    const heard: string[] = []
    ours.subscribe('news', (message) => heard.push(message.toString()))
    const published = async () => {
      await theirs.publish('news', Buffer.from('theirs'))
      await ours.publish('news', Buffer.from('ours'))
      return heard.length
    }
    await expect.poll(published, PATIENT).toBeGreaterThan(0)
    expect(heard).not.toContain('theirs')
  })
})
