import { Link } from '@tanstack/react-router'
import { useId, useState } from 'react'
import type { WorkOrder, WorkOrderTask } from '#shared/contracts/work-order.ts'
import { moveWorkOrder } from '../../api/acts.ts'
import { ActionButton } from '../../ui/action-button.tsx'
import { Choices } from '../../ui/choices.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { useTexts } from '../../ui/language.ts'
import { taskAnchor } from './task-anchor.ts'

const MODES = ['overheat', 'vibration', 'leak', 'jam', 'electrical', 'sensor'] as const
const CAUSES = ['wear', 'lubrication', 'contamination', 'overload', 'setting', 'ageing'] as const
const REMEDIES = ['replaced', 'cleaned', 'adjusted', 'lubricated', 'repaired', 'restarted'] as const

interface Option {
  readonly key: string
  readonly text: string
}

/** Finishes the order. It says what is missing; a corrective order needs its failure report: three chips. */
export function FinishDialog({ order, onClose }: { readonly order: WorkOrder; readonly onClose: () => void }) {
  const { t } = useTexts()
  const [mode, setMode] = useState(order.failure?.mode ?? '')
  const [cause, setCause] = useState(order.failure?.cause ?? '')
  const [remedy, setRemedy] = useState(order.failure?.remedy ?? '')
  const [note, setNote] = useState(order.failure?.note ?? '')
  const noteId = useId()
  const openTasks = order.tasks.filter((task) => task.doneAt === null)
  const needsReport = order.kind === 'corrective'
  const hasReport = Boolean(mode && cause && remedy)
  const missing = [
    ...(openTasks.length > 0 ? [t('order.missingTasks', { count: openTasks.length })] : []),
    ...(needsReport && !hasReport ? [t('order.missingFailure')] : []),
  ]
  const failure = { mode, cause, remedy, ...(note.trim() ? { note: note.trim() } : {}) }
  return (
    <Dialog title={`${t('words.act.finish')} ${order.number}`} onClose={onClose}>
      <OpenTasks order={order} tasks={openTasks} onJump={onClose} />
      <Part
        label={t('order.mode')}
        options={MODES.map((key) => ({ key: t(`order.modes.${key}`), text: t(`order.modes.${key}`) }))}
        value={mode}
        onChange={setMode}
      />
      <Part
        label={t('order.cause')}
        options={CAUSES.map((key) => ({ key: t(`order.causes.${key}`), text: t(`order.causes.${key}`) }))}
        value={cause}
        onChange={setCause}
      />
      <Part
        label={t('order.remedy')}
        options={REMEDIES.map((key) => ({ key: t(`order.remedies.${key}`), text: t(`order.remedies.${key}`) }))}
        value={remedy}
        onChange={setRemedy}
      />
      <label className="label" htmlFor={noteId}>
        <span className="meta">{t('order.note')}</span>
        <textarea
          id={noteId}
          className="field"
          rows={2}
          value={note}
          onChange={(event) => setNote(event.target.value)}
        />
      </label>
      <ActionButton
        isPrimary
        isBig
        label={t('words.act.finish')}
        reason={missing.length > 0 ? t('order.missing', { what: missing.join(' · ') }) : null}
        run={(send) => moveWorkOrder(order.id, { to: 'done', ...(hasReport ? { failure } : {}) }, send)}
        onDone={onClose}
      />
    </Dialog>
  )
}

/** What is still to be done stands first, each a way to where it is done. */
function OpenTasks(props: {
  readonly order: WorkOrder
  readonly tasks: readonly WorkOrderTask[]
  readonly onJump: () => void
}) {
  const { t, read } = useTexts()
  const { order, tasks } = props
  if (tasks.length === 0) return null
  return (
    <section className="stack" aria-label={t('order.tasksFirst')}>
      <h3>{t('order.tasksFirst')}</h3>
      <ul className="stack">
        {tasks.map((task) => (
          <li key={task.id}>
            <Link
              to="/work-orders/$id"
              params={{ id: order.number }}
              hash={taskAnchor(task)}
              className="task-jump"
              onClick={props.onJump}
            >
              ○ {read(task.text)} ›
            </Link>
          </li>
        ))}
      </ul>
    </section>
  )
}

function Part(props: {
  readonly label: string
  readonly options: readonly Option[]
  readonly value: string
  readonly onChange: (value: string) => void
}) {
  const { t } = useTexts()
  const id = useId()
  const isChip = props.options.some((option) => option.key === props.value)
  return (
    <div className="stack">
      <h3>{props.label}</h3>
      <Choices label={props.label} options={props.options} chosen={props.value} onChoose={props.onChange} />
      <label className="sr" htmlFor={id}>
        {props.label} {t('order.otherWord')}
      </label>
      <input
        id={id}
        className="field"
        placeholder={t('order.otherWord')}
        value={isChip ? '' : props.value}
        onChange={(event) => props.onChange(event.target.value)}
      />
    </div>
  )
}
