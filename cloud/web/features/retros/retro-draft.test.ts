import { describe, expect, it } from 'vitest'
import type { Retro } from '#shared/contracts/retro.ts'
import { draftOf, editOf, isChanged } from './retro-draft.ts'

const retro = {
  summary: null,
  whys: [{ question: { en: 'Why 1', 'zh-CN': '为什么 1' }, answer: 'Seal torn' }],
  actions: [
    {
      id: 'a',
      text: 'Check seals',
      type: 'prevent',
      owner: { id: 'p', name: '张伟' },
      dueAt: '2026-12-01T23:59:59.000Z',
      doneAt: null,
    },
  ],
} as unknown as Retro

describe('the prose of a retro', () => {
  it('is sent back as it was read when nobody wrote', () => {
    expect(isChanged(draftOf(retro), retro)).toBe(false)
    expect(editOf(draftOf(retro)).actions).toEqual([
      { text: 'Check seals', type: 'prevent', ownerId: 'p', dueAt: '2026-12-01T23:59:59.000Z' },
    ])
  })

  it('is changed by a word, not by an action that has none yet', () => {
    const draft = draftOf(retro)
    const empty = { key: 'n', text: ' ', type: 'correct' as const, ownerId: '', due: '' }
    expect(isChanged({ ...draft, actions: [...draft.actions, empty] }, retro)).toBe(false)
    expect(isChanged({ ...draft, summary: 'It broke' }, retro)).toBe(true)
  })
})
