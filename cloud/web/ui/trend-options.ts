import type uPlot from 'uplot'
import type { Language } from '../locales/i18n.ts'
import { FONT, type Look, PALETTES, PRIORITY_COLOURS, SERIES_COLOURS, SERIES_DASHES } from '../theme/tokens.ts'
import { formatTime } from './format.ts'
import type { TrendEvent, TrendTag } from './trend-chart.tsx'
import { type Stretch, scaleOf } from './trend-data.ts'

export interface PlotInput {
  readonly look: Look
  readonly language: Language
  readonly tags: readonly TrendTag[]
  readonly gaps: readonly Stretch[]
  readonly events: readonly TrendEvent[]
  readonly height: number
}

/** Name of the scale that tags of one unit share. */
const scaleKey = (tag: TrendTag) => tag.unit ?? '1'

const unitsOf = (tags: readonly TrendTag[]) => [...new Set(tags.map(scaleKey))]

const limitsOf = (tags: readonly TrendTag[], key: string) =>
  tags.filter((tag) => scaleKey(tag) === key).flatMap((tag) => tag.limits ?? [])

function scales(tags: readonly TrendTag[]): Record<string, uPlot.Scale> {
  const own = unitsOf(tags).map((key) => {
    const setpoints = limitsOf(tags, key).map((limit) => limit.setpoint)
    const range: uPlot.Range.Function = (_u, min, max) =>
      min === null || max === null ? [0, 1] : scaleOf(min, max, setpoints)
    return [key, { range }] as const
  })
  return { x: { time: true, auto: false }, ...Object.fromEntries(own) }
}

function axes(input: PlotInput): uPlot.Axis[] {
  const p = PALETTES[input.look]
  const base = {
    stroke: p.text2,
    font: `12px ${FONT}`,
    grid: { stroke: p.border, width: 1 },
    ticks: { stroke: p.border, width: 1, size: 4 },
  }
  const time: uPlot.Axis = {
    ...base,
    space: 72,
    size: 28,
    values: (_u, splits) => splits.map((s) => formatTime(s * 1000, input.language, Date.now(), isFine(splits))),
  }
  const units = unitsOf(input.tags).slice(0, 2)
  const sides = units.map((key, i): uPlot.Axis => {
    const side = i === 0 ? 3 : 1
    const grid = i === 0 ? base.grid : { show: false }
    return {
      ...base,
      scale: key,
      side,
      grid,
      size: 56,
      label: key === '1' ? '' : key,
      labelSize: 16,
      labelFont: `12px ${FONT}`,
    }
  })
  return [time, ...sides]
}

const isFine = (splits: readonly number[]) => (splits[1] ?? 60) - (splits[0] ?? 0) < 60

/** Hatched bands where values are missing. */
function drawGaps(u: uPlot, gaps: readonly Stretch[], colour: string): void {
  const { ctx, bbox } = u
  for (const gap of gaps) {
    const from = Math.max(bbox.left, u.valToPos(gap.from, 'x', true))
    const to = Math.min(bbox.left + bbox.width, u.valToPos(gap.to, 'x', true))
    if (!(to > from)) continue
    ctx.save()
    ctx.beginPath()
    ctx.rect(from, bbox.top, to - from, bbox.height)
    ctx.clip()
    ctx.strokeStyle = colour
    ctx.beginPath()
    for (let x = from - bbox.height; x < to; x += 8) {
      ctx.moveTo(x, bbox.top + bbox.height)
      ctx.lineTo(x + bbox.height, bbox.top)
    }
    ctx.stroke()
    ctx.restore()
  }
}

/** A small text with its right end at x, on its own ground so that curves do not run through it. */
function label(
  ctx: CanvasRenderingContext2D,
  text: string,
  at: { readonly x: number; readonly y: number; readonly ground: string; readonly colour: string },
): void {
  const ratio = window.devicePixelRatio
  const width = ctx.measureText(text).width + 8 * ratio
  ctx.fillStyle = at.ground
  ctx.fillRect(at.x - width, at.y - 6 * ratio, width, 12 * ratio)
  ctx.fillStyle = at.colour
  ctx.fillText(text, at.x - 4 * ratio, at.y + 4 * ratio)
}

/** Setpoints as dashed lines, each with its level and value at the right end. */
function drawLimits(u: uPlot, input: PlotInput): void {
  const { ctx, bbox } = u
  const p = PALETTES[input.look]
  const ratio = window.devicePixelRatio
  ctx.save()
  ctx.strokeStyle = p.text3
  ctx.lineWidth = ratio
  ctx.setLineDash([6 * ratio, 4 * ratio])
  ctx.font = `${11 * ratio}px ${FONT}`
  ctx.textAlign = 'right'
  unitsOf(input.tags).forEach((key, side) => {
    for (const limit of limitsOf(input.tags, key)) {
      const y = u.valToPos(limit.setpoint, key, true)
      if (y < bbox.top || y > bbox.top + bbox.height) continue
      ctx.beginPath()
      ctx.moveTo(bbox.left, y)
      ctx.lineTo(bbox.left + bbox.width, y)
      ctx.stroke()
      label(ctx, `${limit.level} ${limit.setpoint}`, {
        // Limits of the first axis are named at the right, those of the second at the left, so that they keep apart.
        x: side === 0 ? bbox.left + bbox.width : bbox.left + 72 * ratio,
        y,
        ground: p.raised,
        colour: p.text2,
      })
    }
  })
  ctx.restore()
}

/** What happened, as an upright line with its mark on top. */
function drawEvents(u: uPlot, input: PlotInput): void {
  const { ctx, bbox } = u
  const ratio = window.devicePixelRatio
  ctx.save()
  ctx.font = `${11 * ratio}px ${FONT}`
  ctx.lineWidth = ratio
  for (const event of input.events) {
    const x = u.valToPos(event.at / 1000, 'x', true)
    if (!(x >= bbox.left && x <= bbox.left + bbox.width)) continue
    const colour = event.priority ? PRIORITY_COLOURS[input.look][event.priority].edge : PALETTES[input.look].text2
    ctx.strokeStyle = colour
    ctx.beginPath()
    ctx.moveTo(x, bbox.top)
    ctx.lineTo(x, bbox.top + bbox.height)
    ctx.stroke()
    ctx.fillStyle = PALETTES[input.look].text
    ctx.fillText(event.label, x + 4 * ratio, bbox.top + 12 * ratio)
  }
  ctx.restore()
}

/** How uPlot draws: our colours, one scale a unit, limits, gaps and events under the curves. */
export function plotOptions(input: PlotInput): uPlot.Options {
  const colours = SERIES_COLOURS[input.look]
  const series = input.tags.map(
    (tag, i): uPlot.Series => ({
      scale: scaleKey(tag),
      stroke: colours[i % colours.length] ?? colours[0] ?? '',
      width: 1.5,
      dash: [...(SERIES_DASHES[i % SERIES_DASHES.length] ?? [])],
      points: { show: false },
      spanGaps: false,
    }),
  )
  return {
    width: 300,
    height: input.height,
    legend: { show: false },
    cursor: { drag: { x: false, y: false }, points: { size: 6 }, y: false },
    padding: [8, 8, 0, 0],
    scales: scales(input.tags),
    axes: axes(input),
    series: [{}, ...series],
    hooks: {
      drawAxes: [(u) => drawGaps(u, input.gaps, PALETTES[input.look].ctl)],
      draw: [
        (u) => {
          drawLimits(u, input)
          drawEvents(u, input)
        },
      ],
    },
  }
}
