import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import Button from 'antd/es/button'
import { useState } from 'react'
import type { Edge } from '#shared/contracts/edge.ts'
import type { EdgeCertificate, EdgeCertificates, PendingRenewal } from '#shared/contracts/edge-certificate.ts'
import { certificatesQuery, sessionQuery } from '../../api/queries.ts'
import { serverNow } from '../../api/server-time.ts'
import { EmptyState } from '../../ui/empty-state.tsx'
import { formatMoment } from '../../ui/format.ts'
import { useTexts } from '../../ui/language.ts'
import { Loaded } from '../../ui/loaded.tsx'
import { ConfirmRenewal, RevokeCertificate } from './certificate-dialogs.tsx'
import { mayManage } from './fleet.ts'

/** The certificates of a box: how long they are good, who ended them, and what waits for a person. */
export function Certificates({ edge }: { readonly edge: Edge }) {
  const certificates = useQuery(certificatesQuery(edge.id))
  const canManage = mayManage(useQuery(sessionQuery).data?.person.roles ?? [])
  return (
    <Loaded query={certificates} height={160}>
      {(data) => (
        <>
          {data.renewals.map((renewal) => (
            <Renewal key={renewal.id} edge={edge} renewal={renewal} canManage={canManage} />
          ))}
          <List edge={edge} items={data.items} canManage={canManage} />
        </>
      )}
    </Loaded>
  )
}

interface ListProps {
  readonly edge: Edge
  readonly items: EdgeCertificates['items']
  readonly canManage: boolean
}

function List({ edge, items, canManage }: ListProps) {
  const { t } = useTexts()
  const code = canManage ? (
    <Link to="/edges/new" search={{ edge: edge.id }}>
      <Button tabIndex={-1}>{t('edges.certificate.code')}</Button>
    </Link>
  ) : null
  return (
    <section className="panel">
      <header>
        <h2 className="grow">{t('edges.tab.certificates')}</h2>
        {items.length > 0 ? code : null}
      </header>
      {items.length === 0 ? (
        <EmptyState
          kind="nothing-yet"
          title={t('edges.certificate.none')}
          next={t('edges.certificate.noneNext')}
          act={code}
        />
      ) : (
        <ul>
          {items.map((certificate) => (
            <Row key={certificate.serial} edge={edge} certificate={certificate} canManage={canManage} />
          ))}
        </ul>
      )}
    </section>
  )
}

const DAY_MS = 86_400_000

interface RowProps {
  readonly edge: Edge
  readonly certificate: EdgeCertificate
  readonly canManage: boolean
}

function Row({ edge, certificate, canManage }: RowProps) {
  const { t, language } = useTexts()
  const [isRevoking, setRevoking] = useState(false)
  const { state, expiresAt } = certificate
  const days = Math.floor((Date.parse(expiresAt) - serverNow()) / DAY_MS)
  const left = days < 0 ? t('edges.certificate.over', { count: -days }) : t('edges.certificate.left', { count: days })
  return (
    <li className="certificate">
      <div className="row wrap">
        <span className={state === 'good' ? 'state' : 'state state-heavy'}>
          {t(`edges.certificate.state.${state}`)}
        </span>
        <span className="grow">
          {t('edges.certificate.expires')} {formatMoment(expiresAt, language)}
          {state === 'revoked' ? null : <b> · {left}</b>}
        </span>
        {canManage && state === 'good' ? (
          <Button
            onClick={() => setRevoking(true)}
            aria-label={`${t('edges.certificate.revoke')} ${certificate.serial}`}
          >
            {t('edges.certificate.revoke')}
          </Button>
        ) : null}
      </div>
      <Facts certificate={certificate} />
      {isRevoking ? (
        <RevokeCertificate edge={edge} serial={certificate.serial} onClose={() => setRevoking(false)} />
      ) : null}
    </li>
  )
}

function Facts({ certificate }: { readonly certificate: EdgeCertificate }) {
  const { t, language } = useTexts()
  const { revokedAt, revokedBy, reason } = certificate
  return (
    <>
      {revokedAt ? (
        <p>
          {t('edges.certificate.revokedBy', {
            name: revokedBy ?? '–',
            time: formatMoment(revokedAt, language),
            reason: reason ?? '–',
          })}
        </p>
      ) : null}
      <dl className="certificate-facts meta">
        <dt>{t('edges.certificate.issued')}</dt>
        <dd>{formatMoment(certificate.issuedAt, language)}</dd>
        <dt>{t('edges.certificate.serial')}</dt>
        <dd>{certificate.serial}</dd>
        <dt>{t('edges.certificate.fingerprint')}</dt>
        <dd>{certificate.fingerprint}</dd>
      </dl>
    </>
  )
}

interface RenewalProps {
  readonly edge: Edge
  readonly renewal: PendingRenewal
  readonly canManage: boolean
}

function Renewal({ edge, renewal, canManage }: RenewalProps) {
  const { t, language } = useTexts()
  const [isConfirming, setConfirming] = useState(false)
  return (
    <section className="panel">
      <header>
        <h2 className="grow">{t('edges.certificate.renewals')}</h2>
        {canManage ? (
          <Button type="primary" onClick={() => setConfirming(true)}>
            {t('edges.certificate.confirm')}
          </Button>
        ) : null}
      </header>
      <div className="body stack">
        <p>{t('edges.certificate.renewalSays')}</p>
        <p className="meta">
          {t('edges.certificate.askedAt', {
            time: formatMoment(renewal.askedAt, language),
            address: renewal.address ?? t('edges.certificate.somewhere'),
          })}
        </p>
        <p className="meta">{t('edges.certificate.key')}</p>
        <p className="edge-copy">{renewal.keyFingerprint}</p>
      </div>
      {isConfirming ? <ConfirmRenewal edge={edge} renewal={renewal} onClose={() => setConfirming(false)} /> : null}
    </section>
  )
}
