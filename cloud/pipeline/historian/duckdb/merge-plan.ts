import type { BlockFile } from './catalogue.ts'

/** Files that were made of the same values. */
export interface Block {
  readonly block: number
  readonly class: number
  readonly level: number
  readonly day: number
  readonly files: readonly BlockFile[]
  /** Values, which the roll-ups only sum up. */
  readonly rows: number
  readonly firstAt: number
  readonly lastAt: number
}

export interface MergePlan {
  readonly level: number
  readonly day: number
  readonly class: number
  /** Oldest values first. */
  readonly blocks: readonly Block[]
}

export interface MergeLimits {
  readonly mergeBlocks: number
  readonly mergeRows: number
}

const DAY_LEVEL = 3

/** The files of the manifest by block, oldest block first. */
export function blocksOf(files: readonly BlockFile[]): Block[] {
  const groups = Map.groupBy(files, (file) => `${file.block}/${file.class}`)
  return [...groups.values()].map((own) => {
    const { block, level, day, class: cls } = own[0] as BlockFile
    return {
      ...{ block, class: cls, level, day, files: own },
      rows: own.reduce((sum, file) => sum + (file.kind === 'n' || file.kind === 'w' ? file.rows : 0), 0),
      firstAt: Math.min(...own.map((file) => file.firstAt)),
      lastAt: Math.max(...own.map((file) => file.lastAt)),
    }
  })
}

/**
 * Which blocks to merge: all of a day that has ended, and, of the present day, every `mergeBlocks` of one level, so that a
 * value is rewritten at most three times. Blocks that lack a level, because retention took it, merge with their like.
 */
export function planMerges(files: readonly BlockFile[], today: number, limits: MergeLimits): MergePlan[] {
  const groups = Map.groupBy(blocksOf(files), (block) => `${block.class}/${block.day}/${levelsOf(block)}`)
  return [...groups.values()].flatMap((group) => plansOf(group, today, limits))
}

const levelsOf = ({ files }: Block): string =>
  [
    files.some((file) => 'nw'.includes(file.kind)),
    ...['m', 'h'].map((kind) => files.some((f) => f.kind === kind)),
  ].join()

function plansOf(group: readonly Block[], today: number, limits: MergeLimits): MergePlan[] {
  const isOver = (group[0]?.day ?? today) < today
  const rows = group.reduce((sum, block) => sum + block.rows, 0)
  if (isOver && rows <= limits.mergeRows) return group.length < 2 ? [] : [planOf(group, DAY_LEVEL)]
  return [0, 1].flatMap((level) => {
    const own = group.filter((block) => block.level === level)
    return runs(own, limits).map((run) => planOf(run, level + 1))
  })
}

function planOf(blocks: readonly Block[], level: number): MergePlan {
  const { day, class: cls } = blocks[0] as Block
  return { level, day, class: cls, blocks: blocks.toSorted((a, b) => a.firstAt - b.firstAt || a.block - b.block) }
}

/** Runs of blocks that are as many, or have as many rows, as a merge may take. */
function runs(blocks: readonly Block[], { mergeBlocks, mergeRows }: MergeLimits): Block[][] {
  const found: Block[][] = []
  let run: Block[] = []
  let rows = 0
  const end = () => {
    if (run.length > 1) found.push(run)
    run = []
    rows = 0
  }
  for (const block of blocks) {
    if (rows + block.rows > mergeRows) end()
    run.push(block)
    rows += block.rows
    if (run.length === mergeBlocks) end()
  }
  return found
}
