import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { keepFormat } from './data-format.ts'
import { DatabaseRefusal } from './database/refusal.ts'

let parent: string
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'andon-format-'))
})
afterEach(() => rmSync(parent, { recursive: true }))

describe('the format of a data directory', () => {
  it('is written once into a new directory that its owner alone can enter, and accepted from then on', () => {
    const dir = join(parent, 'cloud')
    keepFormat(dir)
    keepFormat(dir)
    expect(readFileSync(join(dir, 'format'), 'utf8')).toBe('1\n')
    expect(statSync(dir).mode & 0o777).toBe(0o700)
  })

  it.each(['2', '0', 'x', ''])(
    '%j is refused with directory, both formats and what to do; nothing is touched',
    (found) => {
      writeFileSync(join(parent, 'format'), found)
      expect(() => keepFormat(parent)).toThrow(DatabaseRefusal)
      expect(() => keepFormat(parent)).toThrow(
        `The data directory ${parent} has the format '${found}', this version of Andon works with format 1. ` +
          'Start the version that made it, or choose another ANDON_DATA.',
      )
      expect(readdirSync(parent)).toEqual(['format'])
      expect(readFileSync(join(parent, 'format'), 'utf8')).toBe(found)
    },
  )
})
