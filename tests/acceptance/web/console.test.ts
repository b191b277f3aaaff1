import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Demo, PASSWORD, startDemo } from '#tests/support/demo.ts'
import { connectScriptedEdge } from '#tests/support/sparkplug-edge.ts'
import { realBox } from './box.ts'
import {
  expectSound,
  launch,
  openAs,
  type Person,
  type Size,
  scriptBytes,
  settled,
  smallTouchTargets,
} from './browser.ts'

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
  let lead: Person
  /** The lead at the desk, who writes the retro. */
  let author: Person
  let manager: Person
  let number = ''

  // Whoever stays at a live screen costs every later test time.
  afterAll(async () => {
    for (const one of people.splice(0)) await one.close()
  })

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
    // Finish says what is missing and leads to it.
    await next.tap()
    await maintainer.page.locator('dialog .task-jump').first().tap()
    await maintainer.page.locator('dialog').waitFor({ state: 'detached' })
    await maintainer.page.locator('.task input:focus').waitFor()
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

  it('lets nobody judge their own work: the lead verifies and closes the order on a phone', async () => {
    await maintainer.sees('Done')
    expect(await maintainer.page.locator('.order-acts button').count()).toBe(0)
    lead = await person('lead', 'phone', 'zh-CN')
    await lead.page.locator('.bottom').getByRole('link', { name: '我的工单' }).tap()
    const card = lead.page.locator('.order-card', { hasText: number })
    await card.getByRole('button', { name: '验收' }).tap()
    await card.getByRole('link').tap()
    await lead.page.locator('.screen-head .state', { hasText: '已验收' }).waitFor()
    await expectSound(lead, 'verified work order on a phone')
    await lead.page.locator('.order-acts .act-big button', { hasText: '关闭' }).tap()
    await lead.page.locator('.screen-head .state', { hasText: '已关闭' }).waitFor()
    expect(await lead.page.locator('.order-acts button').count()).toBe(0)
    await maintainer.page.locator('.screen-head .state', { hasText: 'Closed' }).waitFor()
  })

  it('sends the incident to review once the machine runs again', async () => {
    const desk = await person('lead', 'desktop', 'zh-CN')
    await desk.goTo(`/incidents/${number}`)
    await desk.page.locator('.act-big button', { hasText: '送复核' }).click()
    await operator.page.locator('.state', { hasText: 'In review' }).first().waitFor()
    await desk.press('打开复盘')
    await desk.page.locator('.retro-part canvas').first().waitFor()
    author = desk
  })

  it('lets the lead write the retro, and refuses its author as the approver', async () => {
    const { page } = author
    await author.press('从草稿开始')
    await page.getByPlaceholder('因为…').first().fill('轴承润滑周期过长')
    await author.press('添加措施')
    await page.getByRole('textbox', { name: '措施 1' }).fill('润滑周期改为 500 h')
    await author.press('保存')
    await author.sees(/^已保存/)
    await expectSound(author, 'retro being written')
    await page.getByRole('button', { name: '送审' }).click()
    await page.locator('.screen-head .state', { hasText: '评审中' }).waitFor()
    await author.sees('这份复盘由你编写或提交，须由另一位班组长或经理批准。')
    expect(await page.getByRole('button', { name: '批准' }).isDisabled()).toBe(true)
  })

  it('lets the manager send it back with a sentence, which the author reads', async () => {
    manager = await person('manager', 'phone')
    expect(new URL(manager.page.url()).pathname).toBe('/retros')
    await manager.page.locator('.bottom').getByRole('link', { name: 'Inbox' }).tap()
    await manager.page.getByRole('link', { name: 'Read and decide' }).tap()
    await manager.sees(/First-out order and trend/)
    await expectSound(manager, 'retro in review on a phone')
    await manager.page.getByRole('button', { name: 'Return' }).tap()
    await manager.page.locator('dialog textarea, dialog input').last().fill('Who owns the action?')
    await manager.press('Return to draft')
    await author.sees('Who owns the action?')
    await author.page.locator('.screen-head .state', { hasText: '草稿' }).waitFor()
    await author.page.getByRole('combobox', { name: '负责人 1' }).selectOption({ label: '张伟' })
    await author.press('保存')
    await author.sees(/^已保存/)
    await author.page.getByRole('button', { name: '送审' }).click()
    await author.page.locator('.screen-head .state', { hasText: '评审中' }).waitFor()
  })

  it('is closed by the manager’s approval, everywhere without a reload', async () => {
    const { page } = manager
    await page.locator('.screen-head .state', { hasText: 'In review' }).waitFor()
    await page.getByRole('button', { name: 'Approve' }).tap()
    await page.locator('.screen-head .state', { hasText: 'Approved' }).waitFor()
    await operator.page.locator('.state', { hasText: 'Closed' }).first().waitFor()
    await operator.goTo('/incidents?show=closed')
    await operator.sees(new RegExp(number))
  })

  it('stands as it was approved: read-only, saying who approved it and when', async () => {
    await manager.sees(/Approved by 刘洋, .*\d{4}/)
    await author.sees(/刘洋 于 .*\d{4}年.* 批准/)
    for (const { page } of [manager, author]) {
      const fields = page.locator('.retro').locator('textarea, input, select')
      expect(await fields.count()).toBe(0)
      const acts = page.locator('.screen-head .acts button')
      expect(await acts.count()).toBe(1)
    }
    await author.sees('润滑周期改为 500 h')
    await expectSound(manager, 'approved retro on a phone')
    await expectSound(author, 'approved retro')
    expect(await smallTouchTargets(manager.page)).toEqual([])
    await manager.page.locator('.bottom').getByRole('link', { name: 'Inbox' }).tap()
    await manager.sees('Your inbox is empty.')
  })

  it('prints the retro on paper sheets, with the approval and nothing to press', async () => {
    const { page } = author
    await page.emulateMedia({ media: 'print' })
    expect(await page.locator('.retro-sign').textContent()).toContain('刘洋 于')
    expect(await page.locator('button:visible').count()).toBe(0)
    const sheets = (await page.pdf({ preferCSSPageSize: true })).toString('latin1').match(/\/Type\s*\/Page\b/g)
    expect(sheets?.length).toBeGreaterThanOrEqual(2)
    expect(sheets?.length).toBeLessThanOrEqual(4)
    await page.emulateMedia({ media: 'screen' })
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

const REGISTRATIONS = [
  {
    size: 'desktop',
    language: 'en',
    name: 'line-8',
    open: 'Enrol an edge',
    send: 'Register and make a code',
    secretWay: /user name and secret/,
    copy: 'Copy Secret',
  },
  {
    size: 'phone',
    language: 'zh-CN',
    name: 'line-9',
    open: '接入边缘网关',
    send: '注册并生成代码',
    secretWay: /用户名和密钥/,
    copy: '复制 密钥',
  },
] as const
const EDGE_STATES = { en: ['Never connected', 'Online'], 'zh-CN': ['从未连接', '在线'] } as const

describe.each(REGISTRATIONS)('an engineer registers a box ($size, $language)', (given) => {
  const { size, language, name, open, send, secretWay, copy } = given
  const [never, online] = EDGE_STATES[language]
  let engineer: Person
  let secret = ''
  const rowOf = () => engineer.page.locator('.edges > li', { hasText: `module-factory/${name}` })

  beforeAll(async () => {
    engineer = await person('engineer', size, language)
    await engineer.page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
    await engineer.goTo('/edges')
  })
  afterAll(() => engineer.close())

  it('is told of the fault of each field while typing, and cannot send it', async () => {
    await engineer.press(open)
    const fields = engineer.page.locator('.edge-form .field')
    await fields.nth(0).fill('Module Factory')
    await fields.nth(1).fill('line-1_')
    expect(await engineer.page.locator('.edge-form [aria-invalid=true]').count()).toBe(2)
    expect(await engineer.page.locator('.field-fault:visible').count()).toBe(2)
    expect(await engineer.page.locator('.edge-form').getByRole('button', { name: send }).isDisabled()).toBe(true)
    await expectSound(engineer, 'edge form with faults')
    await fields.nth(0).fill('module-factory')
    await fields.nth(1).fill('line-1')
    // The demo's own box holds that name: registering it again would cut it off.
    expect(await engineer.page.locator('.field-fault:visible').count()).toBe(1)
    await fields.nth(1).press('Enter')
    await fields.nth(1).fill(name)
    expect(await engineer.page.locator('.field-fault:visible').count()).toBe(0)
  })

  it('sends by Enter and gets the secret, this once, with a way to copy it', async () => {
    await engineer.page.locator('.edge-form .field').nth(1).press('Enter')
    await engineer.page.getByText(secretWay).click()
    await engineer.page.getByRole('button', { name: copy }).click()
    secret = (await engineer.page.locator('details.panel .edge-copy').nth(1).textContent()) ?? ''
    expect(secret.length).toBeGreaterThan(20)
    expect(await engineer.page.evaluate('navigator.clipboard.readText()')).toBe(secret)
    await expectSound(engineer, 'edge secret')
    if (size === 'phone') expect(await smallTouchTargets(engineer.page)).toEqual([])
    await engineer.goTo('/edges')
    await rowOf().getByText(never).waitFor()
    expect(await engineer.page.content()).not.toContain(secret)
  })

  it('sees the box come online and its device appear, without a reload', async () => {
    await rowOf().getByText(never).waitFor()
    const { mqttPort } = JSON.parse(readFileSync(join(demo.data, 'demo', 'endpoints.json'), 'utf8'))
    const box = await connectScriptedEdge({ port: mqttPort, group: 'module-factory', edge: name, secret })
    await box.birth(0n, 0n)
    await rowOf().getByText(online).waitFor()
    const tags = [{ tag: 'total-active-power', alias: 10, type: 'double', value: 42.5 }] as const
    await box.deviceBirth(`meter-${name}`, tags, { profile: 'energy-meter' })
    await rowOf().locator('.edge-link').click()
    await engineer.page.locator('.device-name', { hasText: `meter-${name}` }).click()
    await engineer.page.locator('.tag-table').getByText('42.5').waitFor()
    await expectSound(engineer, 'new edge')
    await box.close()
  })
})

describe('an engineer enrols a box, from the first line to its first value', () => {
  const box = realBox()
  let desk: Person
  /** Somebody who looks on from a phone, in the other language. */
  let phone: Person
  let id = ''
  const both = async (what: string) => {
    await expectSound(desk, what)
    await expectSound(phone, `${what} on a phone`)
    expect(await smallTouchTargets(phone.page), what).toEqual([])
  }

  beforeAll(async () => {
    desk = await person('engineer', 'desktop')
    phone = await person('admin', 'phone', 'zh-CN')
  })
  afterAll(async () => {
    await box.close()
    await phone.close()
    await desk.close()
  })

  it('gets a one-time code with the lines to run, also as a QR code', async () => {
    await desk.goTo('/edges/new')
    await desk.page.locator('.edge-form .field').nth(1).fill('line-7')
    await desk.press('Register and make a code')
    await desk.page.locator('.enrol-qr canvas').waitFor()
    await desk.sees('Waiting for the box to use the code…')
    id = new URL(desk.page.url()).searchParams.get('edge') ?? ''
    await phone.goTo(`/edges/new?edge=${id}`)
    await both('enrolment')
  })

  it('follows the box until it is connected, without a reload', async () => {
    const lines = await desk.page.locator('.enrol-code .edge-copy').allTextContents()
    expect(lines.slice(0, 2)).toEqual([expect.stringMatching(/^sudo andon-edge enroll --cloud /), expect.any(String)])
    await box.run(lines[2] ?? '')
    await desk.sees(/Enrolled .* ago$/)
    box.start(lines[3] ?? '')
    await desk.sees(/Connected .* ago$/)
    await desk.press('Add devices')
    await desk.sees('The box runs its own edge.yaml. Nothing was pushed yet.')
  })

  it('is told every fault at its line, by the box, before anything is sent', async () => {
    const { page } = desk
    await page.getByRole('button', { name: 'Edit version 1' }).click()
    const field = page.locator('.code-field')
    await field.fill(box.file().replace('devices: []', 'scan: { fast: x }\ndevicez: []'))
    await desk.press('Check on the box')
    await page.locator('.config-faults li').nth(2).waitFor()
    expect(await page.locator('.code-marked').count()).toBe(3)
    await page.locator('.config-line', { hasText: 'Line 8' }).click()
    const selected = await page.evaluate<string>('getSelection().toString()')
    expect(selected).toBe('scan: { fast: x }')
  })

  it('compares, pushes with a reason, and sees the first value', async () => {
    const { page } = desk
    const { endpoints } = JSON.parse(readFileSync(join(demo.data, 'demo', 'endpoints.json'), 'utf8'))
    const { modbus } = endpoints.find(({ device }: { device: string }) => device === 'meter-1')
    const lines = ['devices:', `  - { device: meter-7, profile: energy-meter, modbus: ${JSON.stringify(modbus)} }`]
    await page.locator('.code-field').fill(box.file().replace('devices: []', lines.join('\n')))
    await desk.press('Save and compare')
    await page.locator('.difference-added', { hasText: 'meter-7' }).waitFor()
    await desk.press('Push version 2…')
    await page.locator('dialog textarea').fill('First meter')
    await page.locator('dialog .act-big button').click()
    await desk.sees('v2: taken by the box')
    await page.locator('dialog').getByRole('button', { name: 'Close' }).last().click()
    await desk.sees('The box runs version 2, as pushed.')
    await desk.sees(/First meter/)
    expect(box.file()).toContain('meter-7')
    await phone.goTo(`/edges/${id}/tags`)
    await phone.page.locator('.tag-table tbody tr').first().waitFor()
  })

  it('rolls back to the version before, with a reason', async () => {
    await desk.goTo(`/edges/${id}/configuration`)
    await desk.page.getByRole('button', { name: 'Roll back… 1' }).click()
    await desk.page.locator('dialog textarea').fill('Wrong meter')
    await desk.page.locator('dialog .act-big button').click()
    await desk.sees('v1: taken by the box')
    await desk.page.locator('dialog').getByRole('button', { name: 'Close' }).last().click()
    await phone.goTo(`/edges/${id}/configuration`)
    await phone.sees(/^✓ 网关运行已下发的版本 1。$|版本 1 正在试运行/)
    expect(box.file()).toContain('devices: []')
  })

  it('cuts the box off by revoking its certificate, which says what it does', async () => {
    await phone.goTo(`/edges/${id}/certificates`)
    await phone.page.locator('.certificate').getByRole('button', { name: '吊销…' }).tap()
    await phone.sees(/网关立即断开/)
    await phone.press('网关停止使用')
    await phone.press('吊销证书')
    await phone.sees('已吊销')
    await desk.goTo('/edges?show=attention')
    await desk.page
      .locator('.edges > li', { hasText: 'line-7' })
      .getByText(/is not connected/)
      .waitFor()
    await expectSound(desk, 'fleet with a box that was cut off')
  })
})

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

  it.each(SCREENS)('%s holds, with a first view of less than 200 KB of compressed script', async (path) => {
    await engineer.goTo(path)
    expectSmall(await scriptBytes(engineer.page))
    await holds(path)
  })

  it('the page of an asset holds, with live values and a trend', async () => {
    await engineer.goTo('/assets')
    await engineer.page.locator('.asset-link', { hasText: 'COMP-1' }).first().click()
    await engineer.page.locator('.value-cell').first().waitFor()
    await engineer.page.locator('.asset-page canvas').waitFor()
    await holds('asset')
  })

  it('the export of an asset holds, and gives the file that it tells of, by keyboard alone', async () => {
    const { page } = engineer
    await page.locator('.asset-page header button').focus()
    await page.keyboard.press('Enter')
    await page.locator('dialog .choices').waitFor()
    await holds('export')
    const start = page.locator('dialog .act-big button')
    await start.focus()
    const [file] = await Promise.all([page.waitForEvent('download'), page.keyboard.press('Enter')])
    const lines = readFileSync(await file.path(), 'utf8')
      .trimEnd()
      .split('\r\n')
    expect(lines[0]).toBe('path,time,value,quality')
    const told = page.locator('.export-item').first()
    await told.locator('[role=status]', { hasText: `${lines.length - 1} ` }).waitFor()
    expect(await told.locator('.export-name').textContent()).toBe(file.suggestedFilename())
    await page.keyboard.press('Escape')
    await page.locator('dialog').waitFor({ state: 'detached' })
  })

  it('the page of an edge holds, with its devices and tags', async () => {
    await engineer.goTo('/edges')
    await engineer.page.locator('.edge-link', { hasText: '/line-1' }).click()
    await engineer.page.locator('.device-row').first().waitFor()
    await holds('edge')
    await engineer.page.locator('.device-name').first().click()
    await engineer.page.locator('.tag-table tbody tr').first().waitFor()
    await holds('tags of an edge')
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
  it('of /sign-in needs less than 200 KB of compressed script', async () => {
    const page = await browser.newPage()
    await page.goto(`${demo.url}/sign-in`)
    await settled(page)
    expectSmall(await scriptBytes(page))
    await page.close()
  })
})

function expectSmall(bytes: number): void {
  expect(bytes).toBeGreaterThan(50_000)
  expect(bytes).toBeLessThan(200_000)
}
