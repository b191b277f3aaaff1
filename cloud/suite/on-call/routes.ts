import { Type } from 'typebox'
import type { HttpApp } from '#cloud/platform/http/app.ts'
import { Id, Instant, nullable } from '#shared/contracts/http.ts'
import { PersonRef } from '#shared/contracts/person.ts'
import { Trade } from '#shared/contracts/priority.ts'
import { LocalizedText } from '#shared/contracts/text.ts'
import { chip, type Directory, type PersonRefs } from '../directory/index.ts'
import { instant, onePage, type SuiteDeps } from '../kernel/index.ts'
import { loadPlans, type SchedulePlan } from './plans.ts'
import { dutyAt, turnsBetween } from './rotation.ts'

const Schedule = Type.Object({
  id: Id,
  name: LocalizedText,
  trade: Trade,
  now: nullable(PersonRef),
  until: nullable(Instant),
  backup: nullable(PersonRef),
  shifts: Type.Array(Type.Object({ person: PersonRef, from: Instant, to: Instant })),
})

const WEEKS_AHEAD_MS = 28 * 86_400_000

/** `GET /api/schedules`: who is on duty now, and four weeks of turns. */
export function onCallRoutes(app: HttpApp, { db, clock, directory }: SuiteDeps & { directory: Directory }): void {
  app.get(
    '/api/schedules',
    {
      config: { access: { action: 'schedule.view', type: 'schedule' } },
      schema: { response: { 200: Type.Object({ items: Type.Array(Schedule), nextCursor: Type.Null() }) } },
    },
    ({ actor }) =>
      db.inOrg(actor.org, async (tx) => {
        const at = new Date(clock())
        const plans = await loadPlans(tx, at)
        const refs = await directory.refs(tx, plans.flatMap(peopleOf))
        return onePage(plans.map((plan) => scheduleOf(plan, at, refs)))
      }),
  )
}

function peopleOf(plan: SchedulePlan): string[] {
  return [...plan.primary.people, ...(plan.backup?.people ?? []), ...plan.overrides.map((o) => o.person)]
}

function scheduleOf(plan: SchedulePlan, at: Date, refs: PersonRefs) {
  const duty = dutyAt(plan, at)
  const turns = turnsBetween(plan.primary, at, new Date(at.getTime() + WEEKS_AHEAD_MS))
  return {
    id: plan.schedule.id,
    name: plan.schedule.name,
    trade: plan.schedule.trade as 'mechanical',
    now: chip(refs, duty.primary?.person),
    until: instant(duty.primary?.to),
    backup: chip(refs, duty.backup?.person),
    shifts: turns.map((t) => ({
      person: chip(refs, t.person) ?? { id: t.person, name: '—' },
      from: t.from.toISOString(),
      to: t.to.toISOString(),
    })),
  }
}
