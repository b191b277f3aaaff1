import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Demo, PASSWORD, startDemo } from '#tests/support/demo.ts'
import { expectSound, launch, openAs, type Person, type Size, settled, smallTouchTargets } from './browser.ts'

let browser: Browser
let demo: Demo
const people: Person[] = []

async function person(username: string, size: Size, language: 'en' | 'zh-CN' = 'en'): Promise<Person> {
  const opened = await openAs(browser, { url: demo.url, username, password: PASSWORD, size, language })
  people.push(opened)
  return opened
}

beforeAll(async () => {
  demo = await startDemo({ speed: 4 })
  browser = await launch()
})

afterAll(async () => {
  for (const one of people) await one.close()
  await browser?.close()
  expect(await demo?.stop()).toBe(0)
  demo?.remove()
})

describe('the compressor fails, seen in the browser', () => {
  let operator: Person
  let maintainer: Person
  let number = ''

  it('shows the floor to the operator and the work to the maintainer', async () => {
    operator = await person('operator', 'desktop')
    maintainer = await person('maintainer', 'phone')
    expect(new URL(operator.page.url()).pathname).toBe('/board')
    expect(new URL(maintainer.page.url()).pathname).toBe('/work')
    await operator.sees('COMP-1')
  })

  it('brings the incident to the board by itself, with a running clock', async () => {
    const card = operator.page.locator('.board-incident', { hasText: 'COMP-1' })
    await card.waitFor({ timeout: 150_000 })
    number = /INC-\d{4}-\d{6}/.exec((await card.textContent()) ?? '')?.[0] ?? ''
    expect(number).not.toBe('')
    const clock = card.locator('time').last()
    const first = (await clock.textContent()) ?? ''
    await card.locator('time', { hasNotText: first }).waitFor()
  })

  it('acknowledges an alarm where it stands; only the server says that it is done', async () => {
    await operator.press(/unack/)
    const row = operator.page.locator('.alarm-row', { hasText: 'COMP-1' }).first()
    const name = (await row.locator('.alarm-name').textContent()) ?? ''
    await row.getByRole('button', { name: /^Ack / }).click()
    const same = operator.page.locator('.alarm-row', { hasText: name })
    await same
      .getByText(/Acknowledged/)
      .first()
      .waitFor()
    await expectSound(operator, 'alarm list')
  })

  it('takes three taps from the inbox to "on my way"', async () => {
    await maintainer.page.locator('.bottom').getByRole('link', { name: 'Inbox' }).tap()
    await maintainer.page.getByRole('link', { name: 'Answer' }).first().tap()
    await settled(maintainer.page)
    await expectSound(maintainer, 'page sheet')
    await maintainer.page.getByRole('button', { name: 'On my way' }).tap()
    await maintainer.sees(/^Accepted \d\d:/)
  })

  it('shows the accept in the operator’s room without a reload', async () => {
    await operator.goTo(`/incidents/${number}`)
    await operator.sees(/accepted, on the way/)
    await maintainer.page.getByRole('button', { name: 'I have arrived' }).tap()
    await operator.sees(/arrived \d\d:\d\d/)
    await expectSound(operator, 'incident room')
  })

  it('carries a message from the phone to the desk', async () => {
    await maintainer.goTo(`/incidents/${number}`)
    await maintainer.page.getByRole('textbox', { name: 'Message to the room' }).fill('轴承过热，准备停机检修')
    await maintainer.press('Send')
    await operator.sees('轴承过热，准备停机检修')
    await expectSound(maintainer, 'incident room on a phone')
  })

  it('draws the pinned trend with its limits', async () => {
    await operator.page.locator('.room-trend canvas').waitFor()
    expect(await operator.page.locator('.room-trend .trend-legend li').count()).toBeGreaterThan(0)
  })

  it('walks the work order on the phone and asks for the failure report', async () => {
    await maintainer.page.locator('.bottom').getByRole('link', { name: 'My work' }).tap()
    await maintainer.page.locator('.order-link').first().tap()
    await settled(maintainer.page)
    const next = maintainer.page.locator('.order-acts .act-big button')
    for (const act of ['Accept', 'I have arrived', 'Start work']) {
      if ((await next.textContent())?.trim() !== act) continue
      await next.tap()
      await next.filter({ hasNotText: new RegExp(`${act}|Sending`) }).waitFor()
    }
    await next.filter({ hasText: 'Finish' }).waitFor()
    await fillTasks(maintainer)
    await expectSound(maintainer, 'work order on a phone')
    await next.tap()
    await maintainer.sees(/Still missing/)
    for (const chip of ['Overheating', 'Wear', 'Replaced part']) await maintainer.press(chip)
    await maintainer.page.locator('dialog').getByRole('button', { name: 'Finish' }).tap()
    await maintainer.page.locator('.screen-head .state', { hasText: 'Done' }).waitFor()
  })

  it('says by itself that the machine runs again', async () => {
    await operator.sees(/Restore proven by the state tag/, 120_000)
  })

  it('lets the lead close the incident and brings the retro to the manager', async () => {
    const lead = await person('lead', 'desktop')
    await lead.goTo(`/incidents/${number}`)
    await lead.press('Send to review')
    const manager = await person('manager', 'desktop')
    expect(new URL(manager.page.url()).pathname).toBe('/retros')
    await manager.page.locator('.retro-row', { hasText: number }).click()
    await manager.sees(/First-out order and trend/)
    await manager.page.locator('.retro-part canvas').first().waitFor()
    await manager.press('Start from the draft')
    await manager.press('Save')
    await manager.sees(/^Saved/)
    await expectSound(manager, 'retro')
  })
})

/** Gives every open task a result that fits it. */
async function fillTasks(person: Person): Promise<void> {
  const tasks = person.page.locator('.task')
  for (let i = 0; i < (await tasks.count()); i++) {
    const task = tasks.nth(i)
    const field = task.locator('.task-field')
    if ((await field.count()) === 0) await task.locator('input[type=checkbox]').tap()
    else {
      const range = /(\d+(?:\.\d+)?)–/.exec((await task.textContent()) ?? '')?.[1]
      await field.fill((range ?? (await field.getAttribute('inputmode')) === 'decimal') ? (range ?? '1') : 'ok')
      await field.blur()
    }
    await task.locator('.task-said', { hasText: /\d\d:\d\d/ }).waitFor()
  }
}

const SCREENS = ['/board', '/alarms', '/incidents', '/inbox', '/work', '/retros', '/assets', '/trends', '/edges']

describe.each([
  ['desktop', 'en'],
  ['desktop', 'zh-CN'],
  ['phone', 'en'],
  ['phone', 'zh-CN'],
] as const)('every place of the console (%s, %s)', (size, language) => {
  let engineer: Person
  const holds = async (what: string) => {
    await expectSound(engineer, `${what} ${size} ${language}`)
    if (size === 'phone') expect(await smallTouchTargets(engineer.page), what).toEqual([])
  }

  beforeAll(async () => {
    engineer = await person('engineer', size, language)
  })
  afterAll(() => engineer.close())

  it.each(SCREENS)('%s holds', async (path) => {
    await engineer.goTo(path)
    await holds(path)
  })

  it('the page of an asset holds, with live values and a trend', async () => {
    await engineer.goTo('/assets')
    await engineer.page.locator('.asset-link', { hasText: 'COMP-1' }).first().click()
    await engineer.page.locator('.value-cell').first().waitFor()
    await engineer.page.locator('.asset-page canvas').waitFor()
    await holds('asset')
  })

  it('the page of an edge holds, with its devices and tags', async () => {
    await engineer.goTo('/edges')
    await engineer.page.locator('.edge-link').first().click()
    await engineer.page.locator('.tag-table tbody tr').first().waitFor()
    await holds('edge')
  })

  it('the page of an alarm holds, with the act first', async () => {
    await engineer.goTo('/alarms?show=all')
    await engineer.page.locator('.alarm-name').first().click()
    await engineer.page.locator('.alarm-page .region').first().waitFor()
    await settled(engineer.page)
    await holds('alarm')
  })
})

describe('the first view', () => {
  it.each(['/sign-in', ...SCREENS])('of %s needs less than 200 KB of compressed script', async (path) => {
    const signedIn = people.find((one) => one.page.context().pages().length > 0)
    const context = await browser.newContext({ storageState: await storageOf(signedIn) })
    const page = await context.newPage()
    const sizes: Promise<number>[] = []
    page.on('response', (response) => {
      if (response.request().resourceType() !== 'script') return
      sizes.push(response.finished().then(async () => (await response.request().sizes()).responseBodySize))
    })
    await page.goto(`${demo.url}${path}`)
    await settled(page)
    const bytes = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
    await context.close()
    expect(bytes).toBeGreaterThan(50_000)
    expect(bytes).toBeLessThan(200_000)
  })
})

/** The session of somebody who is signed in already. */
async function storageOf(person: Person | undefined) {
  if (!person) throw new Error('Nobody is signed in')
  return person.page.context().storageState()
}
