import { describe, expect, it } from 'vitest'
import { formatAge, formatBytes, formatCount, formatShortSpan, formatSpan, formatTime, formatValue } from './format.ts'

const words = { yes: 'on', no: 'off', none: '—' }

describe('a span of time', () => {
  it('counts hours, minutes and seconds under a day', () => {
    expect(formatSpan(872_000, 'en')).toBe('00:14:32')
    expect(formatSpan(86_399_999, 'en')).toBe('23:59:59')
  })
  it('counts days and hours from one day on', () => {
    expect(formatSpan(183_600_000, 'en')).toBe('2 d 3 h')
    expect(formatSpan(183_600_000, 'zh-CN')).toBe('2 天 3 时')
  })
  it('never runs backwards, whatever the clocks say', () => {
    expect(formatSpan(-5000, 'en')).toBe('00:00:00')
  })
  it('is short on a clock of an incident', () => {
    expect(formatShortSpan(2)).toBe('0:02')
    expect(formatShortSpan(70)).toBe('1:10')
    expect(formatShortSpan(754)).toBe('12:34')
    expect(formatShortSpan(3850)).toBe('1:04:10')
  })
  it('is said in its largest unit as an age', () => {
    expect(formatAge(3200, 'en')).toBe('3 s')
    expect(formatAge(720_000, 'zh-CN')).toBe('12 分钟')
  })
})

describe('a time of day', () => {
  const noon = new Date(2026, 10, 23, 12, 0, 5).getTime()
  it('leaves the date out today and says it otherwise', () => {
    expect(formatTime(noon, 'en', noon)).toBe('12:00:05')
    expect(formatTime(noon, 'en', noon + 86_400_000)).toBe('23 Nov 12:00:05')
  })
})

describe('a value', () => {
  it('keeps its decimals, so that columns do not jump', () => {
    expect(formatValue(38, { ...words, decimals: 1 }, 'en')).toBe('38.0')
    expect(formatValue(0.04567, words, 'en')).toBe('0.046')
  })
  it('is read as its word when it is a code', () => {
    const coded = { ...words, words: { '2': { en: 'Cutting', 'zh-CN': '切割' } } }
    expect(formatValue(2, coded, 'zh-CN')).toBe('切割')
  })
  it('keeps every digit of a long counter', () => {
    expect(formatValue('9007199254740993', words, 'en')).toBe('9007199254740993')
  })
  it('says that there is none', () => {
    expect(formatValue(null, words, 'en')).toBe('—')
  })
})

describe('numbers of an export', () => {
  it('are told apart by thousands, sizes in their largest unit', () => {
    expect(formatCount(2_592_000, 'en')).toBe('2,592,000')
    expect([0, 912, 3_400, 999_999, 41_500_000, 2e9, 7e15].map(formatBytes)).toEqual([
      ...['0 B', '912 B', '3.4 kB', '999 kB', '41 MB', '2.0 GB', '7000 TB'],
    ])
  })
})
