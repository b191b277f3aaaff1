import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { loadEdgeConfig } from '#edge/config.ts'
import { type ScriptedServer, scriptedServer } from '#edge/drivers/modbus/testing/scripted-server.ts'
import { type Edge, startEdge } from '#edge/main.ts'
import { silentLog } from '#shared/log/log.ts'
import { accessibilityFaults, launch, SIZES, type Size } from './browser.ts'

const clock = { now: Date.now, monotonic: () => performance.now() }
const SHOTS = process.env.ANDON_SCREENSHOTS

let browser: Browser
let edge: Edge
let press: ScriptedServer
let folder: string

const PROFILE = `profile: press
version: 1
name: { en: Press, zh-CN: 压机 }
assetClass: press
protocol: modbus
tags:
  - { tag: oil, name: { en: Oil temperature, zh-CN: 油温 }, address: "holding:0", type: int16, scale: 0.1, unit: °C, decimals: 1 }
  - { tag: state, name: { en: State, zh-CN: 状态 }, address: "holding:1", type: uint16, words: { "1": { en: Running, zh-CN: 运行 } } }
  - { tag: lid, name: { en: Lid, zh-CN: 盖 }, address: "holding:500", type: uint16 }
${Array.from({ length: 240 }, (_, i) => `  - { tag: zone-${i}, name: { en: Zone ${i}, zh-CN: 区域 ${i} }, address: "holding:${10 + i}", type: uint16, unit: bar }`).join('\n')}
`

/** A press that refuses one register, one that nobody listens for, and a cloud that is not there. */
beforeAll(async () => {
  press = await scriptedServer()
  press.registers.set(0, 612).set(1, 1)
  press.script = ({ transaction, unit, code, start, count }) => {
    if (start + count <= 500) return undefined
    const refusal = Buffer.from([0, 0, 0, 0, 0, 3, unit, code | 0x80, 2])
    refusal.writeUInt16BE(transaction, 0)
    return refusal
  }
  folder = mkdtempSync(join(tmpdir(), 'andon-page-'))
  mkdirSync(join(folder, 'profiles'))
  writeFileSync(join(folder, 'profiles', 'press.yaml'), PROFILE)
  writeFileSync(
    join(folder, 'edge.yaml'),
    `version: 1
group: plant
edge: line-1
profiles: ./profiles
mqtt: { url: "mqtt://127.0.0.1:1" }
status: { port: 0 }
devices:
  - { device: press-1, profile: press, modbus: { host: 127.0.0.1, port: ${press.port} } }
  - { device: press-2, profile: press, modbus: { host: 127.0.0.1, port: 1 } }
`,
  )
  edge = await startEdge({ config: loadEdgeConfig(join(folder, 'edge.yaml'), {}), clock, log: silentLog })
  browser = await launch()
})
afterAll(async () => {
  await browser?.close()
  await edge?.stop()
  await press?.close()
  if (folder) rmSync(folder, { recursive: true })
})

const pages: Page[] = []
afterEach(async () => {
  for (const page of pages.splice(0)) await page.context().close()
})

interface Reader {
  readonly page: Page
  readonly complaints: readonly string[]
}

/** A person who signs in with the token that the agent printed. */
async function signIn(size: Size, language: 'en' | 'zh-CN', theme: 'light' | 'dark' = 'light'): Promise<Reader> {
  const locale = language === 'en' ? 'en-GB' : language
  const isPhone = size === 'phone'
  const context = await browser.newContext({
    ...{ viewport: SIZES[size], locale, colorScheme: theme, isMobile: isPhone, hasTouch: isPhone },
  })
  const page = await context.newPage()
  pages.push(page)
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => void (message.type() === 'error' && complaints.push(message.text())))
  await page.goto(`${edge.pageUrl}login#token=${edge.token}`)
  await page.waitForURL(edge.pageUrl)
  return { page, complaints }
}

async function shoot(page: Page, what: string): Promise<void> {
  if (!SHOTS || !existsSync(SHOTS)) return
  await page.screenshot({ path: join(SHOTS, `${what}.png`), fullPage: true })
}

/** Nothing against accessibility, nothing wider than the window, nothing that a thumb cannot hit, no complaint of the browser. */
async function expectSound({ page, complaints }: Reader, what: string): Promise<void> {
  expect(await accessibilityFaults(page), `${what}: accessibility`).toEqual([])
  const wider = 'document.documentElement.scrollWidth - document.documentElement.clientWidth'
  expect(await page.evaluate<number>(wider), `${what}: wider than the window`).toBeLessThanOrEqual(0)
  const small = `[...document.querySelectorAll('button, select, input:not([type=hidden]), nav a')]
    .filter((e) => e.offsetParent !== null && e.getBoundingClientRect().height < 43).map((e) => e.outerHTML)`
  expect(await page.evaluate<string[]>(small), `${what}: too small for a thumb`).toEqual([])
  expect(complaints, what).toEqual([])
}

const PLACES = [
  '',
  'lanes',
  'devices',
  'devices/press-1',
  'devices/press-2',
  'tags',
  'gaps',
  'tools',
  'tools/byte-order?registers=42f6%20e979',
  'certificates',
]

describe('the local page of an edge', () => {
  for (const size of ['desktop', 'phone'] as const)
    for (const language of ['en', 'zh-CN'] as const)
      it(`holds on every screen: ${size}, ${language}`, async () => {
        const reader = await signIn(size, language, language === 'zh-CN' ? 'dark' : 'light')
        for (const place of PLACES) {
          await reader.page.goto(edge.pageUrl + place)
          await shoot(reader.page, `${size}-${language}-${place.replaceAll(/\W+/g, '-') || 'overview'}`)
          await expectSound(reader, `${size} ${language} /${place}`)
        }
      })

  it('takes the token out of the address before anything else happens', async () => {
    const { page } = await signIn('desktop', 'en')
    await page.goBack()
    expect(page.url()).not.toContain('token')
  })

  it('shows a value that changes without a reload', async () => {
    const { page } = await signIn('desktop', 'en')
    await page.goto(`${edge.pageUrl}tags?q=oil&device=press-1`)
    await page.getByText('61.2 °C').waitFor()
    await page.evaluate('window.isStillHere = true')
    press.registers.set(0, 777)
    await page.getByText('77.7 °C').waitFor()
    expect(await page.evaluate('window.isStillHere')).toBe(true)
    press.registers.set(0, 612)
  })

  it('finds tags by words and quality, page by page, with the keyboard alone', async () => {
    const { page } = await signIn('desktop', 'en')
    await page.goto(`${edge.pageUrl}tags`)
    await page.getByRole('searchbox').focus()
    await page.keyboard.type('press-1 zone')
    await page.keyboard.press('Enter')
    await page.getByText('240 found').waitFor()
    await page.getByRole('link', { name: 'Next' }).press('Enter')
    await page.getByText('page 2 / 3').waitFor()
    await page.goto(`${edge.pageUrl}tags?device=press-1&quality=bad`)
    await page.getByText('the device has no such address').waitFor()
  })

  it('traces a device until somebody stops it', async () => {
    const { page } = await signIn('desktop', 'en')
    await page.goto(`${edge.pageUrl}devices/press-1`)
    await page.getByRole('button', { name: 'Start the trace' }).click()
    await page
      .getByText(/^read holding:0/)
      .first()
      .waitFor()
    await shoot(page, 'trace')
    const download = page.waitForEvent('download')
    await page.getByRole('link', { name: 'Download as text' }).click()
    expect((await download).suggestedFilename()).toBe('press-1-trace.txt')
    await page.getByRole('button', { name: 'Stop' }).click()
    await page.getByText('The trace is off.').waitFor()
  })

  it('tests a link and says what to do, without a second connection to a device that is read', async () => {
    const { page } = await signIn('phone', 'en')
    await page.goto(`${edge.pageUrl}devices/press-1`)
    const before = press.connections()
    await page.getByRole('button', { name: 'Run the test' }).click()
    await page.getByText('oil = 612').waitFor()
    expect([before, press.connections()]).toEqual([1, 1])
    await page.goto(`${edge.pageUrl}devices/press-2`)
    await page.getByRole('button', { name: 'Run the test' }).click()
    await page.getByRole('status').getByText('Nobody listens at this address.').waitFor()
    await shoot(page, 'phone-connection-test')
  })

  it('changes the language and stays where the reader was', async () => {
    const { page } = await signIn('desktop', 'en')
    await page.goto(`${edge.pageUrl}tags?q=oil`)
    await page.getByRole('link', { name: '中文' }).click()
    await page.getByRole('heading', { name: '位号' }).waitFor()
    expect(new URL(page.url()).search).toBe('?q=oil')
  })
})
