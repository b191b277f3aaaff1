import { useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import type { Edge, EdgeRegistered } from '#shared/contracts/edge.ts'
import { type MadeCode, makeEnrolmentCode, registerEdge } from '../../api/acts.ts'
import { ActionButton } from '../../ui/action-button.tsx'
import { useTexts } from '../../ui/language.ts'
import { isEdgeName } from './edge-file.ts'
import { Hours } from './hours.tsx'
import { TextField } from './text-field.tsx'

/** Enter in a field presses the form's button, which knows when it may not be pressed. */
function pressItsButton(event: FormEvent<HTMLFormElement>): void {
  event.preventDefault()
  event.currentTarget.querySelector<HTMLButtonElement>('.act button')?.click()
}

interface FormProps {
  readonly edges: readonly Edge[]
  /** Without a code when it could not be made; the next screen offers to try again. */
  readonly onRegistered: (registered: EdgeRegistered, issued: MadeCode | undefined) => void
}

/** Names a new box, registers it and makes its code in one go. */
export function RegisterForm({ edges, onRegistered }: FormProps) {
  const { t } = useTexts()
  const client = useQueryClient()
  const [group, setGroup] = useState(edges[0]?.group ?? '')
  const [edge, setEdge] = useState('')
  const [name, setName] = useState('')
  const [hours, setHours] = useState(24)
  const input = { group, edge, ...(name.trim() ? { name: name.trim() } : {}) }
  // A new secret cuts off the box that holds the old one; a box that never came may get another.
  const isTaken = edges.some((other) => other.group === group && other.edge === edge && other.status !== 'never')
  const nameFault = (value: string) => (value === '' || isEdgeName(value) ? null : t('edges.nameRule'))
  const groupFault = nameFault(group)
  const edgeFault = nameFault(edge) ?? (isTaken ? t('edges.taken') : null)
  const reason = () => {
    if (group === '' || edge === '') return t('edges.namesNeeded')
    return groupFault || edgeFault ? t('edges.faultsFirst') : null
  }
  return (
    <form className="edge-form panel" onSubmit={pressItsButton}>
      <TextField label={t('edges.group')} value={group} onChange={setGroup} fault={groupFault} />
      <TextField label={t('edges.edge')} example="line-2" value={edge} onChange={setEdge} fault={edgeFault} />
      <TextField label={t('edges.name')} value={name} onChange={setName} />
      <Hours chosen={hours} onChoose={setHours} />
      <ActionButton
        // Another input is another intention: it needs its own key, and the refusal of the last one is void.
        key={JSON.stringify(input)}
        isPrimary
        isBig
        label={t('edges.new.register')}
        reason={reason()}
        run={async (send) => {
          const registered = await registerEdge(input, send)
          const issued = await makeEnrolmentCode(registered.edge.id, hours, send).catch(() => undefined)
          await client.invalidateQueries({ queryKey: ['edges'] })
          onRegistered(registered, issued)
        }}
      />
      <input type="submit" hidden />
    </form>
  )
}
