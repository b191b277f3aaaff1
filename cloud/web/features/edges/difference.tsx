import { useQuery } from '@tanstack/react-query'
import type { ConfigurationDifference } from '#shared/contracts/edge-configuration.ts'
import { differenceQuery } from '../../api/queries.ts'
import { useTexts } from '../../ui/language.ts'
import { Loaded } from '../../ui/loaded.tsx'
import { piecesOf } from './pieces.ts'

interface Props {
  readonly edgeId: string
  readonly from: number
  readonly to: number
}

/** What changes from one version to another, with some lines around it. */
export function Difference({ edgeId, from, to }: Props) {
  const difference = useQuery(differenceQuery(edgeId, from, to))
  return (
    <Loaded query={difference} height={120}>
      {(data) => <Lines difference={data} />}
    </Loaded>
  )
}

const GLYPHS = { same: ' ', removed: '−', added: '+' } as const

function Lines({ difference: { from, to, lines } }: { readonly difference: ConfigurationDifference }) {
  const { t } = useTexts()
  if (lines.every(({ kind }) => kind === 'same')) {
    return <p className="meta">{t('edges.configuration.differenceNone', { from, to })}</p>
  }
  return (
    <figure className="difference" aria-label={t('edges.configuration.difference', { from, to })}>
      <figcaption className="meta">{t('edges.configuration.difference', { from, to })}</figcaption>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard. */}
      <section className="difference-lines" tabIndex={0} aria-label={t('edges.configuration.document')}>
        {piecesOf(lines).map((piece) =>
          'skipped' in piece ? (
            <div key={piece.at} className="difference-skip">
              ⋯ {t('edges.configuration.skipped', { count: piece.skipped })}
            </div>
          ) : (
            <div key={piece.at} className={`difference-${piece.kind}`}>
              <span className="difference-mark">{GLYPHS[piece.kind]}</span>
              {piece.text || ' '}
            </div>
          ),
        )}
      </section>
    </figure>
  )
}
