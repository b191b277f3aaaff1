/**
 * A program: the demonstration with its plant and its cloud, for a test that starts it where there is no network but loopback.
 * A line of JSON on standard input asks, one on standard output answers: `{"ask": …}` → `{"answer": …}` or `{"fault": …}`.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { EdgeRegistered } from '#shared/contracts/edge.ts'
import type { EnrolmentCodeIssued } from '#shared/contracts/edge-certificate.ts'
import type { PageOf } from '#shared/contracts/http.ts'
import type { Tag } from '#shared/contracts/tag.ts'
import { startDemo } from './demo.ts'

/** What can be asked. */
export type Question =
  /** Registers an edge; answers the address of the cloud and a code. */
  | { readonly ask: 'code'; readonly edge: string }
  /** Where the devices of the plant answer. */
  | { readonly ask: 'endpoints' }
  /** Waits for good values of each of these devices of an edge; answers how many tags have one. */
  | { readonly ask: 'values'; readonly edge: string; readonly devices: readonly string[]; readonly withinMs: number }
  /** What the page of an edge says to who has its token. */
  | { readonly ask: 'page'; readonly url: string; readonly token: string }

const GROUP = 'module-factory'

if (import.meta.main) {
  const demo = await startDemo()
  const engineer = await demo.signIn('engineer')

  const carryOut = async (question: Question): Promise<unknown> => {
    switch (question.ask) {
      case 'code': {
        const { body } = await engineer.post<EdgeRegistered>('/api/edges', { group: GROUP, edge: question.edge })
        const issued = await engineer.post<EnrolmentCodeIssued>(`/api/edges/${body.edge.id}/enrolment-codes`, {})
        return { cloud: demo.url, code: issued.body.code }
      }
      case 'endpoints': {
        const known = join(demo.data, 'demo', 'endpoints.json')
        await engineer.until('addresses of the plant', async () => existsSync(known))
        return JSON.parse(readFileSync(known, 'utf8'))
      }
      case 'values': {
        const { edge, devices, withinMs } = question
        return engineer.until(
          `good values of ${devices.join(' and ')} of ${edge}`,
          async () => {
            const { items } = await engineer.get<PageOf<Tag>>(`/api/tags?edge=${edge}&limit=500`)
            const good = items.filter(({ quality, sourceAt }) => quality === 'good' && sourceAt !== null)
            return devices.every((device) => good.some((tag) => tag.device === device)) && good.length
          },
          withinMs,
        )
      }
      case 'page': {
        const answer = await fetch(question.url, { headers: { authorization: `Bearer ${question.token}` } })
        return { status: answer.status, text: await answer.text() }
      }
    }
  }

  const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`)
  const lines = createInterface({ input: process.stdin })
  lines.on('line', (line) => {
    carryOut(JSON.parse(line) as Question).then(
      (answer) => say({ answer }),
      (error: Error) => say({ fault: `${error.message} ${error.cause ?? ''}\n${demo.output().slice(-3000)}` }),
    )
  })
  lines.on('close', async () => {
    engineer.close()
    await demo.stop()
    demo.remove()
  })
  say({ answer: 'ready' })
}
