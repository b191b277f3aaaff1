import type { EdgeRegistered } from '#shared/contracts/edge.ts'
import { useTexts } from '../../ui/language.ts'
import { CopyText } from './copy-text.tsx'
import { cannotReach, edgeCommandOf, edgeFileOf, needsRoot, rootCommandOf } from './edge-file.ts'

/** The way without a code: the secret, shown this one time, with what the box needs to start. */
export function SecretWay({ registered }: { readonly registered: EdgeRegistered }) {
  const { t } = useTexts()
  const { edge, username, secret, broker } = registered
  const reach = { username, host: location.hostname, broker }
  return (
    <details className="panel">
      <summary>{t('edges.new.secretWay')}</summary>
      <div className="body stack">
        <CopyText label={t('edges.username')} text={username} />
        <CopyText label={t('edges.secret')} text={secret} />
        <p className="edge-once">{t('edges.secretOnce')}</p>
        <CopyText label={t('edges.file')} text={edgeFileOf(edge, reach)} />
        <p className="meta">{t('edges.fileNext')}</p>
        {cannotReach(reach) && <p role="alert">{t('edges.tlsClosed', { port: broker.tlsPort ?? broker.port })}</p>}
        {needsRoot(reach) && <RootFile fingerprint={broker.rootFingerprint ?? ''} />}
        <CopyText label={t('edges.command')} text={edgeCommandOf(reach.host)} />
      </div>
    </details>
  )
}

/** What the box needs beside its file where it trusts the installation's own authority. */
function RootFile({ fingerprint }: { readonly fingerprint: string }) {
  const { t } = useTexts()
  return (
    <>
      <CopyText label={t('edges.root')} text={rootCommandOf(location.origin)} />
      <p className="meta">{t('edges.rootNext')}</p>
      <p className="edge-copy">{fingerprint}</p>
    </>
  )
}
