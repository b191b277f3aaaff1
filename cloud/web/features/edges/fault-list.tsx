import type { ConfigurationFault } from '#shared/contracts/edge-configuration.ts'
import { useTexts } from '../../ui/language.ts'

interface Props {
  readonly faults: readonly ConfigurationFault[]
  /** Leads to a line of the editor; without it there is none to be led to. */
  readonly onLine?: (line: number) => void
}

/** Every fault of a document at its line: what stands there, what should, and what to do. */
export function FaultList({ faults, onLine }: Props) {
  const { t } = useTexts()
  return (
    <ul className="config-faults">
      {faults.map((fault) => (
        <li key={`${fault.line}${fault.path}${fault.expected}`}>
          <Place fault={fault} onLine={onLine} /> <code>{fault.path}</code>
          {fault.found === null ? '' : ` ${t('edges.configuration.found', { found: fault.found })},`}{' '}
          {t('edges.configuration.expected', { expected: fault.expected })}
          <br />
          {fault.fix}
        </li>
      ))}
    </ul>
  )
}

function Place({ fault: { line }, onLine }: { readonly fault: ConfigurationFault } & Pick<Props, 'onLine'>) {
  const { t } = useTexts()
  if (line === null) return <b>{t('edges.configuration.wholeFile')}</b>
  const words = t('edges.configuration.line', { line })
  return onLine ? (
    <button type="button" className="config-line" onClick={() => onLine(line)}>
      {words}
    </button>
  ) : (
    <b>{words}</b>
  )
}
