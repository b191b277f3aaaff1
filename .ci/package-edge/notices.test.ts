import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { notices, packageFolders } from './notices.ts'

const dir = mkdtempSync(join(tmpdir(), 'andon-notices-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

function installed(name: string, license: string | undefined, text?: string): string {
  const folder = join(dir, 'node_modules', name)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name, version: '1.0.0', license, author: 'A Person' }))
  if (text !== undefined) writeFileSync(join(folder, 'LICENSE.md'), text)
  return folder
}

describe('the notices of what is bundled', () => {
  it('find the package of each file, also one inside another', () => {
    const files = [
      '/c/node_modules/@a/b/dist/x.js',
      '/c/node_modules/d/node_modules/e/y.js',
      '/c/node_modules/@a/b/z.js',
    ]
    expect(packageFolders(files)).toEqual(['/c/node_modules/@a/b', '/c/node_modules/d/node_modules/e'])
  })

  it('give a text once, with all that it is for, and say so when a package brings none', () => {
    const text = notices([
      installed('one', 'MIT', 'The text.'),
      installed('two', 'ISC', 'The text.'),
      installed('three', 'MIT'),
    ])
    expect(text.match(/The text\./g)).toHaveLength(1)
    expect(text).toContain('one 1.0.0, two 1.0.0\n\nThe text.')
    expect(text).toContain('three 1.0.0\n\nThe package brings no text of its own. Licence: MIT. From: A Person')
  })

  it.each(['GPL-3.0', '(MIT AND GPL-2.0)', 'SEE LICENSE IN x', undefined])('refuse %s', (license) => {
    expect(() => notices([installed('bad', license)])).toThrow(/^Not a permissive licence: bad/)
  })

  it('take a choice of which one is permissive', () => {
    expect(notices([installed('either', '(MIT OR GPL-2.0)', 'x')])).toContain('either 1.0.0')
  })
})
