import { describe, expect, it } from 'vitest'
import { loadProfiles } from '#shared/config/profile.ts'
import { ownFile } from '#shared/own-files/own-files.ts'
import { parseCsv } from './csv.ts'
import { csvToTags, tagChanges, tagsToCsv } from './tag-csv.ts'
import { profile } from './testing/plant.ts'

const fine = () => undefined
const edited = (edit: (csv: string) => string) => csvToTags(edit(tagsToCsv(profile)), profile, fine)

describe('a tag file', () => {
  it.each([...loadProfiles(ownFile('profiles')).values()].map((one) => [one.profile, one] as const))(
    'carries every tag of the profile %s out and in again',
    (_, one) => {
      const { profile: read, faults } = csvToTags(tagsToCsv(one), one, fine)
      expect(faults).toEqual([])
      expect(read).toEqual({ ...one, version: one.version + 1 })
    },
  )

  it('begins so that Excel shows Chinese, and is read with the separators of Excel in other countries', () => {
    expect(tagsToCsv(profile).startsWith('\uFEFFtag,name.en,name.zh-CN,')).toBe(true)
    expect(parseCsv('a;b\r\n"x;""y""";"1\n2"\r\n')).toEqual([
      ['a', 'b'],
      ['x;"y"', '1\n2'],
    ])
  })

  it('tells every fault at once with row, column and fix, and gives no profile', () => {
    const reading = edited((csv) =>
      csv.replace('holding:0,int16', 'holding:0,int17').replace('uint64', 'uint64,,,,wide'),
    )
    expect(reading.profile).toBeUndefined()
    expect(reading.faults).toMatchObject([
      { row: 2, column: 'type', found: expect.stringContaining('int17'), fix: expect.any(String) },
      { row: 3, column: 'length', found: "'wide'", fix: 'write a number with a point, as 1.5' },
    ])
    const twice = edited((csv) => csv.replace('\nlid,', '\noil,'))
    expect(twice.faults).toMatchObject([{ row: 5, column: 'tag', found: expect.stringContaining("'oil' again") }])
  })

  it('refuses columns that it does not know, and names those that are missing', () => {
    const { faults } = edited((csv) => csv.replace('name.en', 'Name').replace('address', 'type'))
    expect(faults.map(({ column, fix }) => [column, fix.slice(0, 12)])).toEqual([
      ['Name', 'use each of '],
      ['type', 'use each of '],
      ['name.en', 'add the colu'],
      ['address', 'add the colu'],
    ])
  })

  it('says how to save a file that is no UTF-8', () => {
    const gbk = Buffer.from([0xd3, 0xcd]).toString('utf8')
    expect(csvToTags(`tag\n${gbk}`, profile, fine).faults).toMatchObject([{ fix: 'save it as "CSV UTF-8"' }])
  })

  it('asks the driver about addresses', () => {
    const check = ({ tag }: { tag: string }) => (tag === 'lid' ? 'no such area' : undefined)
    const { faults } = csvToTags(tagsToCsv(profile), profile, check)
    expect(faults).toEqual([{ row: 5, column: 'address', found: 'no such area', fix: 'correct the address' }])
  })

  it('is told as what was added, changed and removed', () => {
    const { profile: read } = edited((csv) => csv.replace('holding:1,', 'holding:2,').replace('\nlid,', '\ncover,'))
    expect(read && tagChanges(profile, read)).toEqual({ added: ['cover'], changed: ['count'], removed: ['lid'] })
  })
})
