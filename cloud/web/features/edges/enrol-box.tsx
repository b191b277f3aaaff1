import { useQuery } from '@tanstack/react-query'
import { lazy, Suspense, useState } from 'react'
import type { Edge, EdgeRegistered } from '#shared/contracts/edge.ts'
import { isLoopback } from '#shared/contracts/loopback.ts'
import { type MadeCode, makeEnrolmentCode } from '../../api/acts.ts'
import { certificatesQuery } from '../../api/queries.ts'
import { useServerNow } from '../../api/server-time.ts'
import { ActionButton } from '../../ui/action-button.tsx'
import { formatSpan } from '../../ui/format.ts'
import { useTexts } from '../../ui/language.ts'
import { CopyText } from './copy-text.tsx'
import { ARCHIVE_START, archiveCommandOf, checkoutCommandOf, cloudOf, startCommandOf } from './edge-file.ts'
import { EnrolProgress } from './enrol-progress.tsx'
import { Hours } from './hours.tsx'
import { SecretWay } from './secret-way.tsx'

/** Drawn when it is needed: a phone carries the line to the box. */
const QrCode = lazy(() => import('antd/es/qr-code'))

interface Props {
  readonly edge: Edge
  /** What its registration answered, when it was just now. */
  readonly registered: EdgeRegistered | undefined
  readonly first: MadeCode | undefined
}

/** The code of one box with what to run there, and how far the box has come. */
export function EnrolBox({ edge, registered, first }: Props) {
  const { t } = useTexts()
  const [issued, setIssued] = useState(first)
  const certificates = useQuery(certificatesQuery(edge.id)).data?.items ?? []
  // An older certificate, of the box that was there before, does not tell that this code was used.
  const enrolledAt = certificates.find(({ issuedAt }) => issued && Date.parse(issuedAt) >= issued.madeAt)?.issuedAt
  return (
    <>
      <p>
        <b>{t('edges.new.forEdge', { edge: `${edge.group}/${edge.edge}` })}</b>{' '}
        {registered ? <span role="status">✓ {t('edges.new.registered', { edge: edge.edge })}</span> : null}
      </p>
      {issued && !enrolledAt ? <Code issued={issued} /> : null}
      {issued ? <EnrolProgress edge={edge} enrolledAt={enrolledAt} url={cloudOf(issued.command)} /> : null}
      <MakeCode edge={edge} isAgain={issued !== undefined} isShown={!enrolledAt} onIssued={setIssued} />
      {registered ? <SecretWay registered={registered} /> : null}
    </>
  )
}

function Code({ issued }: { readonly issued: MadeCode }) {
  const { t } = useTexts()
  const { command, fingerprint } = issued
  const cloud = cloudOf(command)
  return (
    <section className="panel enrol-code">
      <header>
        <h2 className="grow">{t('edges.new.run')}</h2>
        <TimeLeft until={issued.expiresAt} />
      </header>
      <div className="body enrol-lines">
        <div className="stack grow">
          <CopyText label={t('edges.new.line1')} text={archiveCommandOf(command)} />
          <CopyText label={t('edges.new.line2')} text={ARCHIVE_START} />
          <p className="edge-once">{t('edges.new.once')}</p>
          {isHere(cloud) && !isLoopback(location.hostname) ? <p role="alert">{t('edges.new.localOnly')}</p> : null}
          <details>
            <summary>{t('edges.new.checkout')}</summary>
            <CopyText label={t('edges.new.line1')} text={checkoutCommandOf(command)} />
            <CopyText label={t('edges.new.line2')} text={startCommandOf(location.hostname)} />
          </details>
          <p className="meta">
            {t('edges.new.fingerprint')} <span className="enrol-print">{fingerprint}</span>
          </p>
        </div>
        <div className="enrol-qr" role="img" aria-label={t('edges.new.qr')}>
          <span aria-hidden="true">
            <Suspense fallback={null}>
              <QrCode value={archiveCommandOf(command)} size={176} color="#000000" bgColor="#ffffff" bordered={false} />
            </Suspense>
          </span>
        </div>
      </div>
    </section>
  )
}

const isHere = (url: string): boolean => URL.canParse(url) && isLoopback(new URL(url).hostname)

function TimeLeft({ until }: { readonly until: string }) {
  const { t, language } = useTexts()
  const left = Date.parse(until) - useServerNow()
  if (left <= 0) return <b>{t('edges.new.over')}</b>
  return (
    <span className="meta num">
      {t('edges.new.goodFor')} <time dateTime={until}>{formatSpan(left, language)}</time>
    </span>
  )
}

interface MakeProps {
  readonly edge: Edge
  readonly isAgain: boolean
  readonly isShown: boolean
  readonly onIssued: (issued: MadeCode) => void
}

function MakeCode({ edge, isAgain, isShown, onIssued }: MakeProps) {
  const { t } = useTexts()
  const [hours, setHours] = useState(24)
  if (!isShown) return null
  return (
    <section className={isAgain ? 'stack' : 'panel edge-form'}>
      {isAgain ? null : <p>{edge.report?.certificate ? t('edges.new.replaces') : t('edges.new.noCode')}</p>}
      {isAgain ? null : <Hours chosen={hours} onChoose={setHours} />}
      <ActionButton
        isPrimary={!isAgain}
        label={isAgain ? t('edges.new.makeAgain') : t('edges.new.make')}
        run={async (send) => onIssued(await makeEnrolmentCode(edge.id, hours, send))}
      />
    </section>
  )
}
