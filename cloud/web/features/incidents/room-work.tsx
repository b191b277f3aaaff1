import { useQuery } from '@tanstack/react-query'
import type { Incident } from '#shared/contracts/incident.ts'
import { workOrdersQuery } from '../../api/queries.ts'
import { Card } from '../../ui/card.tsx'
import { EmptyState } from '../../ui/empty-state.tsx'
import { useTexts } from '../../ui/language.ts'

/** The work orders of the incident as cards that act in place. */
export function RoomWork({ incident }: { readonly incident: Incident }) {
  const { t } = useTexts()
  const orders = useQuery(workOrdersQuery({ show: 'all', incident: incident.id })).data?.items ?? []
  return (
    <section className="panel room-work">
      <header>
        <h2>{t('room.work')}</h2>
      </header>
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
