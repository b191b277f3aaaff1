import { type Look, SERIES_COLOURS, SERIES_DASHES } from '../theme/tokens.ts'
import { formatValue } from './format.ts'
import { useTexts } from './language.ts'
import type { TrendTag } from './trend-chart.tsx'
import { type Curve, valueAt } from './trend-data.ts'

/** Each curve's colour, dash, name and value at the cursor (the newest one without a cursor). */
export function TrendLegend(props: {
  readonly tags: readonly TrendTag[]
  readonly values: readonly (number | null)[]
  readonly look: Look
  readonly at: number | null
}) {
  const { t, language, read, time } = useTexts()
  const colours = SERIES_COLOURS[props.look]
  return (
    <ul className="trend-legend">
      {props.tags.map((tag, i) => (
        <li key={tag.path} className="row">
          <svg width="24" height="8" aria-hidden="true" focusable="false">
            <line
              x1="0"
              x2="24"
              y1="4"
              y2="4"
              stroke={colours[i % colours.length]}
              strokeWidth="2"
              strokeDasharray={SERIES_DASHES[i % SERIES_DASHES.length]?.join(' ')}
            />
          </svg>
          <span className="clip">{read(tag.name)}</span>
          <b className="num">
            {formatValue(
              props.values[i] ?? null,
              { decimals: tag.decimals, yes: t('value.yes'), no: t('value.no'), none: '—' },
              language,
            )}
          </b>
          <span className="meta">{tag.unit}</span>
        </li>
      ))}
      {props.at === null ? null : <li className="meta num">{time(props.at * 1000)}</li>}
    </ul>
  )
}

/** Rows of the table twin: enough to read, few enough to scroll. */
const ROWS = 60

/** The same values as a table, newest first. */
export function TrendTable(props: {
  readonly tags: readonly TrendTag[]
  readonly curves: readonly Curve[]
  readonly height: number
}) {
  const { t, language, read, time } = useTexts()
  const all = [...new Set(props.curves.flatMap((curve) => curve.x))].sort((a, b) => b - a)
  const step = Math.max(1, Math.ceil(all.length / ROWS))
  const times = all.filter((_time, i) => i % step === 0)
  return (
    <section className="trend-table" style={{ height: props.height }} aria-label={t('trends.table')}>
      <table>
        <thead>
          <tr>
            <th scope="col">{t('trends.time')}</th>
            {props.tags.map((tag) => (
              <th key={tag.path} scope="col">
                {read(tag.name)} {tag.unit}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {times.map((at) => (
            <tr key={at}>
              <td className="num">{time(at * 1000)}</td>
              {props.curves.map((curve, i) => (
                <td key={props.tags[i]?.path} className="num">
                  {formatValue(
                    valueAt(curve, at),
                    { decimals: props.tags[i]?.decimals, yes: '1', no: '0', none: '—' },
                    language,
                  )}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}
