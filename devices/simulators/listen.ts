import { PortTakenError } from './port-taken-error.ts'

/** A port of the plant file and who listens on it. */
export interface PortGroup<D> {
  readonly host: string
  readonly port: number
  readonly devices: readonly D[]
}

export interface Listener {
  readonly port: number
  close(): Promise<void>
}

const MOST_TRIES = 10

/** Groups devices by the port that the plant file gives them, the lowest port first. */
export function groupByPort<D>(
  devices: readonly D[],
  listen: (device: D) => { readonly host: string; readonly port: number },
): PortGroup<D>[] {
  const groups = Map.groupBy(devices, (d) => `${listen(d).host}:${listen(d).port}`)
  return [...groups.values()]
    .flatMap((group) => (group[0] === undefined ? [] : [{ ...pick(listen(group[0])), devices: group }]))
    .sort((a, b) => a.port - b.port)
}

const pick = ({ host, port }: { readonly host: string; readonly port: number }) => ({ host, port })

/**
 * Opens a server for each group. `first` goes before the lowest port of the file, the others keep their distance to it,
 * so that a plant that is told its lowest port listens where it listened before. 0 picks free ports that lie so.
 * Rejects with PortTakenError naming `setting`, and leaves nothing open.
 */
export async function listenAll<D, L extends Listener>(
  groups: readonly PortGroup<D>[],
  ports: { readonly first: number | undefined; readonly setting: string },
  open: (group: PortGroup<D>, port: number) => Promise<L>,
): Promise<{ group: PortGroup<D>; server: L }[]> {
  for (let tries = 1; ; tries++) {
    try {
      return await listenOnce(groups, ports, open)
    } catch (error) {
      const isUnlucky = ports.first === 0 && tries < MOST_TRIES && error instanceof PortTakenError
      if (!isUnlucky) throw error
    }
  }
}

async function listenOnce<D, L extends Listener>(
  groups: readonly PortGroup<D>[],
  { first, setting }: { readonly first: number | undefined; readonly setting: string },
  open: (group: PortGroup<D>, port: number) => Promise<L>,
): Promise<{ group: PortGroup<D>; server: L }[]> {
  const lowest = groups[0]?.port ?? 0
  const opened: { group: PortGroup<D>; server: L }[] = []
  let base = first
  for (const group of groups) {
    const port = portFor(group.port, lowest, base)
    try {
      const server = await open(group, port)
      opened.push({ group, server })
      if (base === 0) base = server.port
    } catch (error) {
      await Promise.all(opened.map(({ server }) => server.close()))
      throw PortTakenError.from(error, { host: group.host, port, setting })
    }
  }
  return opened
}

function portFor(planned: number, lowest: number, base: number | undefined): number {
  if (base === undefined) return planned
  return base === 0 ? 0 : base + planned - lowest
}
