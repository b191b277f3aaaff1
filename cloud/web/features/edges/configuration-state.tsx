import Button from 'antd/es/button'
import { useState } from 'react'
import type { Edge } from '#shared/contracts/edge.ts'
import type { ConfigurationVersion } from '#shared/contracts/edge-configuration.ts'
import { useServerNow } from '../../api/server-time.ts'
import { formatSpan } from '../../ui/format.ts'
import { useTexts } from '../../ui/language.ts'
import { useBoxReason } from './box-reason.ts'
import { Difference } from './difference.tsx'
import { PushDialog } from './push-dialog.tsx'

interface Props {
  readonly edge: Edge
  readonly versions: readonly ConfigurationVersion[]
  readonly canManage: boolean
}

/** How what the box runs stands to what was pushed, and the two ways out of a drift. */
export function ConfigurationState({ edge, versions, canManage }: Props) {
  const { t } = useTexts()
  const { state, trialUntil, isEdited } = edge.configuration
  const isAbnormal = state === 'drift' || state === 'rolled-back'
  return (
    <section className={isAbnormal ? 'panel configuration-abnormal' : 'panel'} role="status">
      <div className="body stack">
        <p>
          {isAbnormal ? <b aria-hidden="true">! </b> : null}
          {state === 'in-step' ? '✓ ' : null}
          <StateWords edge={edge} />
          {trialUntil ? (
            <>
              {' '}
              {t('edges.configuration.left')}: <TimeLeft until={trialUntil} />
            </>
          ) : null}
        </p>
        {isEdited ? <p>{t('edges.configuration.edited')}</p> : null}
        {canManage && (state === 'drift' || state === 'unmanaged') ? <WaysOut edge={edge} versions={versions} /> : null}
      </div>
    </section>
  )
}

function TimeLeft({ until }: { readonly until: string }) {
  const { language } = useTexts()
  const now = useServerNow()
  return <time dateTime={until}>{formatSpan(Date.parse(until) - now, language)}</time>
}

function StateWords({ edge }: Pick<Props, 'edge'>) {
  const { t, time } = useTexts()
  const boxReason = useBoxReason()
  const { state, wantedVersion, runningVersion, rolledBack } = edge.configuration
  if (state === 'rolled-back') {
    const { version, at, reason } = rolledBack ?? { version: '–', at: 0, reason: '–' }
    return t('edges.configuration.state.rolled-back', { version, time: time(at), reason: boxReason(reason) })
  }
  const version = (state === 'on-trial' ? runningVersion : wantedVersion) ?? '–'
  return t(`edges.configuration.state.${state}`, { version })
}

type Way = 'theirs' | 'ours' | 'compare'

function WaysOut({ edge, versions }: Omit<Props, 'canManage'>) {
  const [asked, setAsked] = useState<Way>()
  const running = versions.find(({ isRunning }) => isRunning)?.version
  const wanted = edge.configuration.wantedVersion
  const close = () => setAsked(undefined)
  return (
    <>
      <Buttons edge={edge} running={running} onAsk={(way) => setAsked(way === asked ? undefined : way)} />
      {asked === 'compare' && running !== undefined && wanted !== null ? (
        <Difference edgeId={edge.id} from={running} to={wanted} />
      ) : null}
      {asked === 'theirs' && running !== undefined ? <TakeOver edge={edge} version={running} onClose={close} /> : null}
      {asked === 'ours' && wanted !== null ? <SendOurs edge={edge} version={wanted} onClose={close} /> : null}
    </>
  )
}

interface ButtonsProps {
  readonly edge: Edge
  readonly running: number | undefined
  readonly onAsk: (way: Way) => void
}

function Buttons({ edge, running, onAsk }: ButtonsProps) {
  const { t } = useTexts()
  const { isEdited } = edge.configuration
  const isSeen = running !== undefined
  const cannotTake = isEdited
    ? t('edges.configuration.takeOverEdited')
    : isSeen
      ? null
      : t('edges.configuration.takeOverUnseen')
  return (
    <div className="row wrap">
      {isDrifted(edge) && isSeen && !isEdited ? (
        <Button onClick={() => onAsk('compare')}>{t('edges.configuration.compareBox')}</Button>
      ) : null}
      <Button disabled={cannotTake !== null} onClick={() => onAsk('theirs')}>
        {isDrifted(edge) ? t('edges.configuration.takeOver') : t('edges.configuration.takeOverFirst')}
      </Button>
      {isDrifted(edge) ? <Button onClick={() => onAsk('ours')}>{t('edges.configuration.sendOurs')}</Button> : null}
      {cannotTake ? <span className="meta">{cannotTake}</span> : null}
    </div>
  )
}

const isDrifted = ({ configuration }: Edge) => configuration.state === 'drift'

interface WayProps {
  readonly edge: Edge
  readonly version: number
  readonly onClose: () => void
}

function TakeOver({ edge, version, onClose }: WayProps) {
  const { t } = useTexts()
  const words = isDrifted(edge) ? t('edges.configuration.takeOver') : t('edges.configuration.takeOverFirst')
  const says = t('edges.configuration.takeOverSays', { version })
  const replaces = edge.report?.configuration.fileHash
  return <PushDialog {...{ edge, version, says, replaces, onClose }} title={words} submit={words} />
}

function SendOurs({ edge, version, onClose }: WayProps) {
  const { t } = useTexts()
  const says = t('edges.configuration.sendOursSays', { version })
  const submit = t('edges.configuration.pushSend', { version })
  const replaces = edge.report?.configuration.fileHash
  return (
    <PushDialog {...{ edge, version, says, replaces, submit, onClose }} title={t('edges.configuration.sendOurs')} />
  )
}
