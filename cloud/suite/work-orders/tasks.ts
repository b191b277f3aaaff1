import { DomainError } from '#cloud/platform/errors.ts'
import type { TaskRow } from './store.ts'

export type TaskValue = boolean | number | string | null

/** Why the result does not fit its task, as a stable code; undefined when it fits. A number out of limits is refused: it needs a note or a child order. */
export function taskRefusal(
  task: Pick<TaskRow, 'kind' | 'minimum' | 'maximum'>,
  result: TaskValue,
): string | undefined {
  if (result === null) return undefined
  switch (task.kind) {
    case 'check':
      return typeof result === 'boolean' ? undefined : 'task.check-expected'
    case 'text':
      return typeof result === 'string' && result.length > 0 ? undefined : 'task.text-expected'
    case 'number':
      return numberRefusal(task, result)
  }
}

function numberRefusal(task: Pick<TaskRow, 'minimum' | 'maximum'>, result: TaskValue): string | undefined {
  if (typeof result !== 'number') return 'task.number-expected'
  return isWithin(task, result) ? undefined : 'task.out-of-limits'
}

function isWithin({ minimum, maximum }: Pick<TaskRow, 'minimum' | 'maximum'>, value: number): boolean {
  return value >= (minimum ?? Number.NEGATIVE_INFINITY) && value <= (maximum ?? Number.POSITIVE_INFINITY)
}

/** Throws `invalid` when the result does not fit. */
export function requireFitting(task: TaskRow, result: TaskValue): void {
  const code = taskRefusal(task, result)
  if (code) throw new DomainError('invalid', code, `The result does not fit task ${task.position}`)
}

/** A check that is taken back and an emptied field are not done. */
export const isDone = (result: TaskValue): boolean => result !== null && result !== false
