import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import type { Asset } from '#shared/contracts/asset.ts'
import type { IncidentSummary } from '#shared/contracts/incident.ts'
import { tagsQuery } from '../../api/queries.ts'
import { Clock } from '../../ui/clock.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { useTexts } from '../../ui/language.ts'
import { Loaded } from '../../ui/loaded.tsx'
import { PriorityMark } from '../../ui/priority-mark.tsx'
import { StateBadge } from '../../ui/state-badge.tsx'
import { LiveTagValue } from '../../ui/tag-value.tsx'

interface TileProps {
  readonly machine: Asset
  readonly incident: IncidentSummary | undefined
}

/** One machine: what it does, since when, its worst alarm, who has it. A press opens key values and ways on. */
export function Tile({ machine, incident }: TileProps) {
  const { t, read } = useTexts()
  const [isOpen, setOpen] = useState(false)
  const { state, since } = machine.state
  const who = incident?.acceptedBy[0]?.name
  return (
    <>
      <button type="button" className={`tile tile-${state}`} onClick={() => setOpen(true)}>
        <span className="row tile-head">
          <b className="clip grow">{machine.code}</b>
          {machine.worstPriority ? <PriorityMark priority={machine.worstPriority} /> : null}
        </span>
        <span className="meta clip tile-name">{read(machine.name)}</span>
        <span className="row tile-foot">
          <StateBadge kind="machine" state={state} />
          {since && state !== 'running' ? <Clock since={since} /> : null}
        </span>
        {incident ? (
          <span className="meta clip tile-who">{who ? t('board.onTheWay', { name: who }) : t('board.unaccepted')}</span>
        ) : null}
      </button>
      {isOpen ? <TileDialog machine={machine} incident={incident} onClose={() => setOpen(false)} /> : null}
    </>
  )
}

/** How many values are enough to know how the machine is. */
const KEY_VALUES = 4

function TileDialog({ machine, incident, onClose }: TileProps & { readonly onClose: () => void }) {
  const { t, read } = useTexts()
  const tags = useQuery(tagsQuery({ asset: machine.id }))
  return (
    <Dialog title={`${machine.code} ${read(machine.name)}`} onClose={onClose}>
      <div className="row wrap">
        <StateBadge kind="machine" state={machine.state.state} />
        {machine.state.since ? <Clock since={machine.state.since} /> : null}
      </div>
      <h3>{t('board.keyValues')}</h3>
      <Loaded query={tags} height={120}>
        {(data) => (
          <dl className="key-values">
            {data.items
              .toSorted((a, b) => b.limits.length - a.limits.length)
              .slice(0, KEY_VALUES)
              .map((tag) => (
                <div key={tag.id}>
                  <dt className="meta">{read(tag.name)}</dt>
                  <dd>
                    <LiveTagValue tag={tag} size="large" />
                  </dd>
                </div>
              ))}
          </dl>
        )}
      </Loaded>
      {incident ? (
        <Link to="/incidents/$id" params={{ id: incident.number }}>
          {incident.number} {read(incident.title)}
        </Link>
      ) : null}
      <Link to="/assets/$id" params={{ id: machine.id }}>
        {t('board.openAsset')}
      </Link>
    </Dialog>
  )
}
