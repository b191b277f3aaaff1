import { join } from 'node:path'
import type { MemoryPart, ReadPart } from '../blocks/read-blocks.ts'
import { HOUR_MS, MINUTE_MS } from '../blocks/schema.ts'
import type { BlockFile } from './catalogue.ts'
import { type Block, blocksOf } from './merge-plan.ts'
import type { View } from './store.ts'

/** Source times from `from` up to, not including, `to`; ms since 1970. */
export interface Span {
  readonly from: number
  readonly to: number
}

/** A file with wide values, and what of it counts. */
export interface WideSpan extends Span {
  readonly name: string
}

/** What to read for an answer, at one state of the manifest. */
export interface ReadPlan {
  readonly files: readonly ReadPart[]
  readonly memory: readonly MemoryPart[]
  /** Files of wide values; those in the tables of slots always count. */
  readonly wide: readonly WideSpan[]
}

export type Level = 'n' | 'm' | 'h'

const UNIT_MS = { n: 1, m: MINUTE_MS, h: HOUR_MS }

/** The coarsest level whose buckets make up these exactly. */
export function levelFor(widthMs: number, origin: number): Level {
  if (widthMs % HOUR_MS === 0 && origin % HOUR_MS === 0) return 'h'
  return widthMs % MINUTE_MS === 0 && origin % MINUTE_MS === 0 ? 'm' : 'n'
}

/** Reads a span by roll-ups of a level as far as whole buckets go, its edges by finer ones, the newest from memory. */
export function planRead({ files, slots }: View, blocks: string, span: Span, level: Level): ReadPlan {
  const touching = files.filter((file) => file.lastAt + UNIT_MS[unitOf(file)] > span.from && file.firstAt < span.to)
  const parts = blocksOf(touching)
    .toSorted((a, b) => a.firstAt - b.firstAt)
    .flatMap((block) => partsOf(block, span, level))
  return {
    files: parts.flatMap(({ file, from, to }) =>
      file.kind === 'w' ? [] : [readPart({ ...file, kind: file.kind }, blocks, { from, to })],
    ),
    memory: slots.map((slot) => ({ values: slot.hot.view(), ...span })),
    wide: parts.flatMap(({ file, from, to }) => (file.kind === 'w' ? [{ name: file.name, from, to }] : [])),
  }
}

/** What the read thread is told of a file. */
export function readPart(file: BlockFile & { readonly kind: Level }, blocks: string, span: Span): ReadPart {
  const { kind, name, indexAt, groups, firstAt } = file
  return { kind, path: join(blocks, name), indexAt, groups, firstAt, from: span.from, to: span.to }
}

const unitOf = ({ kind }: BlockFile): Level => (kind === 'w' ? 'n' : kind)

interface Part extends Span {
  readonly file: BlockFile
}

const FINER: Readonly<Record<Level, Level>> = { h: 'm', m: 'n', n: 'n' }

function partsOf(block: Block, span: Span, level: Level): Part[] {
  if (span.from >= span.to) return []
  const unit = UNIT_MS[level]
  const inner = { from: Math.ceil(span.from / unit) * unit, to: Math.floor(span.to / unit) * unit }
  if (level === 'n') return filesOf(block, level).map((file) => ({ file, ...span }))
  if (inner.from >= inner.to) return partsOf(block, span, FINER[level])
  return [
    ...partsOf(block, { from: span.from, to: inner.from }, FINER[level]),
    ...filesOf(block, level).map((file) => ({ file, ...inner })),
    ...partsOf(block, { from: inner.to, to: span.to }, FINER[level]),
  ]
}

/** Order in which levels stand in for the wanted one: finer ones tell the same, coarser ones what retention left. */
const INSTEAD: Readonly<Record<Level, readonly string[]>> = {
  n: ['nw', 'm', 'h'],
  m: ['m', 'nw', 'h'],
  h: ['h', 'm', 'nw'],
}

function filesOf(block: Block, level: Level): BlockFile[] {
  for (const kinds of INSTEAD[level]) {
    const own = block.files.filter((file) => kinds.includes(file.kind))
    if (own.length > 0) return own
  }
  return []
}
