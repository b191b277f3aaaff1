import { describe, expect, it } from 'vitest'
import type { Story } from '#shared/contracts/plant.ts'
import type { Scalar } from '#shared/contracts/sample.ts'
import { playStory, type StoryAction } from './stories.ts'

const STORY: Story = {
  story: 'failure',
  repeatMinutes: 10,
  steps: [
    { step: 'begin', do: [{ device: 'pump', play: 'failing' }] },
    { step: 'trip', when: { device: 'pump', tag: 'flow', below: 5 }, do: [{ device: 'pump', command: 'trip' }] },
    { step: 'repair', waitFor: { workOrderDone: 'pump' }, do: [{ device: 'pump', command: 'maintenance' }] },
    { step: 'restart', afterSeconds: 8, do: [{ device: 'pump', command: 'start' }] },
  ],
}
const view = (seconds: number, flow: Scalar) => ({ seconds, value: () => flow })
const commands = (actions: readonly StoryAction[]) => actions.map((a) => a.command ?? a.play)

describe('a story', () => {
  it('takes its steps in order, each when its condition holds', () => {
    const story = playStory(STORY)
    expect(commands(story.advance(view(0, 9)))).toEqual(['failing'])
    expect(story.advance(view(60, 9))).toEqual([])
    expect(commands(story.advance(view(61, 4)))).toEqual(['trip'])
    expect(story.waitingFor()).toBe('repair')
    expect(story.advance(view(500, 4))).toEqual([])
    story.workOrderDone('pump')
    expect(commands(story.advance(view(501, 4)))).toEqual(['maintenance'])
    expect(story.advance(view(508, 4))).toEqual([])
    expect(commands(story.advance(view(509, 4)))).toEqual(['start'])
    expect(story.waitingFor()).toBeUndefined()
  })

  it('forgets a work order that was done long before it is waited for, and those of other devices', () => {
    const story = playStory(STORY)
    story.advance(view(0, 9))
    story.workOrderDone('pump')
    story.advance(view(61, 4))
    story.workOrderDone('fan')
    expect(story.advance(view(62, 4))).toEqual([])
    expect(story.waitingFor()).toBe('repair')
  })

  it('counts a work order that a quick crew has done within the minute before', () => {
    const story = playStory(STORY)
    story.advance(view(70, 9))
    story.workOrderDone('pump')
    expect(commands(story.advance(view(82, 4)))).toEqual(['trip', 'maintenance'])
  })

  it('starts again after its time, once it is over', () => {
    const story = playStory(STORY)
    story.advance(view(0, 9))
    story.advance(view(1, 4))
    expect(story.advance(view(700, 4))).toEqual([])
    story.workOrderDone('pump')
    story.advance(view(701, 4))
    story.advance(view(709, 9))
    expect(commands(story.advance(view(710, 9)))).toEqual(['failing'])
  })
})
