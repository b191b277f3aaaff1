import type { Asset } from '#shared/contracts/asset.ts'

/** A line of the floor with its machines, each in its place. */
export interface Line {
  readonly asset: Asset
  readonly machines: readonly Asset[]
}

const isMachine = (asset: Asset) => asset.kind === 'work-unit'
const byPosition = (a: Asset, b: Asset) => a.position - b.position || a.code.localeCompare(b.code)

/** Lines in the order of the tree; a machine stands under its nearest line, area or site. */
export function linesOf(assets: readonly Asset[]): readonly Line[] {
  const byId = new Map(assets.map((asset) => [asset.id, asset]))
  const lines = new Map<string, Asset[]>()
  for (const machine of assets.filter(isMachine)) {
    const home = homeOf(machine, byId) ?? machine
    lines.set(home.id, [...(lines.get(home.id) ?? []), machine])
  }
  return assets.flatMap((asset) => {
    const machines = lines.get(asset.id)
    return machines ? [{ asset, machines: machines.toSorted(byPosition) }] : []
  })
}

function homeOf(machine: Asset, byId: ReadonlyMap<string, Asset>): Asset | undefined {
  let next = machine.parentId ? byId.get(machine.parentId) : undefined
  while (next && isMachine(next)) next = next.parentId ? byId.get(next.parentId) : undefined
  return next
}

export interface Tally {
  readonly running: number
  readonly stopped: number
  readonly noData: number
  readonly other: number
}

/** How many machines run, stand, are silent, or do something else. */
export function tallyOf(lines: readonly Line[]): Tally {
  const states = lines.flatMap((line) => line.machines.map((machine) => machine.state.state))
  const count = (...wanted: readonly string[]) => states.filter((state) => wanted.includes(state)).length
  const running = count('running')
  const stopped = count('unplanned-stop')
  const noData = count('no-data')
  return { running, stopped, noData, other: states.length - running - stopped - noData }
}

const SEVERITY = ['S1', 'S2', 'S3', 'S4']

/** Order of incidents on the board: nobody on the way first, then gravest, then oldest. */
export function byUrgency(
  a: { readonly acceptedBy: readonly unknown[]; readonly severity: string; readonly startedAt: string },
  b: { readonly acceptedBy: readonly unknown[]; readonly severity: string; readonly startedAt: string },
): number {
  const unaccepted = Number(a.acceptedBy.length > 0) - Number(b.acceptedBy.length > 0)
  const severity = SEVERITY.indexOf(a.severity) - SEVERITY.indexOf(b.severity)
  return unaccepted || severity || a.startedAt.localeCompare(b.startedAt)
}
