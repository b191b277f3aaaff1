import { useQuery } from '@tanstack/react-query'
import Button from 'antd/es/button'
import { useState } from 'react'
import type { Edge } from '#shared/contracts/edge.ts'
import type { ConfigurationPush, ConfigurationVersion } from '#shared/contracts/edge-configuration.ts'
import { documentQuery } from '../../api/queries.ts'
import { ActionButton } from '../../ui/action-button.tsx'
import { useTexts } from '../../ui/language.ts'
import { Loaded } from '../../ui/loaded.tsx'
import { useBoxWords } from './box-words.ts'
import { Difference } from './difference.tsx'
import { useDraft } from './draft.ts'
import { FaultList } from './fault-list.tsx'
import { PushDialog } from './push-dialog.tsx'

interface Props {
  readonly edge: Edge
  readonly versions: readonly ConfigurationVersion[]
  readonly pushes: readonly ConfigurationPush[]
  readonly canManage: boolean
}

/** Every version: who made it, when and why, when it was pushed, and what the box made of it. */
export function ConfigurationHistory({ edge, versions, pushes, canManage }: Props) {
  const { t } = useTexts()
  return (
    <section className="panel">
      <header>
        <h2>{t('edges.configuration.history')}</h2>
      </header>
      {versions.length === 0 ? (
        <p className="edge-note meta">{t('edges.configuration.historyNone')}</p>
      ) : (
        <ul>
          {versions.map((version) => (
            <Version
              key={version.version}
              edge={edge}
              version={version}
              running={versions.find(({ isRunning }) => isRunning)?.version}
              pushes={pushes.filter((push) => push.version === version.version)}
              canManage={canManage}
            />
          ))}
        </ul>
      )}
    </section>
  )
}

interface VersionProps {
  readonly edge: Edge
  readonly version: ConfigurationVersion
  readonly running: number | undefined
  readonly pushes: readonly ConfigurationPush[]
  readonly canManage: boolean
}

function Version({ edge, version, running, pushes, canManage }: VersionProps) {
  const { t } = useTexts()
  const [asked, setAsked] = useState<'text' | 'back'>()
  const number = version.version
  const pushWords = (isOlder: boolean) => ({
    title: t(`edges.configuration.${isOlder ? 'backTitle' : 'pushTitle'}`, { version: number, edge: edge.edge }),
    submit: t(`edges.configuration.${isOlder ? 'backSend' : 'pushSend'}`, { version: number }),
  })
  return (
    <li className="config-version">
      <div className="row wrap">
        <Made version={version} />
        {canManage ? (
          <Acts
            version={version}
            isShown={asked === 'text'}
            isOlder={running !== undefined && number < running}
            onShow={() => setAsked(asked === 'text' ? undefined : 'text')}
            onBack={() => setAsked('back')}
          />
        ) : null}
      </div>
      {pushes.map((push) => (
        <Push key={push.id} edge={edge} push={push} canManage={canManage} />
      ))}
      {asked === 'text' ? <Document edge={edge} version={number} running={running} /> : null}
      {asked === 'back' ? (
        <PushDialog
          edge={edge}
          version={number}
          {...pushWords(running !== undefined && number < running)}
          onClose={() => setAsked(undefined)}
        />
      ) : null}
    </li>
  )
}

function Made({ version }: Pick<VersionProps, 'version'>) {
  const { t, time } = useTexts()
  const at = time(version.at)
  return (
    <>
      <b>{t('edges.version', { version: version.version })}</b>
      {version.isRunning ? <span className="state">{t('edges.configuration.running')}</span> : null}
      {version.isWanted ? <span className="state">{t('edges.configuration.wanted')}</span> : null}
      <span className="meta grow">
        {version.source === 'edge'
          ? t('edges.configuration.fromBox', { time: at })
          : t('edges.configuration.by', { name: version.by, time: at })}
        {version.reason ? `: ${version.reason}` : ''}
      </span>
    </>
  )
}

interface ActsProps {
  readonly version: ConfigurationVersion
  readonly isShown: boolean
  /** Than the one that runs: to push it is to go back. */
  readonly isOlder: boolean
  readonly onShow: () => void
  readonly onBack: () => void
}

function Acts({ version, isShown, isOlder, onShow, onBack }: ActsProps) {
  const { t } = useTexts()
  const show = isShown ? t('edges.configuration.hide') : t('edges.configuration.show')
  const back = t(isOlder ? 'edges.configuration.back' : 'edges.configuration.pushLater')
  return (
    <>
      <Button aria-expanded={isShown} onClick={onShow} aria-label={`${show} ${version.version}`}>
        {show}
      </Button>
      {version.isRunning ? null : (
        <Button onClick={onBack} aria-label={`${back} ${version.version}`}>
          {back}
        </Button>
      )}
    </>
  )
}

function Push({
  edge,
  push,
  canManage,
}: Pick<VersionProps, 'edge' | 'canManage'> & { readonly push: ConfigurationPush }) {
  const { t, time } = useTexts()
  const { start } = useDraft(edge.id)
  const { faults, version } = push
  const { refusal } = useBoxWords()
  return (
    <div className="config-push">
      <p className="meta">
        {t('edges.configuration.pushed', { name: push.by, time: time(push.at) })}
        {push.reason ? `: ${push.reason}` : ''} →{' '}
        <b>
          {push.status === 'done' ? '✓ ' : ''}
          {t(`edges.configuration.outcome.${push.status ?? 'pending'}`)}
        </b>
        {faults.length === 0 && push.error ? ` (${refusal(push, push.error)})` : ''}
      </p>
      {faults.length > 0 ? (
        <details>
          <summary className="config-faults-shown">{t('edges.configuration.faults', { count: faults.length })}</summary>
          <FaultList faults={faults} />
          {canManage ? (
            <ActionButton label={t('edges.configuration.correct', { version })} run={() => start(version, faults)} />
          ) : null}
        </details>
      ) : null}
    </div>
  )
}

function Document({
  edge,
  version,
  running,
}: {
  readonly edge: Edge
  readonly version: number
  readonly running: number | undefined
}) {
  const { t } = useTexts()
  const document = useQuery(documentQuery(edge.id, version))
  if (running !== undefined && running !== version) return <Difference edgeId={edge.id} from={running} to={version} />
  return (
    <Loaded query={document} height={160}>
      {(data) => (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard.
        <section className="config-document" tabIndex={0} aria-label={t('edges.configuration.document')}>
          {data.document}
        </section>
      )}
    </Loaded>
  )
}
