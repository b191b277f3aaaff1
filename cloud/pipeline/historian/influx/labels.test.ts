import { describe, expect, it } from 'vitest'
import { byDevice, labelled, labelOf, linePrefix, tagSet } from './labels.ts'

const labels = { group: 'works', edge: 'line 1', device: 'Press', tag: 'Zone=1, top' }

describe('the labels of a tag', () => {
  it('stay as people wrote them, escaped in a line', () => {
    expect(linePrefix(labels)).toBe('tag,group=works,edge=line\\ 1,device=Press,tag=Zone\\=1\\,\\ top ')
    expect(labelOf('C:\\data 温度 50 %')).toBe('C:\\data 温度 50 %')
  })

  it('become look-alikes where the line protocol has no way to write them', () => {
    expect(['', 'a\nb', 'a\u007f', 'end\\', 'a\\,b', '\\\\x'].map(labelOf)).toEqual([
      '∅',
      'a␊b',
      'a␡',
      'end＼',
      'a＼,b',
      '＼\\x',
    ])
  })

  it('lead from an answer back to the key, and from keys to filters by device', () => {
    const all = [labels, { ...labels, tag: 'b' }, { ...labels, device: 'Saw' }, { ...labels, tag: '\n' }]
    const set = tagSet(labelled([0, 1, 2, 3, 3, 7], (key) => all[key]))
    expect(set.keyOf({ ...labels, tag: '␊', rollup: 'x' })).toBe(3)
    expect(set.keyOf({ ...labels, tag: 'nobody' })).toBeUndefined()
    const owner = { group: 'works', edge: 'line 1' }
    expect(byDevice(set, 2)).toEqual([
      { ...owner, device: 'Press', names: ['Zone=1, top', 'b'] },
      { ...owner, device: 'Press', names: ['␊'] },
      { ...owner, device: 'Saw', names: ['Zone=1, top'] },
    ])
  })
})
