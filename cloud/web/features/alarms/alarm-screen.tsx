import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import Button from 'antd/es/button'
import { useMemo, useState } from 'react'
import type { Alarm, AlarmDetail } from '#shared/contracts/alarm.ts'
import { acknowledgeAlarm, resetAlarm, unshelveAlarm } from '../../api/acts.ts'
import { alarmQuery, tagsQuery } from '../../api/queries.ts'
import { serverNow } from '../../api/server-time.ts'
import { useLostSince } from '../../api/stream.tsx'
import { ActionButton } from '../../ui/action-button.tsx'
import { AssetPath } from '../../ui/asset-path.tsx'
import { Clock } from '../../ui/clock.tsx'
import { useTexts } from '../../ui/language.ts'
import { Loaded } from '../../ui/loaded.tsx'
import { PriorityMark } from '../../ui/priority-mark.tsx'
import { StateBadge } from '../../ui/state-badge.tsx'
import { LiveTagValue } from '../../ui/tag-value.tsx'
import { isCurve, TrendChart, type TrendTag } from '../../ui/trend-chart.tsx'
import { AlarmLog } from './alarm-log.tsx'
import { AlarmDefinitionPanel, definitionOf } from './definition-panel.tsx'
import { ShelveDialog } from './shelve-dialog.tsx'
import './alarms.css'

const route = getRouteApi('/inside/alarms/$id')

/** One alarm: what to do first, then consequence and cause, its four regions of state, its trend and its log. */
export function AlarmScreen() {
  const { id } = route.useParams()
  const alarm = useQuery(alarmQuery(id))
  return (
    <div className="screen">
      <Loaded query={alarm} height={320}>
        {(detail) => <Detail detail={detail} />}
      </Loaded>
    </div>
  )
}

function Detail({ detail }: { readonly detail: AlarmDetail }) {
  const { read } = useTexts()
  const { alarm } = detail
  return (
    <>
      <header className="screen-head">
        <div className="title">
          <PriorityMark
            priority={alarm.priority}
            active={alarm.flags.includes('active')}
            acked={!alarm.flags.includes('unacknowledged')}
            size={28}
          />
          <h1>{read(alarm.name)}</h1>
        </div>
        <span className="row wrap">
          {alarm.asset ? (
            <Link to="/assets/$id" params={{ id: alarm.asset.id }}>
              <AssetPath path={alarm.assetPath} asset={alarm.asset} />
            </Link>
          ) : null}
          <StateBadge kind="alarm" state={alarm.state} flags={alarm.flags} />
          {alarm.activeSince ? <Clock since={alarm.activeSince} /> : null}
        </span>
        <Acts alarm={alarm} />
      </header>
      <div className="alarm-page">
        <div className="stack">
          <DoPanel detail={detail} />
          <Regions alarm={alarm} />
          <AlarmDefinitionPanel detail={detail} />
        </div>
        <div className="stack">
          <AlarmTrend alarm={alarm} />
          <AlarmLog log={detail.log} />
        </div>
      </div>
    </>
  )
}

function Acts({ alarm }: { readonly alarm: Alarm }) {
  const { t } = useTexts()
  const [isShelving, setShelving] = useState(false)
  const isLost = useLostSince() !== undefined
  const reason = isLost ? t('link.alarmNeedsLive') : null
  const isUnacked = alarm.flags.includes('unacknowledged')
  return (
    <span className="acts">
      {isUnacked ? (
        <ActionButton
          isPrimary
          label={t('alarms.acknowledge')}
          reason={reason}
          run={(send) => acknowledgeAlarm(alarm.id, send)}
        />
      ) : null}
      {alarm.flags.includes('latched') ? (
        <ActionButton
          label={t('alarms.reset')}
          reason={reason ?? (isUnacked || alarm.flags.includes('active') ? t('alarm.resetNeeds') : null)}
          run={(send) => resetAlarm(alarm.id, send)}
        />
      ) : null}
      {alarm.shelvedUntil ? (
        <ActionButton label={t('alarms.unshelve')} reason={reason} run={(send) => unshelveAlarm(alarm.id, send)} />
      ) : (
        <Button disabled={isLost} onClick={() => setShelving(true)}>
          {t('alarms.shelve')}
        </Button>
      )}
      {isShelving ? <ShelveDialog alarms={[alarm]} onClose={() => setShelving(false)} /> : null}
    </span>
  )
}

/** The action comes first, then consequence, then cause. */
function DoPanel({ detail }: { readonly detail: AlarmDetail }) {
  const { t, read } = useTexts()
  const rationale = definitionOf(detail)?.rationalisation
  return (
    <section className="panel">
      <header>
        <h2 className="grow">{t('alarm.do')}</h2>
        {rationale ? <b>{t('alarm.within', { count: rationale.timeToRespondMinutes })}</b> : null}
      </header>
      <div className="body stack">
        {rationale ? (
          <>
            <p className="do-text">{read(rationale.action)}</p>
            <h3>{t('alarm.consequence')}</h3>
            <p>{read(rationale.consequence)}</p>
            <h3>{t('alarm.cause')}</h3>
            <p>{read(rationale.cause)}</p>
          </>
        ) : (
          <p className="meta">{t('alarm.noRationale')}</p>
        )}
      </div>
    </section>
  )
}

/** The four regions of state stand apart; none hides another. */
function Regions({ alarm }: { readonly alarm: Alarm }) {
  const { t } = useTexts()
  const has = (flag: Alarm['flags'][number]) => alarm.flags.includes(flag)
  const suppression = (['shelved', 'suppressed-by-design', 'out-of-service'] as const).filter(has)
  const regions = [
    [t('alarm.condition'), has('active') ? t('alarm.active') : t('alarm.normal'), has('active')],
    [t('alarm.acknowledgement'), has('unacknowledged') ? t('alarm.unacked') : t('alarm.acked'), has('unacknowledged')],
    [t('alarm.latch'), has('latched') ? t('words.flag.latched') : t('alarm.none'), has('latched')],
    [
      t('alarm.suppression'),
      suppression.map((flag) => t(`words.flag.${flag}`)).join(' · ') || t('alarm.none'),
      suppression.length > 0,
    ],
  ] as const
  return (
    <dl className="regions" aria-label={t('alarm.regions')}>
      {regions.map(([name, word, isSet]) => (
        <div key={name} className={isSet ? 'region region-set' : 'region'}>
          <dt className="meta">{name}</dt>
          <dd>{word}</dd>
        </div>
      ))}
    </dl>
  )
}

const HALF_HOUR_MS = 1_800_000

/** The half hours before and after the alarm began, live while it lasts. */
function AlarmTrend({ alarm }: { readonly alarm: Alarm }) {
  const { t } = useTexts()
  const [group, edge, device] = alarm.tagPath.split('/')
  const tags = useQuery(tagsQuery({ device: device ?? '', edge: edge ?? '' }))
  const found = tags.data?.items.find((one) => one.path === alarm.tagPath)
  const tag = useMemo<readonly TrendTag[]>(
    () => [found ?? { path: alarm.tagPath, name: alarm.tag, unit: alarm.unit }],
    [found, alarm.tagPath, alarm.tag, alarm.unit],
  )
  const isShown = found === undefined || isCurve(found)
  const began = Date.parse(alarm.activeSince ?? alarm.changedAt)
  const range = useMemo(() => {
    const isRecent = serverNow() - began < HALF_HOUR_MS
    return isRecent ? { lastMs: HALF_HOUR_MS } : { from: began - HALF_HOUR_MS, to: began + HALF_HOUR_MS }
  }, [began])
  const events = useMemo(
    () => [{ at: began, label: alarm.level ?? '', priority: alarm.priority }],
    [began, alarm.level, alarm.priority],
  )
  return (
    <section className="panel">
      <header>
        <h2 className="grow">{isShown ? t('alarm.trend') : t('alarms.columns.value')}</h2>
        <span className="meta">{[group, edge, device].join('/')}</span>
      </header>
      <div className="body">
        {isShown ? <TrendChart tags={tag} range={range} events={events} height={260} /> : null}
        {found && !isShown ? <LiveTagValue tag={found} size="large" /> : null}
      </div>
    </section>
  )
}
