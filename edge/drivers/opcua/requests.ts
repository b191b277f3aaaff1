import { nodeIdOf, type OpcuaAddress, parseNode } from './address.ts'
import type { OpcuaSession } from './connection.ts'
import { rawOf, sampleOf } from './decode.ts'
import { EncodeError } from './encode.ts'
import type { Answer, Request } from './messages.ts'

/** The server does not do what was asked; nothing has changed. */
class RefusedError extends Error {
  override readonly name = 'RefusedError'
}

/** Carries out a request; never rejects. */
export async function carryOut(session: OpcuaSession, request: Request): Promise<Answer> {
  try {
    return { outcome: 'done', value: await valueFor(session, request) }
  } catch (error) {
    const isCertain = error instanceof RefusedError || error instanceof EncodeError
    return { outcome: isCertain ? 'refused' : 'lost', message: (error as Error).message }
  }
}

async function valueFor(session: OpcuaSession, request: Request): Promise<unknown> {
  switch (request.kind) {
    case 'read':
      return sampleOf('', rawOf(await session.readValue(nodeOf(session, request.address))), Date.now())
    case 'acknowledge':
      return acknowledge(session, request)
    case 'browse':
      return session.browse(request.options)
    case 'write':
      return write(session, request)
  }
}

async function acknowledge(
  session: OpcuaSession,
  { condition, eventId, comment }: Extract<Request, { kind: 'acknowledge' }>,
): Promise<void> {
  const nodeId = nodeOf(session, parseNode('condition', condition))
  const refusal = await session.acknowledge(nodeId, eventId, comment)
  if (refusal !== undefined) throw new RefusedError(`the server refuses it (${refusal})`)
}

async function write(session: OpcuaSession, { address, value }: Extract<Request, { kind: 'write' }>): Promise<void> {
  const refusal = await session.writeValue(nodeOf(session, address), value)
  if (refusal?.isCertain) throw new RefusedError(`the server refuses it (${refusal.status})`)
  if (refusal) throw new Error(`the server does not know whether it was written (${refusal.status})`)
}

function nodeOf(session: OpcuaSession, address: OpcuaAddress): string {
  const nodeId = nodeIdOf(address, session.namespaces)
  if (nodeId === undefined) throw new RefusedError(`${address.written}: the server has no such namespace`)
  return nodeId
}
