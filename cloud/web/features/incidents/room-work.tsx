import { useQuery } from '@tanstack/react-query'
import Button from 'antd/es/button'
import { useState } from 'react'
import type { Incident } from '#shared/contracts/incident.ts'
import type { Role } from '#shared/contracts/person.ts'
import { sessionQuery, workOrdersQuery } from '../../api/queries.ts'
import { Card } from '../../ui/card.tsx'
import { EmptyState } from '../../ui/empty-state.tsx'
import { useTexts } from '../../ui/language.ts'
import { DispatchDialog } from './dispatch-dialog.tsx'

const DISPATCHERS: readonly Role[] = ['operator', 'technician', 'lead', 'engineer', 'manager']
const ENDED: readonly string[] = ['closed', 'merged', 'cancelled']

/** The work orders of the incident as cards that act in place. */
export function RoomWork({ incident }: { readonly incident: Incident }) {
  const { t } = useTexts()
  const [isDispatching, setDispatching] = useState(false)
  const roles = useQuery(sessionQuery).data?.person.roles ?? []
  const canDispatch = roles.some((role) => DISPATCHERS.includes(role)) && !ENDED.includes(incident.state)
  const orders = useQuery(workOrdersQuery({ show: 'all', incident: incident.id })).data?.items ?? []
  return (
    <section className="panel room-work">
      <header>
        <h2 className="grow">{t('room.work')}</h2>
        {canDispatch ? <Button onClick={() => setDispatching(true)}>{t('room.dispatchNew')}</Button> : null}
      </header>
      {isDispatching ? <DispatchDialog incident={incident} onClose={() => setDispatching(false)} /> : null}
      {orders.length === 0 ? <EmptyState kind="nothing-yet" title={t('room.workEmpty')} /> : null}
      <ul className="room-cards">
        {orders.map((order) => (
          <li key={order.id}>
            <Card recordId={order.id} />
          </li>
        ))}
      </ul>
    </section>
  )
}
