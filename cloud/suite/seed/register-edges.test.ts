import { afterEach, describe, expect, it } from 'vitest'
import type { EdgeRegistrationInput, EdgeStatus } from '#cloud/pipeline/index.ts'
import { DomainError } from '#cloud/platform/errors.ts'
import { silentLog } from '#shared/log/log.ts'
import { type Registering, registerEdges } from './register-edges.ts'

const edge = (name: string): EdgeRegistrationInput => ({ org: 'o', group: 'works', edge: name, secretHash: 'x' })
const AWAY = new DomainError('unavailable', 'pipeline.away', 'Nobody is there')
const TAKEN = new DomainError('conflict', 'edge.group-taken', 'The group works is taken')

const running: Registering[] = []
afterEach(() => {
  for (const one of running.splice(0)) one.stop()
})

/** Registers two edges with a machine side that answers as it is told, call by call, and then takes everything. */
async function register(...answers: (DomainError | 'taken')[]) {
  const asked: string[] = []
  const pipeline = {
    async registerEdge(input: EdgeRegistrationInput) {
      asked.push(input.edge)
      const answer = answers.shift()
      if (answer instanceof Error) throw answer
      return {} as EdgeStatus
    },
  }
  const edges = [edge('a'), edge('b')]
  const registering = await registerEdges({ pipeline, edges, file: '/etc/plant.yaml', log: silentLog, againMs: 1 })
  running.push(registering)
  return { registering, asked }
}

describe('the edges of an organisation file', () => {
  it('are registered before the start goes on', async () => {
    const { registering, asked } = await register()
    expect([asked, registering.faults()]).toEqual([['a', 'b'], []])
  })

  it('are registered later when nobody answers, each once, and that is a fault meanwhile', async () => {
    const { registering, asked } = await register('taken', AWAY, AWAY)
    expect(registering.faults()).toEqual([expect.stringContaining('plant.yaml')])
    await expect.poll(() => registering.faults()).toEqual([])
    expect(asked).toEqual(['a', 'b', 'b', 'b'])
  })

  it('that are refused end the start, and later on are told', async () => {
    await expect(register(TAKEN)).rejects.toBe(TAKEN)
    const { registering } = await register(AWAY, TAKEN)
    await expect
      .poll(() => registering.faults())
      .toEqual(['An edge of plant.yaml was refused: The group works is taken'])
  })
})
