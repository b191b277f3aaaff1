import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { texts as en } from './en/index.ts'
import { texts as zh } from './zh-CN/index.ts'

const web = fileURLToPath(new URL('..', import.meta.url))

function leaves(node: object, prefix = ''): [string, string][] {
  return Object.entries(node).flatMap(([key, value]) =>
    typeof value === 'string' ? [[`${prefix}${key}`, value] as [string, string]] : leaves(value, `${prefix}${key}.`),
  )
}

function sources(dir: string): string[] {
  return readdirSync(dir).flatMap((name) => {
    const path = join(dir, name)
    if (name === 'dist' || name === 'locales') return []
    if (statSync(path).isDirectory()) return sources(path)
    return /\.tsx?$/.test(name) && !name.includes('.test.') ? [path] : []
  })
}

const placeholders = (text: string) => [...text.matchAll(/\{\{(\w+)\}\}/g)].map((m) => m[1]).sort()

describe('the two languages', () => {
  const english = new Map(leaves(en))
  const chinese = new Map(leaves(zh))

  it('have the same texts', () => {
    expect([...chinese.keys()].sort()).toEqual([...english.keys()].sort())
    expect(english.size).toBeGreaterThan(300)
  })

  it('leave none empty and fill the same places', () => {
    for (const [key, text] of english) {
      expect(text, key).not.toBe('')
      expect(chinese.get(key), key).not.toBe('')
      const chineseText = chinese.get(key) ?? ''
      for (const place of placeholders(chineseText)) expect(placeholders(text), key).toContain(place)
    }
  })

  it('say 报警 and 异常, and address nobody as 您', () => {
    for (const [key, text] of chinese) expect(text, key).not.toMatch(/您|事故|抱歉|开放工单|劳动|父资产/)
  })

  it('know every text that a screen asks for by its full name', () => {
    const asked = sources(web).flatMap((file) =>
      [...readFileSync(file, 'utf8').matchAll(/\bt\(\s*'([\w.-]+)'/g)].map((m) => m[1] ?? ''),
    )
    const known = (key: string) => english.has(key) || english.has(`${key}_other`)
    expect(asked.filter((key) => !known(key))).toEqual([])
  })

  it('carry no text that no screen asks for', () => {
    const code = sources(web)
      .map((file) => readFileSync(file, 'utf8'))
      .join('\n')
    const isAsked = (key: string) => {
      const name = key.replace(/_(one|other)$/, '')
      const parents = name.split('.').map((_part, i, parts) => parts.slice(0, i).join('.'))
      return code.includes(`'${name}'`) || parents.some((parent) => parent && isPrefix(parent))
    }
    const isPrefix = (parent: string) =>
      code.includes(`\`${parent}.\${`) || (parent.includes('.') && code.includes(`'${parent}'`))
    expect([...english.keys()].filter((key) => !isAsked(key))).toEqual([])
  })
})
