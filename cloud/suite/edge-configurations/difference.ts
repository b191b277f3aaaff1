import type { ConfigurationDifference } from '#shared/contracts/edge-configuration.ts'

type Line = ConfigurationDifference['lines'][number]

/** Above this many cells the middle is told as replaced: people do not read further, and a table of it would fill the memory. */
const MOST_CELLS = 4_000_000

/** The lines of two texts, those that both have once, in the order of the texts: what was removed before what was added. */
export function differenceOf(from: string, to: string): Line[] {
  const [a, b] = [from.split('\n'), to.split('\n')]
  const head = sharedHead(a, b)
  const tail = sharedHead(a.slice(head).reverse(), b.slice(head).reverse())
  const middle = [a.slice(head, a.length - tail), b.slice(head, b.length - tail)] as const
  return [...lines('same', a.slice(0, head)), ...between(...middle), ...lines('same', a.slice(a.length - tail))]
}

function sharedHead(a: readonly string[], b: readonly string[]): number {
  const end = a.findIndex((line, i) => line !== b[i])
  return end < 0 ? a.length : end
}

const lines = (kind: Line['kind'], texts: readonly string[]): Line[] => texts.map((text) => ({ kind, text }))

/** How far each kind of line leads in the two texts. */
const STEPS = { same: [1, 1], removed: [1, 0], added: [0, 1] } as const

function between(a: readonly string[], b: readonly string[]): Line[] {
  if (a.length * b.length > MOST_CELLS) return [...lines('removed', a), ...lines('added', b)]
  const common = commonLengths(a, b)
  const told: Line[] = []
  let [i, j] = [0, 0]
  while (i < a.length && j < b.length) {
    const isSame = a[i] === b[j]
    const kind = isSame ? 'same' : changeOf(common(i + 1, j), common(i, j + 1))
    const [left, right] = STEPS[kind]
    told.push({ kind, text: (left ? a[i] : b[j]) ?? '' })
    i += left
    j += right
  }
  return [...told, ...lines('removed', a.slice(i)), ...lines('added', b.slice(j))]
}

/** The step that keeps more lines in common. */
const changeOf = (whenRemoved: number, whenAdded: number) => (whenRemoved >= whenAdded ? 'removed' : 'added')

/** Longest common subsequence of the rests from (i, j) on. */
function commonLengths(a: readonly string[], b: readonly string[]): (i: number, j: number) => number {
  const width = b.length + 1
  const table = new Uint32Array((a.length + 1) * width)
  const at = (i: number, j: number) => table[i * width + j] ?? 0
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      table[i * width + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1))
    }
  }
  return at
}
