import Button from 'antd/es/button'
import { useState } from 'react'
import type { Edge } from '#shared/contracts/edge.ts'
import type { ConfigurationVersion } from '#shared/contracts/edge-configuration.ts'
import { useServerNow } from '../../api/server-time.ts'
import { ActionButton } from '../../ui/action-button.tsx'
import { formatMoment, formatSpan } from '../../ui/format.ts'
import { useTexts } from '../../ui/language.ts'
import { useBoxWords } from './box-words.ts'
import { Difference } from './difference.tsx'
import { useDraft } from './draft.ts'
import { PushDialog, type PushDialogProps } from './push-dialog.tsx'

interface Props {
  readonly edge: Edge
  readonly versions: readonly ConfigurationVersion[]
  readonly canManage: boolean
}

/** How what the box runs stands to what was pushed, and the ways out of what is wrong. */
export function ConfigurationState({ edge, versions, canManage }: Props) {
  const { t, language } = useTexts()
  const [asked, setAsked] = useState<Asked>()
  const { state, trialUntil, isEdited } = edge.configuration
  const isAbnormal = state === 'drift' || state === 'rolled-back'
  return (
    <section className={isAbnormal ? 'panel configuration-abnormal' : 'panel'}>
      <div className="body stack">
        <p role="status">
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
        {(edge.report?.configuration.imports ?? []).map(({ profile, version, at }) => (
          <p key={profile}>
            {t('edges.configuration.imported', { profile, version, time: formatMoment(at, language) })}
          </p>
        ))}
        {canManage ? <WaysOut edge={edge} versions={versions} onAsk={setAsked} /> : null}
      </div>
      {/* It outlives the state that it was asked in: what becomes of the push is told in it. */}
      {asked ? <PushDialog {...asked} edge={edge} onClose={() => setAsked(undefined)} /> : null}
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
  const box = useBoxWords()
  const { state, wantedVersion, runningVersion, rolledBack } = edge.configuration
  if (state === 'rolled-back') {
    const { version, at, reason, ...worded } = rolledBack ?? { version: '–', at: 0, reason: '–' }
    return t('edges.configuration.state.rolled-back', { version, time: time(at), reason: box.reason(worded, reason) })
  }
  const version = (state === 'on-trial' ? runningVersion : wantedVersion) ?? '–'
  return t(`edges.configuration.state.${state}`, { version })
}

type Asked = Pick<PushDialogProps, 'version' | 'title' | 'says' | 'submit' | 'replaces'>

interface WaysProps extends Pick<Props, 'edge' | 'versions'> {
  readonly onAsk: (asked: Asked) => void
}

function WaysOut({ edge, versions, onAsk }: WaysProps) {
  const { state } = edge.configuration
  const running = versions.find(({ isRunning }) => isRunning)?.version
  if (state === 'unmanaged') {
    return (
      <div className="row wrap">
        <TakeOver edge={edge} running={running} onAsk={onAsk} />
      </div>
    )
  }
  if (state !== 'drift' && state !== 'rolled-back') return null
  return <Compared edge={edge} running={running} onAsk={onAsk} />
}

interface WayProps {
  readonly edge: Edge
  /** The version that the box runs; undefined while the cloud has not seen it. */
  readonly running: number | undefined
  readonly onAsk: (asked: Asked) => void
}

function Compared(props: WayProps) {
  const { t } = useTexts()
  const [isComparing, setComparing] = useState(false)
  const { edge, running } = props
  const { wantedVersion: wanted, isEdited, state } = edge.configuration
  const canCompare = running !== undefined && wanted !== null && !(isEdited && state === 'drift')
  return (
    <>
      <div className="row wrap">
        {canCompare ? (
          <Button aria-expanded={isComparing} onClick={() => setComparing(!isComparing)}>
            {t('edges.configuration.compareBox')}
          </Button>
        ) : null}
        {state === 'drift' ? (
          <>
            <TakeOver {...props} />
            <SendOurs {...props} />
          </>
        ) : (
          <Correct edge={edge} />
        )}
      </div>
      {canCompare && isComparing ? <Difference edgeId={edge.id} from={wanted} to={running} /> : null}
    </>
  )
}

/** What did not prove itself is corrected in the editor, then pushed as the next version. */
function Correct({ edge }: Pick<WayProps, 'edge'>) {
  const { t } = useTexts()
  const { start } = useDraft(edge.id)
  const version = edge.configuration.rolledBack?.version
  if (version === undefined) return null
  return <ActionButton isPrimary label={t('edges.configuration.correct', { version })} run={() => start(version)} />
}

function TakeOver({ edge, running: version, onAsk }: WayProps) {
  const { t } = useTexts()
  const { isEdited, state } = edge.configuration
  const words = t(state === 'drift' ? 'edges.configuration.takeOver' : 'edges.configuration.takeOverFirst')
  const isUnseen = version === undefined
  const reason = isEdited ? t('edges.configuration.takeOverEdited') : t('edges.configuration.takeOverUnseen')
  const ask = () => {
    if (isUnseen) return
    const says = t('edges.configuration.takeOverSays', { version })
    onAsk({ version, says, title: words, submit: words, replaces: edge.report?.configuration.fileHash })
  }
  const cannot = isEdited || isUnseen
  return (
    <>
      <Button disabled={cannot} onClick={ask}>
        {words}
      </Button>
      {cannot ? <span className="meta">{reason}</span> : null}
    </>
  )
}

function SendOurs({ edge, onAsk }: WayProps) {
  const { t } = useTexts()
  const version = edge.configuration.wantedVersion
  if (version === null) return null
  const ask = () =>
    onAsk({
      ...{
        version,
        title: t('edges.configuration.sendOurs'),
        says: t('edges.configuration.sendOursSays', { version }),
      },
      ...{ submit: t('edges.configuration.pushSend', { version }), replaces: edge.report?.configuration.fileHash },
    })
  return <Button onClick={ask}>{t('edges.configuration.sendOurs')}</Button>
}
