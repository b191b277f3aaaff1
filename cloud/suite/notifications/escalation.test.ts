import { describe, expect, it } from 'vitest'
import { MOST_STEPS, nextStep } from './escalation.ts'

const standing = { isEnded: false, firstStep: 1, step: 1, afterMinutes: 5, fallbackRole: 'lead' }

describe('an escalation', () => {
  it('calls the backup first, then the fallback role', () => {
    expect(nextStep(standing, 1)).toEqual({ kind: 'backup', step: 2 })
    expect(nextStep({ ...standing, step: 2 }, 2)).toEqual({ kind: 'role', step: 3, role: 'lead' })
  })

  it('calls nobody once it has ended, decided when it is due and not when it was planned', () => {
    expect(nextStep({ ...standing, isEnded: true }, 1)).toEqual({ kind: 'none' })
  })

  it('calls nobody twice when its timer runs twice', () => {
    expect(nextStep({ ...standing, step: 2 }, 1)).toEqual({ kind: 'none' })
  })

  it('stops after its last step', () => {
    expect(nextStep({ ...standing, step: MOST_STEPS }, MOST_STEPS)).toEqual({ kind: 'none' })
  })

  it('begins anew with the backup when its record was reopened', () => {
    expect(nextStep({ ...standing, firstStep: 4, step: 4 }, 4)).toEqual({ kind: 'backup', step: 5 })
  })
})
