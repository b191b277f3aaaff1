import type { Story, StoryStep } from '#shared/contracts/plant.ts'
import type { Scalar } from '#shared/contracts/sample.ts'

export type StoryAction = StoryStep['do'][number]

/** What a story sees of the plant. */
export interface StoryView {
  /** Seconds of plant time since the start. */
  readonly seconds: number
  value(device: string, tag: string): Scalar | undefined
}

export interface StoryPlayer {
  /** Takes the steps whose conditions hold now and returns what they do, in order. */
  advance(view: StoryView): readonly StoryAction[]
  /** A work order on this device is done: releases the step that waits for it, or that will within a minute. */
  workOrderDone(device: string): void
  /** The step that is waited for; undefined when the story is over. */
  waitingFor(): string | undefined
}

/** A work order that is done this long before its step is reached still counts, in s: a quick crew may be ahead of the story. */
const EARLY_S = 60

/** Plays one story: its steps in order, each when its conditions hold, again from the first when it repeats. */
export function playStory(story: Story): StoryPlayer {
  let next = 0
  let beganAt = 0
  let lastAt = 0
  let now = 0
  /** When a work order on a device was last done. */
  const done = new Map<string, number>()

  function isDue(step: StoryStep, view: StoryView): boolean {
    if (view.seconds - lastAt < (step.afterSeconds ?? 0)) return false
    if (step.when && !holds(step.when, view)) return false
    if (!step.waitFor) return true
    const doneAt = done.get(step.waitFor.workOrderDone)
    return doneAt !== undefined && doneAt >= lastAt - EARLY_S
  }

  function take(step: StoryStep, view: StoryView): readonly StoryAction[] {
    if (step.waitFor) done.delete(step.waitFor.workOrderDone)
    next++
    lastAt = view.seconds
    return step.do
  }

  function restartIfDue(seconds: number): void {
    const { repeatMinutes } = story
    if (next < story.steps.length || repeatMinutes === undefined) return
    if (seconds - beganAt < repeatMinutes * 60) return
    next = 0
    beganAt = seconds
    lastAt = seconds
    done.clear()
  }

  return {
    advance(view) {
      now = view.seconds
      restartIfDue(view.seconds)
      const actions: StoryAction[] = []
      let step = story.steps[next]
      while (step && isDue(step, view)) {
        actions.push(...take(step, view))
        step = story.steps[next]
      }
      return actions
    },
    workOrderDone(device) {
      done.set(device, now)
    },
    waitingFor: () => story.steps[next]?.step,
  }
}

function holds(when: NonNullable<StoryStep['when']>, view: StoryView): boolean {
  const value = view.value(when.device, when.tag)
  if (typeof value !== 'number') return false
  return value > (when.above ?? Number.NEGATIVE_INFINITY) && value < (when.below ?? Number.POSITIVE_INFINITY)
}
