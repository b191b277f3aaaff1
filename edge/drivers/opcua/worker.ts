/** The OPC UA process: forked by the agent, ended with it. It never retries; it tells, and the agent decides. */
import { NotConnectedError } from '../driver.ts'
import { routeLibraryLogs } from './connection.ts'
import { type Link, openLink } from './link.ts'
import { lossOf } from './loss.ts'
import type { FromWorker, ToWorker } from './messages.ts'

const links = new Map<string, Link>()
const closed = new Set<string>()

const send = (message: FromWorker) => void process.send?.(message)

function lose(link: string, error: Error): void {
  const kind = error instanceof NotConnectedError ? error.kind : lossOf(error).kind
  send({ type: 'lost', link, kind, message: error.message })
  void drop(link)
}

async function drop(link: string): Promise<void> {
  const known = links.get(link)
  links.delete(link)
  await known?.close()
}

async function connect(message: Extract<ToWorker, { type: 'connect' }>): Promise<void> {
  const { link } = message
  const opened = await openLink(message, {
    tell: (report) => send({ ...report, link }),
    log: (text) => send({ type: 'log', level: 'warn', text }),
    onLost: (kind, why) => lose(link, new NotConnectedError(kind, why)),
  })
  // The agent may have given up meanwhile.
  if (closed.delete(link)) return opened.close()
  links.set(link, opened)
  const { certificatesUntil } = opened
  send({ type: 'connected', link, ...(certificatesUntil ? { certificatesUntil } : {}) })
}

async function answer({ link, id, request }: Extract<ToWorker, { type: 'ask' }>): Promise<void> {
  const given = await links.get(link)?.ask(request)
  send({ type: 'answer', link, id, answer: given ?? { outcome: 'refused', message: 'the link is not open' } })
}

async function close(link: string): Promise<void> {
  if (!links.has(link)) closed.add(link)
  await drop(link)
  send({ type: 'closed', link })
}

async function carryOut(message: ToWorker): Promise<void> {
  switch (message.type) {
    case 'connect':
      return connect(message)
    case 'subscribe':
      return links.get(message.link)?.subscribe(message.tags)
    case 'read-back':
      return links.get(message.link)?.readBack(message.ranges)
    case 'ask':
      return answer(message)
    case 'close':
      return close(message.link)
  }
}

function heard(): Readonly<Record<string, number>> {
  return Object.fromEntries([...links].map(([link, open]) => [link, open.heardAt()]))
}

setInterval(() => send({ type: 'alive', heard: heard() }), 1000)
routeLibraryLogs((level, text) => send({ type: 'log', level, text }))
process.on('message', (message: ToWorker) => {
  carryOut(message).catch((error: Error) => lose(message.link, error))
})
// The agent is gone, whatever it died of.
process.on('disconnect', () => process.exit(0))
// Ctrl-C reaches the whole group: the agent closes the sessions first and then ends this process.
process.on('SIGINT', () => undefined)
// Loading leaves twice the heap that the library needs, and V8 would keep it.
void globalThis.gc?.({ type: 'major', execution: 'async', flavor: 'last-resort' })
