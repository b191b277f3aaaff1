import type { ConfigurationFault } from '#shared/contracts/edge-configuration.ts'
import { useTexts } from '../../ui/language.ts'
import { useBoxWords } from './box-words.ts'

interface Props {
  readonly faults: readonly ConfigurationFault[]
  /** Leads to a line of the editor; without it there is none to be led to. */
  readonly onLine?: (line: number) => void
}

/** Every fault of a document at its line: what stands there, what should, and what to do. */
export function FaultList({ faults, onLine }: Props) {
  const { fault: words } = useBoxWords()
  return (
    <ul className="config-faults">
      {faults.map((fault) => (
        <li key={`${fault.line}${fault.path}${fault.expected}`}>
          <Place fault={fault} onLine={onLine} /> {fault.path === '' ? null : <code>{fault.path}</code>}{' '}
          {words(fault) ?? <InEnglish fault={fault} />}
        </li>
      ))}
    </ul>
  )
}

/** As the box words it: one that gives no code, or one that is not known here. */
function InEnglish({ fault: { found, expected, fix } }: { readonly fault: ConfigurationFault }) {
  const { t } = useTexts()
  return (
    <>
      {found === null ? '' : `${t('edges.configuration.found', { found })}, `}
      {t('edges.configuration.expected', { expected })}
      <br />
      {fix}
    </>
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
