import { useQueryClient } from '@tanstack/react-query'
import type { Edge } from '#shared/contracts/edge.ts'
import type { PendingRenewal } from '#shared/contracts/edge-certificate.ts'
import { confirmRenewal, revokeCertificate } from '../../api/acts.ts'
import { ActionButton } from '../../ui/action-button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { useTexts } from '../../ui/language.ts'
import { ReasonDialog } from '../../ui/reason-dialog.tsx'

const REASONS = ['stolen', 'scrapped', 'leaked'] as const

interface RevokeProps {
  readonly edge: Edge
  readonly serial: string
  readonly onClose: () => void
}

/** Ends a certificate, after saying what that does to the box. */
export function RevokeCertificate({ edge, serial, onClose }: RevokeProps) {
  const { t } = useTexts()
  const client = useQueryClient()
  const chips = REASONS.map((key) => t(`edges.certificate.reasons.${key}`)).map((text) => ({ key: text, text }))
  return (
    <ReasonDialog
      title={t('edges.certificate.revokeTitle', { edge: `${edge.group}/${edge.edge}` })}
      says={t('edges.certificate.revokeSays')}
      chips={chips}
      submit={t('edges.certificate.revokeSend')}
      run={async (reason, send) => {
        await revokeCertificate(edge.id, serial, reason, send)
        await client.invalidateQueries({ queryKey: ['edges'] })
      }}
      onClose={onClose}
    />
  )
}

interface ConfirmProps {
  readonly edge: Edge
  readonly renewal: PendingRenewal
  readonly onClose: () => void
}

/** Lets a box with an expired certificate have another; the person has compared the fingerprints. */
export function ConfirmRenewal({ edge, renewal, onClose }: ConfirmProps) {
  const { t } = useTexts()
  const client = useQueryClient()
  return (
    <Dialog title={t('edges.certificate.confirmTitle', { edge: `${edge.group}/${edge.edge}` })} onClose={onClose}>
      <p>{t('edges.certificate.renewalSays')}</p>
      <p className="edge-copy">{renewal.keyFingerprint}</p>
      <p>{t('edges.certificate.confirmSays')}</p>
      <ActionButton
        isPrimary
        isBig
        label={t('edges.certificate.confirmSend')}
        run={async (send) => {
          await confirmRenewal(edge.id, renewal.id, send)
          await client.invalidateQueries({ queryKey: ['edges'] })
        }}
        onDone={onClose}
      />
    </Dialog>
  )
}
