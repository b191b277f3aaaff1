import { useQueryClient } from '@tanstack/react-query'
import Button from 'antd/es/button'
import { type FormEvent, useId, useRef, useState } from 'react'
import type { Edge, EdgeRegistered } from '#shared/contracts/edge.ts'
import { registerEdge } from '../../api/acts.ts'
import { ActionButton } from '../../ui/action-button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { useTexts } from '../../ui/language.ts'
import { cannotReach, edgeCommandOf, edgeFileOf, isEdgeName, needsRoot, rootCommandOf } from './edge-file.ts'

/** Registers a box, then shows its secret this one time with what the box needs to start. */
export function RegisterDialog({ edges, onClose }: { readonly edges: readonly Edge[]; readonly onClose: () => void }) {
  const { t } = useTexts()
  const [registered, setRegistered] = useState<EdgeRegistered>()
  return (
    <Dialog title={t('edges.register')} onClose={onClose}>
      {registered ? (
        <Registered registered={registered} onClose={onClose} />
      ) : (
        <RegisterForm edges={edges} onRegistered={setRegistered} />
      )}
    </Dialog>
  )
}

/** Enter in a field presses the form's one button, which knows when it may not be pressed. */
function pressItsButton(event: FormEvent<HTMLFormElement>): void {
  event.preventDefault()
  event.currentTarget.querySelector('button')?.click()
}

interface FormProps {
  readonly edges: readonly Edge[]
  readonly onRegistered: (registered: EdgeRegistered) => void
}

function RegisterForm({ edges, onRegistered }: FormProps) {
  const { t } = useTexts()
  const client = useQueryClient()
  const [group, setGroup] = useState(edges[0]?.group ?? '')
  const [edge, setEdge] = useState('')
  const [name, setName] = useState('')
  const input = { group, edge, ...(name.trim() ? { name: name.trim() } : {}) }
  // A new secret cuts off the box that holds the old one; a box that never came may get another.
  const isTaken = edges.some((other) => other.group === group && other.edge === edge && other.status !== 'never')
  const nameFault = (value: string) => (value === '' || isEdgeName(value) ? null : t('edges.nameRule'))
  const groupFault = nameFault(group)
  const edgeFault = nameFault(edge) ?? (isTaken ? t('edges.taken') : null)
  const reason = () => {
    if (group === '' || edge === '') return t('edges.namesNeeded')
    return groupFault || edgeFault ? t('edges.faultsFirst') : null
  }
  return (
    <form className="edge-form" onSubmit={pressItsButton}>
      <TextField label={t('edges.group')} value={group} onChange={setGroup} fault={groupFault} />
      <TextField label={t('edges.edge')} example="line-2" value={edge} onChange={setEdge} fault={edgeFault} />
      <TextField label={t('edges.name')} value={name} onChange={setName} />
      <ActionButton
        // Another input is another intention: it needs its own key, and the refusal of the last one is void.
        key={JSON.stringify(input)}
        isPrimary
        isBig
        label={t('edges.registerSend')}
        reason={reason()}
        run={async (send) => {
          onRegistered(await registerEdge(input, send))
          void client.invalidateQueries({ queryKey: ['edges'] })
        }}
      />
      <input type="submit" hidden />
    </form>
  )
}

interface FieldProps {
  readonly label: string
  readonly example?: string
  /** What is wrong with the value, said while it is typed. */
  readonly fault?: string | null
  readonly value: string
  readonly onChange: (value: string) => void
}

function TextField({ label, example, fault, value, onChange }: FieldProps) {
  const id = useId()
  return (
    <label className="label" htmlFor={id}>
      <span className="meta">{label}</span>
      <input
        id={id}
        className="field"
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        placeholder={example}
        aria-invalid={Boolean(fault)}
        aria-describedby={`${id}-fault`}
        value={value}
        onChange={(event) => onChange(event.target.value)}
      />
      <span id={`${id}-fault`} className="field-fault" role="status">
        {fault}
      </span>
    </label>
  )
}

function Registered({ registered, onClose }: { readonly registered: EdgeRegistered; readonly onClose: () => void }) {
  const { t } = useTexts()
  const { edge, username, secret, broker } = registered
  const reach = { username, host: location.hostname, broker }
  return (
    <>
      <p role="status">
        <b>✓ {t('edges.registered', { edge: `${edge.group}/${edge.edge}` })}</b>
      </p>
      <CopyText label={t('edges.username')} text={username} />
      <CopyText label={t('edges.secret')} text={secret} />
      <p className="edge-once">{t('edges.secretOnce')}</p>
      <CopyText label={t('edges.file')} text={edgeFileOf(edge, reach)} />
      <p className="meta">{t('edges.fileNext')}</p>
      {cannotReach(reach) && <p role="alert">{t('edges.tlsClosed', { port: broker.tlsPort ?? broker.port })}</p>}
      {needsRoot(reach) && <RootFile fingerprint={broker.rootFingerprint ?? ''} />}
      <CopyText label={t('edges.command')} text={edgeCommandOf(reach.host)} />
      <Button onClick={onClose}>{t('action.close')}</Button>
    </>
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

/** A text to take away. Where the browser gives no clipboard, it is selected for the keyboard. */
function CopyText({ label, text }: { readonly label: string; readonly text: string }) {
  const { t } = useTexts()
  const [said, setSaid] = useState<string>()
  const element = useRef<HTMLPreElement>(null)
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text)
      setSaid(`✓ ${t('edges.copied')}`)
    } catch {
      if (element.current) getSelection()?.selectAllChildren(element.current)
      setSaid(t('edges.copyByHand'))
    }
  }
  return (
    <section className="stack" aria-label={label}>
      <div className="row">
        <span className="meta grow">{label}</span>
        <span className="meta" role="status">
          {said}
        </span>
        <Button onClick={() => void copy()} aria-label={`${t('edges.copy')} ${label}`}>
          {t('edges.copy')}
        </Button>
      </div>
      <pre ref={element} className="edge-copy">
        {text}
      </pre>
    </section>
  )
}
