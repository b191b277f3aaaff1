import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ScriptedServer, scriptedServer } from '#edge/drivers/modbus/testing/scripted-server.ts'
import { type Agent, startAgent } from '#edge/management/agent.ts'
import { enrolEdge } from '#edge/management/enrol.ts'
import { renewWhenDue } from '#edge/management/renewal.ts'
import type { EdgeRegistered } from '#shared/contracts/edge.ts'
import type { EnrolmentCodeIssued } from '#shared/contracts/edge-certificate.ts'
import { silentLog } from '#shared/log/log.ts'
import { GROUP, SUITE_PASSWORD, startTestSuite, type TestSuite } from '#tests/support/suite.ts'
import { expectSound, launch, openAs, type Person, smallTouchTargets } from './browser.ts'

const SHOTS = process.env.ANDON_SCREENSHOTS
const DAY_MS = 86_400_000
const EDGE = 'line-7'
let test: TestSuite
let url: string
let browser: Browser
let meter: ScriptedServer
let desk: Person
/** Somebody who looks on from a phone, in the other language. */
let phone: Person
let id: string
let agent: Agent
let passedMs = 0
const folder = mkdtempSync(join(tmpdir(), 'andon-fleet-'))
const file = join(folder, 'edge.yaml')
const yaml = () => readFileSync(file, 'utf8')

async function startBox(): Promise<void> {
  const clock = { now: Date.now, monotonic: () => performance.now() + passedMs }
  agent = await startAgent({
    ...{ file, env: { ANDON_EDGE_PORT: '0' }, clock, log: silentLog, timing: { watchMs: 20 } },
    onFailed: (error) => {
      throw error
    },
  })
}

const open = (username: string, size: 'desktop' | 'phone', language: 'en' | 'zh-CN') =>
  openAs(browser, { url, username, password: SUITE_PASSWORD, size, language })

beforeAll(async () => {
  test = await startTestSuite({ isForBrowser: true })
  const port = await test.app.listen({ host: '127.0.0.1', port: 0 })
  url = `http://127.0.0.1:${port}`
  meter = await scriptedServer()
  meter.registers.set(0, 42)
  const registered = await test.post<EdgeRegistered>('engineer', '/api/edges', { group: GROUP, edge: EDGE }, 201)
  id = registered.edge.id
  const { code } = await test.post<EnrolmentCodeIssued>('engineer', `/api/edges/${id}/enrolment-codes`, {}, 201)
  await enrolEdge({ cloud: url, code, file })
  writeFileSync(
    file,
    yaml().replace(
      'devices: []\n',
      `devices:
  - { device: meter-1, profile: energy-meter, modbus: { host: 127.0.0.1, port: ${meter.port} } }
`,
    ),
  )
  await startBox()
  browser = await launch()
  desk = await open('engineer', 'desktop', 'en')
  phone = await open('admin', 'phone', 'zh-CN')
})
afterAll(async () => {
  await browser?.close()
  await agent?.stop()
  await meter?.close()
  await test?.close()
  rmSync(folder, { recursive: true, force: true })
})

const place = (tab: string) => `/edges/${id}/${tab}`

/** Keeps both screens where ANDON_SCREENSHOTS says, to be looked at. */
async function glance(what: string): Promise<void> {
  if (!SHOTS || !existsSync(SHOTS)) return
  await desk.page.screenshot({ path: join(SHOTS, `${what}-desktop.png`), fullPage: true })
  await phone.page.screenshot({ path: join(SHOTS, `${what}-phone.png`), fullPage: true })
}

/** Both screens hold. */
async function both(what: string): Promise<void> {
  await glance(what)
  await expectSound(desk, `${what} on a desk`)
  await expectSound(phone, `${what} on a phone`)
  expect(await smallTouchTargets(phone.page), what).toEqual([])
}

describe('a box that runs its own file', () => {
  it('is managed from here after one press and a reason', async () => {
    await desk.goTo(place('configuration'))
    await phone.goTo(place('configuration'))
    await desk.page.getByRole('button', { name: 'Manage it from here' }).click()
    await phone.page.getByRole('button', { name: '改由这里管理' }).tap()
    await both('manage')
    await desk.page.locator('dialog textarea').fill('Managed here from now on')
    await desk.page.locator('dialog .act-big button').click()
    await desk.page.locator('dialog', { hasText: 'v1: taken by the box' }).waitFor()
    await glance('managed')
    await desk.page.locator('dialog').getByRole('button', { name: 'Close' }).last().click()
    await phone.page.keyboard.press('Escape')
    await desk.sees('The box runs version 1, as pushed.')
    await phone.sees(/网关运行已下发的版本 1。/)
  })
})

describe('a version with faults', () => {
  it('is refused by the box, and each fault leads to its line', async () => {
    await desk.page.getByRole('button', { name: 'Edit version 1' }).click()
    await desk.page
      .locator('.code-field')
      .fill(
        yaml()
          .replace('devices:', 'scan: { fast: x }\nretry: { maxMs: 0 }\ndevices:')
          .replace('energy-meter', 'energy-metre'),
      )
    await desk.press('Save and compare')
    await desk.press('Push version 2…')
    await desk.page.locator('dialog textarea').fill('Faster')
    await desk.page.locator('dialog .act-big button').click()
    await desk.page.locator('dialog', { hasText: 'v2: refused by the box' }).waitFor()
    await phone.goTo(place('configuration'))
    await phone.sees(/网关拒绝/)
    await glance('refused')
    await desk.page.locator('dialog').getByRole('button', { name: 'Correct it in the editor' }).click()
    await desk.page.locator('.code-marked').nth(2).waitFor()
    expect(await desk.page.evaluate('getSelection().toString()')).toBe('scan: { fast: x }')
    await phone.page.locator('.config-faults-shown').tap()
    await phone.sees(/'x' 不符合要求。请填写整数 \(不小于 10、不大于 3600000\)。/)
    await phone.sees(/“energy-metre”不存在。请改为“energy-meter”/)
    await both('refused-closed')
    await phone.page.getByRole('button', { name: '修改版本 2' }).tap()
    await phone.page.locator('.code-marked').nth(2).waitFor()
    await both('refused-editor')
    for (const one of [desk, phone]) await one.page.reload()
  })
})

describe('an edge.yaml that was changed at the box', () => {
  it('is told as drift', async () => {
    await agent.stop()
    writeFileSync(file, yaml().replace('devices:', 'scan: { fast: 500 }\ndevices:'))
    await startBox()
    await desk.goTo(place('configuration'))
    await desk.page.locator('.configuration-abnormal').waitFor()
    await phone.goTo(place('configuration'))
    await phone.page.locator('.configuration-abnormal').waitFor()
    await desk.page.getByRole('button', { name: 'What is different' }).click()
    await phone.page.getByRole('button', { name: '查看差异' }).tap()
    await desk.page.locator('.difference').first().waitFor()
    await phone.page.locator('.difference').first().waitFor()
    await both('drift')
    await desk.page.getByRole('button', { name: 'Send ours' }).click()
    await phone.page.getByRole('button', { name: '采用网关的' }).tap()
    await both('drift-ways')
    await phone.page.keyboard.press('Escape')
    await desk.page.locator('dialog textarea').fill('Back to ours')
    await desk.page.locator('dialog .act-big button').click()
    await desk.page.locator('dialog', { hasText: 'v1: taken by the box' }).waitFor()
    await desk.page.locator('dialog').getByRole('button', { name: 'Close' }).last().click()
    await desk.sees('The box runs version 1, as pushed.')
  })
})

describe('a version that cuts the box off', () => {
  it('is rolled back by the box, which says why', async () => {
    const before = yaml()
    await desk.page.getByRole('button', { name: 'Edit version' }).click()
    await desk.page.locator('.code-field').fill(before.replace(/url: (mqtts:\/\/[^:]+):\d+/, 'url: $1:1'))
    await desk.press('Save and compare')
    await desk.page.getByRole('button', { name: /^Push version/ }).click()
    await desk.page.locator('dialog textarea').fill('New address of the broker')
    await desk.page.locator('dialog .act-big button').click()
    await desk.page.locator('dialog', { hasText: 'taken by the box' }).waitFor()
    await desk.page.locator('dialog').getByRole('button', { name: 'Close' }).last().click()
    await desk.sees(/Version 4 is on trial/)
    await phone.sees(/版本 4 正在试运行/)
    await glance('trial')
    await expect.poll(() => agent.edge.health().isConnected || yaml() === before, { timeout: 30_000 }).toBe(false)
    passedMs += 300_000
    await desk.sees(/went back from version/)
    await phone.sees(/自行从版本/)
    await both('rolled-back')
  })
})

describe('what is missing from history', () => {
  it('is listed page by page, to the last', async () => {
    const { system } = test.database.db
    const at = (minute: number) => new Date(Date.now() - 600 * 60_000 + minute * 60_000)
    const causes = ['disk-limit', 'thinned', 'device-silent', 'clock-jump', 'unclean-stop']
    const rows = Array.from({ length: 130 }, (_, i) => ({
      ...{
        id: `00000000-0000-7000-8000-${String(i).padStart(12, '0')}`,
        org_id: test.plantOrg,
        group_id: GROUP,
        edge: EDGE,
      },
      ...{
        device: i % 3 === 0 ? null : 'meter-1',
        epoch: '1',
        first_offset: String(i),
        last_offset: String(i),
        count: String(i * 37),
      },
      ...{ cause: causes[i % 5], first_at: at(i), last_at: at(i + 1), recorded_at: at(i) },
    }))
    await system
      .insertInto('gaps' as never)
      .values(rows as never)
      .execute()
    await desk.goTo(place('gaps'))
    await phone.goTo(place('gaps'))
    await both('gaps')
    await desk.press('Older gaps')
    await expect.poll(() => desk.page.locator('.tag-table tbody tr').count()).toBe(100)
    await desk.press('Older gaps')
    await expect.poll(() => desk.page.locator('.tag-table tbody tr').count()).toBe(130)
    await glance('gaps-all')
  })
})

describe('devices and lanes', () => {
  it('that do not answer are told with what to do', async () => {
    await meter.close()
    for (const one of [desk, phone]) await one.goTo(place('devices'))
    await desk.sees('Does not answer')
    await phone.sees('无应答')
    await both('device-lost')
    for (const one of [desk, phone]) await one.goTo(place('lanes'))
    await both('lanes')
  })
})

describe('certificates', () => {
  it('one that is over is renewed by the word of a person', async () => {
    test.clock.advance(100 * DAY_MS)
    const later = { data: agent.config.data, now: test.clock.now, log: silentLog }
    expect(await renewWhenDue(later)).toBe('waits-for-confirmation')
    await desk.close()
    await phone.close()
    desk = await open('engineer', 'desktop', 'en')
    phone = await open('admin', 'phone', 'zh-CN')
    for (const one of [desk, phone]) await one.goTo(place('certificates'))
    await both('renewal')
    await desk.page.getByRole('button', { name: 'Confirm…' }).click()
    await phone.page.getByRole('button', { name: '确认…' }).tap()
    await both('renewal-confirm')
    await phone.press('指纹一致，确认')
    await phone.page.locator('dialog').waitFor({ state: 'detached' })
    expect(await renewWhenDue(later)).toBe('renewed')
    for (const one of [desk, phone]) await one.goTo(place('certificates'))
    await glance('renewed')
    await desk.page.getByRole('button', { name: /^Revoke…/ }).click()
    await phone.page.getByRole('button', { name: /^吊销…/ }).tap()
    await both('revoke')
    await phone.press('网关停止使用')
    await phone.press('吊销证书')
    await phone.sees(/已吊销/)
    await desk.page.keyboard.press('Escape')
    await glance('revoked')
  })
})
