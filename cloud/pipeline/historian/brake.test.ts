import { describe, expect, it } from 'vitest'
import { createBrake } from './brake.ts'

function braking(longestMs: number) {
  const told: boolean[] = []
  return { told, brake: createBrake({ onHold: (isHeld) => told.push(isHeld), longestMs }) }
}

describe('a brake', () => {
  it('tells only what changes', () => {
    const { brake, told } = braking(60_000)
    brake.release()
    brake.hold()
    brake.hold()
    brake.release()
    brake.release()
    expect(told).toEqual([true, false])
  })

  it('lets go of a commit that hangs, and holds no more for it', async () => {
    const { brake, told } = braking(1)
    brake.hold()
    await expect.poll(() => told).toEqual([true, false])
    brake.hold()
    expect(told).toEqual([true, false])
    brake.release()
    brake.hold()
    brake.giveUp()
    expect(told).toEqual([true, false, true, false])
  })
})
