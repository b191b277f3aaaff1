import Button from 'antd/es/button'
import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import type { History } from '#shared/contracts/history.ts'
import type { LiveValue } from '#shared/contracts/tag.ts'
import { serverNow } from '../api/server-time.ts'
import { useLiveValues } from '../api/stream.tsx'
import { useLook } from '../theme/theme.ts'
import { formatSpan } from './format.ts'
import { useTexts } from './language.ts'
import type { TrendEvent, TrendTag } from './trend-chart.tsx'
import { type Curve, curveOf, heldUntil, type Stretch, valueAt, withLive } from './trend-data.ts'
import { TrendLegend, TrendTable } from './trend-legend.tsx'
import { plotOptions } from './trend-options.ts'

export interface TrendPlotProps {
  readonly tags: readonly TrendTag[]
  readonly history: History
  /** Window of the history in ms since 1970. */
  readonly from: number
  readonly to: number
  /** Width of a live window in ms; undefined when the window stands still. */
  readonly lastMs: number | undefined
  readonly events: readonly TrendEvent[]
  readonly height: number
}

/** Live values kept between two readings of the history, a tag. */
const KEPT_VALUES = 5000

/** A live chart is redrawn this often, in ms: twice a second is smooth enough for a process. */
const REDRAW_MS = 500

/** Live values of the tags since the chart stands, oldest first. */
function useLiveTail(tags: readonly TrendTag[], isLive: boolean) {
  const tail = useRef(new Map<string, LiveValue[]>())
  const paths = useMemo(() => (isLive ? tags.map((tag) => tag.path) : []), [tags, isLive])
  const keep = useCallback((value: LiveValue) => {
    const list = tail.current.get(value.path) ?? []
    list.push(value)
    if (list.length > KEPT_VALUES) list.shift()
    tail.current.set(value.path, list)
  }, [])
  useLiveValues(paths, keep)
  return tail
}

/** The curves now: history, live values behind it, held until now. */
function curvesNow(history: readonly Curve[], props: TrendPlotProps, tail: ReadonlyMap<string, LiveValue[]>): Curve[] {
  const isLive = props.lastMs !== undefined
  return history.map((curve, i) => {
    const live = isLive ? withLive(curve, tail.get(props.tags[i]?.path ?? '') ?? []) : curve
    return heldUntil(live, Math.min(props.to, serverNow()) / 1000)
  })
}

const aligned = (curves: readonly Curve[]): uPlot.AlignedData =>
  curves.length === 0 ? [[]] : uPlot.join(curves.map((c) => [c.x, c.y] as unknown as uPlot.AlignedData))

/** The drawn chart with its legend and, at choice, its table. */
export function TrendPlot(props: TrendPlotProps) {
  const { t, language, read } = useTexts()
  const look = useLook()
  const host = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | null>(null)
  const [cursor, setCursor] = useState<number | null>(null)
  const [isTable, setIsTable] = useState(false)
  const gaps = useMemo(() => gapsOf(props.history), [props.history])
  const base = useMemo(
    () => props.tags.map((tag) => historyCurve(props.history, tag.path, gaps)),
    [props.history, props.tags, gaps],
  )
  const tail = useLiveTail(props.tags, props.lastMs !== undefined)
  const [curves, setCurves] = useState<readonly Curve[]>(base)
  const names = props.tags.map((tag) => read(tag.name))

  useEffect(() => {
    if (!host.current) return
    const options = plotOptions({ look, language, tags: props.tags, gaps, events: props.events, height: props.height })
    const made = new uPlot(
      {
        ...options,
        width: host.current.clientWidth,
        hooks: {
          ...options.hooks,
          setCursor: [(u) => setCursor(u.cursor.idx == null ? null : (u.data[0][u.cursor.idx] ?? null))],
        },
      },
      [[]],
      host.current,
    )
    plot.current = made
    const observer = new ResizeObserver(([entry]) => {
      if (entry) made.setSize({ width: entry.contentRect.width, height: props.height })
    })
    observer.observe(host.current)
    return () => {
      observer.disconnect()
      made.destroy()
      plot.current = null
    }
  }, [look, language, props.tags, gaps, props.events, props.height])

  useEffect(() => {
    const draw = () => {
      const now = curvesNow(base, props, tail.current)
      setCurves(now)
      plot.current?.setData(aligned(now), false)
      const to = props.lastMs === undefined ? props.to : serverNow()
      plot.current?.setScale('x', {
        min: (props.lastMs === undefined ? props.from : to - props.lastMs) / 1000,
        max: to / 1000,
      })
    }
    draw()
    if (props.lastMs === undefined) return
    const timer = setInterval(draw, REDRAW_MS)
    return () => clearInterval(timer)
  }, [base, props, tail])

  const bucket = props.history.series[0]?.bucketMs ?? 0
  const values = curves.map((curve) => (cursor === null ? (curve.y.at(-1) ?? null) : valueAt(curve, cursor)))
  return (
    <figure className="trend">
      <TrendLegend tags={props.tags} values={values} look={look} at={cursor} />
      {isTable ? <TrendTable tags={props.tags} curves={curves} height={props.height} /> : null}
      <div
        ref={host}
        className="trend-plot"
        hidden={isTable}
        role="img"
        aria-label={t('trends.chartLabel', { tags: names.join(', ') })}
      />
      <figcaption className="row meta">
        <span className="grow">
          {bucket > 1000 ? t('trends.point', { span: formatSpan(bucket, language) }) : t('trends.raw')}
        </span>
        <Button size="small" type="text" aria-pressed={isTable} onClick={() => setIsTable((on) => !on)}>
          {isTable ? t('trends.chart') : t('trends.table')}
        </Button>
      </figcaption>
    </figure>
  )
}

const EMPTY: Curve = { x: [], y: [] }

function historyCurve(history: History, path: string, gaps: readonly Stretch[]): Curve {
  const series = history.series.find((s) => s.path === path)
  return series ? curveOf(series, gaps) : EMPTY
}

const gapsOf = (history: History): Stretch[] =>
  history.gaps.map((gap) => ({ from: Date.parse(gap.from) / 1000, to: Date.parse(gap.to) / 1000 }))
