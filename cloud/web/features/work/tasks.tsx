import { useQueryClient } from '@tanstack/react-query'
import { useLocation } from '@tanstack/react-router'
import { useEffect, useId, useState } from 'react'
import type { WorkOrder, WorkOrderTask } from '#shared/contracts/work-order.ts'
import { setTaskResult } from '../../api/acts.ts'
import { useTexts } from '../../ui/language.ts'
import { problemText } from '../../ui/problem.ts'
import { taskAnchor } from './task-anchor.ts'

/** Brings the task that the address names under the eyes, ready to be filled. */
function useTaskOfAddress(): void {
  const anchor = useLocation({ select: (location) => location.hash })
  useEffect(() => {
    const row = anchor.startsWith('task-') ? document.getElementById(anchor) : null
    row?.scrollIntoView({ block: 'center' })
    row?.querySelector('input')?.focus({ preventScroll: true })
  }, [anchor])
}

/** The task list: each saved by itself, told where it stands. */
export function Tasks({ order }: { readonly order: WorkOrder }) {
  const { t } = useTexts()
  useTaskOfAddress()
  const done = order.tasks.filter((task) => task.doneAt !== null).length
  const canFill = ['accepted', 'arrived', 'in_progress', 'on_hold'].includes(order.state)
  return (
    <section className="panel">
      <header>
        <h2 className="grow">{t('order.tasks')}</h2>
        {order.tasks.length > 0 ? (
          <span className="num">
            {done}/{order.tasks.length}
          </span>
        ) : null}
      </header>
      {order.tasks.length === 0 ? <p className="body meta">{t('order.tasksEmpty')}</p> : null}
      <ol>
        {order.tasks
          .toSorted((a, b) => a.position - b.position)
          .map((task) => (
            <TaskRow key={task.id} orderId={order.id} task={task} canFill={canFill} />
          ))}
      </ol>
    </section>
  )
}

/** Saves one result and follows it. */
function useSave(orderId: string, taskId: string) {
  const { t } = useTexts()
  const client = useQueryClient()
  const [said, setSaid] = useState<string>()
  const save = async (result: boolean | number | string | null) => {
    setSaid(t('action.sending'))
    try {
      await setTaskResult(orderId, taskId, result)
      await client.invalidateQueries({ queryKey: ['work-orders'] })
      setSaid(undefined)
    } catch (error) {
      setSaid(t('action.refused', { cause: problemText(t, error) }))
    }
  }
  return { said, save }
}

function TaskRow(props: { readonly orderId: string; readonly task: WorkOrderTask; readonly canFill: boolean }) {
  const { task, canFill } = props
  const { read, time } = useTexts()
  const { said, save } = useSave(props.orderId, task.id)
  const id = useId()
  return (
    <li className="task" id={taskAnchor(task)}>
      {task.kind === 'check' ? (
        <input
          id={id}
          type="checkbox"
          className="task-check"
          checked={task.result === true}
          disabled={!canFill}
          onChange={(event) => void save(event.target.checked)}
        />
      ) : (
        <span className="task-check" aria-hidden="true">
          {task.doneAt ? '✓' : '○'}
        </span>
      )}
      <label htmlFor={id} className="grow">
        {read(task.text)}
      </label>
      {task.kind === 'check' ? null : <TaskField id={id} task={task} canFill={canFill} onSave={save} />}
      <span className="meta task-said" role="status">
        {said ?? (task.doneBy && task.doneAt ? `${task.doneBy.name} ${time(task.doneAt, false)}` : '')}
      </span>
    </li>
  )
}

/** What was typed as a result: null when empty, undefined when it is not a number. */
function resultOf(kind: WorkOrderTask['kind'], typed: string): number | string | null | undefined {
  const text = typed.trim()
  if (text === '') return null
  if (kind === 'text') return text
  const value = Number(text.replace(',', '.'))
  return Number.isFinite(value) ? value : undefined
}

/** A number or a text; saved when the field is left. */
function TaskField(props: {
  readonly id: string
  readonly task: WorkOrderTask
  readonly canFill: boolean
  readonly onSave: (result: number | string | null) => Promise<void>
}) {
  const { task } = props
  const [text, setText] = useState(task.result === null ? '' : String(task.result))
  const save = () => {
    const value = resultOf(task.kind, text)
    if (value !== undefined && value !== task.result) void props.onSave(value)
  }
  return (
    <span className="row wrap">
      <input
        id={props.id}
        className="field task-field"
        inputMode={task.kind === 'number' ? 'decimal' : 'text'}
        disabled={!props.canFill}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onBlur={save}
      />
      {task.kind === 'number' ? <Limits task={task} /> : null}
    </span>
  )
}

function Limits({ task }: { readonly task: WorkOrderTask }) {
  const { t } = useTexts()
  const min = task.minimum ?? Number.NEGATIVE_INFINITY
  const max = task.maximum ?? Number.POSITIVE_INFINITY
  const isOut = typeof task.result === 'number' && (task.result < min || task.result > max)
  const limits = { min: task.minimum ?? '', max: task.maximum ?? '', unit: task.unit ?? '' }
  return (
    <span className={isOut ? 'task-out' : 'meta'}>
      {isOut ? t('order.outOfLimit', limits) : t('order.range', limits)}
    </span>
  )
}
