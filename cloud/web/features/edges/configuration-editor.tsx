import Button from 'antd/es/button'
import { useEffect, useRef, useState } from 'react'
import type { Edge } from '#shared/contracts/edge.ts'
import type { ConfigurationVersion } from '#shared/contracts/edge-configuration.ts'
import { checkConfiguration, saveConfiguration } from '../../api/acts.ts'
import { ActionButton } from '../../ui/action-button.tsx'
import { EmptyState } from '../../ui/empty-state.tsx'
import { useTexts } from '../../ui/language.ts'
import { CodeArea, type GoToLine } from './code-area.tsx'
import { Difference } from './difference.tsx'
import { type Draft, useDraft } from './draft.ts'
import { FaultList } from './fault-list.tsx'
import { PushDialog } from './push-dialog.tsx'

interface Props {
  readonly edge: Edge
  readonly versions: readonly ConfigurationVersion[]
}

/** The file of a box: written here, checked by the box, compared, pushed. */
export function ConfigurationEditor({ edge, versions }: Props) {
  const { t } = useTexts()
  const { draft, setDraft, start } = useDraft(edge.id)
  const base = versions.find(({ isRunning }) => isRunning) ?? versions[0]
  if (!draft) return <Start base={base} start={start} isPrimary={edge.configuration.state !== 'rolled-back'} />
  return (
    <section className="panel">
      <header>
        <h2 className="grow">
          {t('edges.configuration.document')}{' '}
          {draft.base === null ? null : (
            <span className="meta">{t('edges.configuration.loading', { version: draft.base })}</span>
          )}
        </h2>
        <Button onClick={() => setDraft(null)}>{t('edges.configuration.discard')}</Button>
      </header>
      <div className="body stack">
        <Writing edge={edge} versions={versions} draft={draft} setDraft={setDraft} />
      </div>
    </section>
  )
}

interface StartProps {
  readonly base: ConfigurationVersion | undefined
  readonly start: (version: number) => Promise<void>
  /** Where a version was rolled back, to correct that one is the next step. */
  readonly isPrimary: boolean
}

function Start({ base, start, isPrimary }: StartProps) {
  const { t } = useTexts()
  return (
    <section className="panel">
      {base ? (
        <div className="body">
          <ActionButton
            isPrimary={isPrimary}
            label={t('edges.configuration.start', { version: base.version })}
            run={() => start(base.version)}
          />
        </div>
      ) : (
        <EmptyState kind="nothing-yet" title={t('edges.configuration.none')} next={t('edges.configuration.noneNext')} />
      )}
    </section>
  )
}

interface WritingProps extends Props {
  readonly draft: Draft
  readonly setDraft: (draft: Draft | null) => void
}

function Writing({ edge, versions, draft, setDraft }: WritingProps) {
  const { t } = useTexts()
  const [isPushing, setPushing] = useState(false)
  const goTo = useRef<GoToLine>(null)
  const { text, checked, saved } = draft
  const isSaved = saved?.text === text
  const running = versions.find(({ isRunning }) => isRunning)
  const faults = checked?.text === text ? checked.faults : []
  const { showLine } = draft
  useEffect(() => {
    if (showLine !== undefined) goTo.current?.(showLine)
  }, [showLine])
  return (
    <>
      <CodeArea
        label={t('edges.configuration.document')}
        text={text}
        marked={new Set(faults.flatMap(({ line }) => (line === null ? [] : [line])))}
        goTo={goTo}
        onChange={(next) => setDraft({ ...draft, text: next })}
      />
      <div className="row wrap config-acts">
        <ActionButton
          label={t('edges.configuration.check')}
          run={async (send) => {
            const { faults: found } = await checkConfiguration(edge.id, text, send)
            setDraft({ ...draft, checked: { text, faults: found } })
          }}
        />
        <ActionButton
          label={t('edges.configuration.compare')}
          run={async (send) => {
            if (isSaved) return
            const { version } = await saveConfiguration(edge.id, text, send)
            setDraft({ ...draft, saved: { text, version } })
          }}
        />
        <Button
          type="primary"
          disabled={!isSaved}
          onClick={() => setPushing(true)}
          aria-describedby={isSaved ? undefined : 'compare-first'}
        >
          {isSaved ? t('edges.configuration.push', { version: saved.version }) : t('edges.configuration.pushLater')}
        </Button>
        {isSaved ? null : (
          <span id="compare-first" className="meta">
            {t('edges.configuration.compareFirst')} {t('edges.configuration.compareSays')}
          </span>
        )}
      </div>
      <Checked draft={draft} onLine={(line) => goTo.current?.(line)} />
      {isSaved ? <p role="status">✓ {t('edges.configuration.saved', { version: saved.version })}</p> : null}
      {isSaved && running ? <Difference edgeId={edge.id} from={running.version} to={saved.version} /> : null}
      {isPushing && isSaved ? (
        <PushDialog
          edge={edge}
          version={saved.version}
          title={t('edges.configuration.pushTitle', { version: saved.version, edge: edge.edge })}
          submit={t('edges.configuration.pushSend', { version: saved.version })}
          onClose={(isTaken) => {
            setPushing(false)
            // What the box took is no draft any more.
            if (isTaken) setDraft(null)
          }}
        />
      ) : null}
    </>
  )
}

function Checked({ draft, onLine }: { readonly draft: Draft; readonly onLine: (line: number) => void }) {
  const { t } = useTexts()
  const { checked, text } = draft
  if (!checked) return null
  if (checked.text !== text) return <p className="meta">{t('edges.configuration.checkedBefore')}</p>
  if (checked.faults.length === 0) return <p role="status">✓ {t('edges.configuration.checked')}</p>
  return (
    <div role="alert" className="stack">
      <b>{t('edges.configuration.faults', { count: checked.faults.length })}</b>
      <FaultList faults={checked.faults} onLine={onLine} />
    </div>
  )
}
