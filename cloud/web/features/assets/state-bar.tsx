import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { MachineState } from '#shared/contracts/machine-state.ts'
import { statesQuery } from '../../api/queries.ts'
import { serverNow } from '../../api/server-time.ts'
import type { StateSpan } from '../../api/types.ts'
import { EmptyState } from '../../ui/empty-state.tsx'
import { formatAge } from '../../ui/format.ts'
import { useTexts } from '../../ui/language.ts'
import { Loaded } from '../../ui/loaded.tsx'
import { StateBadge } from '../../ui/state-badge.tsx'

const DAY_MS = 86_400_000
const MINUTE_MS = 60_000

/** What the machine did in the last 24 hours, as a band and as a list of shares. */
export function StateBar({ assetId }: { readonly assetId: string }) {
  const { t } = useTexts()
  const [to] = useState(() => Math.ceil(serverNow() / MINUTE_MS) * MINUTE_MS)
  const from = to - DAY_MS
  const states = useQuery(statesQuery(assetId, new Date(from).toISOString(), new Date(to).toISOString()))
  return (
    <section className="panel">
      <header>
        <h2>{t('assets.states')}</h2>
      </header>
      <div className="body">
        <Loaded query={states} height={48}>
          {(data) =>
            data.items.length === 0 ? (
              <EmptyState kind="nothing-yet" title={t('assets.statesEmpty')} />
            ) : (
              <Band spans={data.items} from={from} to={to} />
            )
          }
        </Loaded>
      </div>
    </section>
  )
}

interface BandProps {
  readonly spans: readonly StateSpan[]
  readonly from: number
  readonly to: number
}

function Band({ spans, from, to }: BandProps) {
  const { t, time, language } = useTexts()
  const clipped = spans.map((span) => {
    const start = Math.max(from, Date.parse(span.from))
    const end = Math.min(to, span.to ? Date.parse(span.to) : to)
    return { state: span.state, start, end: Math.max(start, end) }
  })
  const shares = new Map<MachineState, number>()
  for (const span of clipped) shares.set(span.state, (shares.get(span.state) ?? 0) + span.end - span.start)
  const share = (ms: number) => `${(ms / (to - from)) * 100}%`
  return (
    <>
      <div className="state-band" aria-hidden="true">
        {clipped.map((span) => (
          <span
            key={span.start}
            className={`band-part band-${span.state}`}
            style={{ left: share(span.start - from), width: share(span.end - span.start) }}
            title={`${t(`words.machine.${span.state}`)} ${time(span.start)}`}
          />
        ))}
      </div>
      <p className="row meta state-ends">
        <span className="grow">{time(from, false)}</span>
        <span>{time(to, false)}</span>
      </p>
      <ul className="row wrap">
        {[...shares]
          .sort((a, b) => b[1] - a[1])
          .map(([state, ms]) => (
            <li key={state} className="row">
              <StateBadge kind="machine" state={state} />
              <span className="num meta">{formatAge(ms, language)}</span>
            </li>
          ))}
      </ul>
    </>
  )
}
