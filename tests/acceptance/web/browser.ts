import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { type Browser, chromium, type Page } from 'playwright-core'
import { expect } from 'vitest'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** Sizes at which every screen must hold. */
export const SIZES = { desktop: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } } as const
export type Size = keyof typeof SIZES

/** Debian's Chromium, without anything that asks the network. */
export const launch = (): Promise<Browser> =>
  chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })

export interface PersonOptions {
  readonly url: string
  readonly username: string
  readonly password: string
  readonly size: Size
  readonly language?: 'en' | 'zh-CN'
  readonly theme?: 'light' | 'dark'
}

/** A person at the console: one browser context of one size, signed in. Everything the page complains about is kept. */
export interface Person {
  readonly page: Page
  /** Console errors, uncaught errors and answers of 500 and above. */
  readonly complaints: readonly string[]
  goTo(path: string): Promise<void>
  /** Presses a button or link by its visible name. */
  press(name: string | RegExp): Promise<void>
  /** Waits until the text stands on the page, without a reload. */
  sees(text: string | RegExp, timeoutMs?: number): Promise<void>
  close(): Promise<void>
}

/** Opens the console as one person and signs in through the form. */
export async function openAs(browser: Browser, options: PersonOptions): Promise<Person> {
  const isPhone = options.size === 'phone'
  const context = await browser.newContext({
    viewport: SIZES[options.size],
    hasTouch: isPhone,
    isMobile: isPhone,
    colorScheme: options.theme ?? 'light',
    locale: options.language === 'zh-CN' ? 'zh-CN' : 'en-GB',
  })
  const page = await context.newPage()
  page.setDefaultTimeout(30_000)
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(`uncaught: ${error.message}`))
  page.on('console', (message) => {
    // A refused sign-in check answers 401 and Chromium says so; that is how the door works.
    if (message.type() === 'error' && !/\b(401|403|404|409)\b/.test(message.text())) complaints.push(message.text())
  })
  page.on('response', (response) => {
    if (response.status() >= 500) complaints.push(`${response.status()} ${response.url()}`)
  })
  await page.goto(`${options.url}/sign-in`)
  await page.fill('#user', options.username)
  await page.fill('#password', options.password)
  await page.click('button[type=submit]')
  await page.waitForURL((url) => !['/sign-in', '/'].includes(url.pathname))
  return {
    page,
    complaints,
    async goTo(path) {
      await page.goto(`${options.url}${path}`)
      await settled(page)
    },
    async press(name) {
      await page.getByRole('button', { name }).or(page.getByRole('link', { name })).first().click()
    },
    async sees(text, timeoutMs = 30_000) {
      await page.getByText(text).locator('visible=true').first().waitFor({ timeout: timeoutMs })
    },
    close: () => context.close(),
  }
}

/** Resolves when the screen has its data: nothing is loading and no skeleton stands. */
export async function settled(page: Page): Promise<void> {
  await page.locator('main h1, main h2, main p').locator('visible=true').first().waitFor()
  await page.locator('.skeleton, [aria-busy="true"]').first().waitFor({ state: 'detached' })
}

/** Rules of WCAG 2.0 to 2.2, levels A and AA. */
const WCAG = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']

/** What stands against accessibility, each with the element it stands on. In-page code is text: these files know no DOM. */
export async function accessibilityFaults(page: Page): Promise<string[]> {
  // Half a megabyte of script: once for each document, however often it is looked at.
  if (!(await page.evaluate<boolean>('"axe" in window'))) await page.evaluate(axe)
  const options = JSON.stringify({ runOnly: WCAG, resultTypes: ['violations'] })
  return page.evaluate<string[]>(`axe.run(document, ${options}).then((result) =>
    result.violations.flatMap((v) => v.nodes.map((node) => v.id + ' at ' + node.target.join(' '))))`)
}

/** A screen that has its data holds: no fault of accessibility, nothing wider than the window, no untranslated text. */
export async function expectSound(person: Person, what: string): Promise<void> {
  await settled(person.page)
  expect(await accessibilityFaults(person.page), `${what}: accessibility`).toEqual([])
  const width = await person.page.evaluate<number>(
    `Math.max(...[document.documentElement, ...document.querySelectorAll('main')].map((e) => e.scrollWidth - e.clientWidth))`,
  )
  expect(width, `${what}: wider than the window`).toBeLessThanOrEqual(0)
  const text = await person.page.evaluate<string>('document.body.innerText')
  expect(text.match(/\b(words|action|alarms?|room|order|retros?|assets|edges|inbox|board)\.[a-z]\w+/g), what).toBeNull()
  expect(person.complaints, `${what}: complaints of the page`).toEqual([])
}

/** Bytes of compressed script that the document has loaded so far, from the net or from what the browser keeps. */
export const scriptBytes = (page: Page): Promise<number> =>
  page.evaluate<number>(`performance.getEntriesByType('resource')
    .filter((entry) => new URL(entry.name).pathname.endsWith('.js'))
    .reduce((bytes, entry) => bytes + entry.encodedBodySize, 0)`)

/** What a thumb must hit and is lower than 44 px: buttons, tabs and the places at the bottom. */
export function smallTouchTargets(page: Page): Promise<string[]> {
  return page.evaluate<string[]>(`[...document.querySelectorAll('main button, .bottom-link, .ant-btn')]
    .filter((e) => e.offsetParent !== null && Math.round(e.getBoundingClientRect().height) < 44)
    .map((e) => e.className + ' "' + e.innerText + '" ' + e.getBoundingClientRect().height)`)
}
