import { connectScriptedEdge } from '#tests/support/sparkplug-edge.ts'
import { SECRET } from '../ingest/cloud.ts'
import { DEVICE, EDGES, EVERY_MS, edgeOf, GROUP, TAGS, tagOf } from './plan.ts'

/** Edges whose values all change once in a second, spread over it. Returns the end of them. */
export async function startEdges(port: number): Promise<() => Promise<void>> {
  const edges = await Promise.all(Array.from({ length: EDGES }, (_, index) => startEdge(port, index)))
  return async () => {
    for (const stop of edges) await stop()
  }
}

async function startEdge(port: number, index: number): Promise<() => Promise<void>> {
  const wire = await connectScriptedEdge({ port, group: GROUP, edge: edgeOf(index), secret: SECRET })
  await wire.birth(1n, 0n)
  const tags = Array.from({ length: TAGS }, (_, tag) => ({ tag: tagOf(tag), alias: 10 + tag, type: 'double' as const }))
  await wire.deviceBirth(DEVICE, tags)
  let round = 0
  const send = () => {
    const at = Date.now()
    round += 1
    const samples = tags.map(({ alias, type }, tag) => ({ alias, type, at, value: round + tag / 100 }))
    void wire.data(DEVICE, samples)
  }
  let timer: NodeJS.Timeout | undefined
  const begin = setTimeout(
    () => {
      timer = setInterval(send, EVERY_MS)
    },
    (index * EVERY_MS) / EDGES,
  )
  return () => {
    clearTimeout(begin)
    clearInterval(timer)
    return wire.close()
  }
}
