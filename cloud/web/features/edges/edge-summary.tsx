import type { ReactNode } from 'react'
import type { Edge } from '#shared/contracts/edge.ts'
import { serverNow, useServerNow } from '../../api/server-time.ts'
import { formatAge, formatBytes, formatCount } from '../../ui/format.ts'
import { useTexts } from '../../ui/language.ts'
import { StateBadge } from '../../ui/state-badge.tsx'
import { useCauseWord } from '../../ui/words.ts'
import { useFaultText } from './fault-text.ts'
import { certificateDays, concernsOf, journalRoom } from './fleet.ts'

interface Props {
  readonly edge: Edge
}

/** Which box it is, and whether it is there. */
export function EdgeName({ edge }: Props) {
  const own = `${edge.group}/${edge.edge}`
  return (
    <span className="edge-name">
      <b>{own}</b> <StateBadge kind="edge" state={edge.status} />
      {edge.name && edge.name !== own && edge.name !== edge.edge ? <span className="meta"> {edge.name}</span> : null}
    </span>
  )
}

function Figure(props: { readonly name: string; readonly isHeavy?: boolean; readonly children: ReactNode }) {
  return (
    <span className="edge-figure">
      <span className="edge-figure-name meta">{props.name} </span>
      <span className={props.isHeavy ? 'edge-heavy' : undefined}>{props.children}</span>
    </span>
  )
}

/** Age of the last message, journal, gaps, devices, configuration and certificate. */
export function EdgeFigures({ edge }: Props) {
  const { t, language } = useTexts()
  return (
    <>
      <Figure name={t('edges.column.message')} isHeavy={edge.status === 'offline' || edge.status === 'stale'}>
        <MessageAge edge={edge} />
      </Figure>
      <Figure name={t('edges.column.journal')}>
        <JournalFill edge={edge} />
      </Figure>
      <Figure name={t('edges.column.gaps')}>{formatCount(edge.gapCount, language)}</Figure>
      <Figure name={t('edges.column.devices')}>
        {t('edges.deviceCount', { count: Math.max(edge.deviceCount, edge.report?.devices.length ?? 0) })}{' '}
        <span className="meta">{t('edges.tagCount', { count: edge.tagCount })}</span>
      </Figure>
      <Figure
        name={t('edges.column.configuration')}
        isHeavy={edge.configuration.state === 'drift' || edge.configuration.state === 'rolled-back'}
      >
        <ConfigurationWord edge={edge} />
      </Figure>
      <Figure name={t('edges.column.certificate')}>
        <CertificateLeft edge={edge} />
      </Figure>
    </>
  )
}

function MessageAge({ edge }: Props) {
  const { t, language } = useTexts()
  const now = useServerNow()
  if (!edge.lastMessageAt) return t('edges.noMessage')
  return t('edges.ago', { age: formatAge(now - Date.parse(edge.lastMessageAt), language) })
}

function JournalFill({ edge }: Props) {
  const { t, language } = useTexts()
  const depth = Number(edge.journalDepth)
  const room = journalRoom(edge)
  const sent = depth > 0 ? t('edges.waiting', { amount: formatCount(depth, language) }) : t('edges.allSent')
  if (!room || edge.status === 'offline') return sent
  const { percent, freeBytes, lastsMs } = room
  const left =
    lastsMs === null
      ? t('edges.roomBytes', { size: formatBytes(freeBytes) })
      : t('edges.room', { age: formatAge(lastsMs, language) })
  return (
    <>
      {t('edges.share', { percent: percent.toFixed(1) })} <span className="meta">{depth > 0 ? sent : left}</span>
      {depth > 0 ? <span className="meta"> · {left}</span> : null}
    </>
  )
}

function ConfigurationWord({ edge }: Props) {
  const { t } = useTexts()
  const { state, runningVersion, wantedVersion } = edge.configuration
  const version = state === 'in-step' || state === 'on-trial' ? runningVersion : wantedVersion
  return (
    <>
      {version === null ? null : `${t('edges.version', { version })} `}
      {state === 'in-step' ? '✓ ' : null}
      <span className={version === null || state === 'in-step' ? 'meta' : undefined}>
        {t(`edges.configurationState.${state}`)}
      </span>
    </>
  )
}

function CertificateLeft({ edge }: Props) {
  const { t } = useTexts()
  const days = certificateDays(edge, serverNow())
  if (!edge.report) return <span className="meta">{t('edges.unknown')}</span>
  if (days === null) return <span className="meta">{t('edges.noCertificate')}</span>
  return days < 0 ? t('edges.certificateOver') : t('edges.days', { count: days })
}

/** More do not help who looks over a fleet; the devices of the box tell each. */
const MOST_FAULTS = 5

/** What is wrong in words; the last gap with its cause. */
export function Faults({ edge }: Props) {
  const { t, time } = useTexts()
  const faultText = useFaultText()
  const causeWord = useCauseWord()
  const gap = edge.lastGap
  const concerns = concernsOf(edge, serverNow())
  if (concerns.length === 0 && !gap) return null
  return (
    <ul className="edge-faults">
      {concerns.slice(0, MOST_FAULTS).map((fault) => (
        <li key={`${fault.code}${fault.detail}`} className="edge-fault">
          <b aria-hidden="true">! </b>
          {faultText(fault)}
        </li>
      ))}
      {concerns.length > MOST_FAULTS ? (
        <li>{t('edges.moreFaults', { count: concerns.length - MOST_FAULTS })}</li>
      ) : null}
      {gap ? (
        <li className="meta">
          {t('edges.lastGap', {
            device: gap.device ? t('edges.ofDevice', { device: gap.device }) : '',
            count: Number(gap.count),
            cause: causeWord(gap.cause),
            from: time(gap.from),
            to: time(gap.to),
          })}
        </li>
      ) : null}
    </ul>
  )
}
