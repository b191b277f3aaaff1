import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Connection, connectionTo } from './connection.ts'

let server: Server
let connection: Connection
let answer: (request: IncomingMessage, response: ServerResponse, body: string) => void
const bodies: string[] = []

beforeEach(async () => {
  bodies.length = 0
  server = createServer(async (request, response) => {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    const bytes = Buffer.concat(parts)
    const body = (request.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes).toString()
    bodies.push(body)
    answer(request, response, body)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const url = `http://plant:s%40cret@127.0.0.1:${port}/`
  connection = connectionTo({ url, queryLimitMs: 200 })
})

afterEach(async () => {
  connection.close()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

const status =
  (code: number, text = '') =>
  (_: IncomingMessage, response: ServerResponse) => {
    response.writeHead(code).end(text)
  }

describe('a write', () => {
  it('resolves when the server has confirmed every piece, compressed, with its credentials', async () => {
    const seen: (string | undefined)[] = []
    answer = (request, response) => {
      seen.push(request.headers['content-encoding'], request.headers.authorization)
      response.writeHead(204).end()
    }
    await connection.write('/write?db=x', ['a 1\n', 'b 2\n', 'c 3\n'])
    expect(bodies.sort()).toEqual(['a 1\n', 'b 2\n', 'c 3\n'])
    const basic = `Basic ${Buffer.from('plant:s@cret').toString('base64')}`
    expect(seen).toEqual(['gzip', basic, 'gzip', basic, 'gzip', basic])
    expect(connection.address).not.toContain('cret')
  })

  it.each([
    ['a part of it was dropped', 201],
    ['a partial write was refused', 400],
    ['the server is overloaded', 429],
    ['the server is read-only', 503],
    ['the database is unknown', 404],
    ['something else answers', 200],
  ])('is not confirmed when %s (%i)', async (_, code) => {
    answer = (request, response, body) => status(body === 'b\n' ? code : 204)(request, response)
    await expect(connection.write('/write', ['a\n', 'b\n', 'c\n', 'd\n'])).rejects.toThrow()
    const sent = bodies.length
    answer = status(204)
    await connection.write('/write', ['e\n'])
    // Nothing is retried behind our back.
    expect(bodies).toHaveLength(sent + 1)
  })

  it('is not confirmed when the hinted hand-off of a cluster took it', async () => {
    answer = (_, response) => {
      response.writeHead(500, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ error: 'hinted handoff queue not empty' }))
    }
    await expect(connection.write('/write', ['a\n'])).rejects.toThrow('hinted handoff')
  })

  it('is sent once more when the connection was cut under it, and then not again', async () => {
    let cuts = 1
    answer = (request, response) => (cuts-- > 0 ? request.socket.destroy() : status(204)(request, response))
    await connection.write('/write', ['a\n'])
    expect(bodies).toEqual(['a\n', 'a\n'])
    cuts = 2
    await expect(connection.write('/write', ['b\n'])).rejects.toThrow()
  })
})

describe('a question', () => {
  it('tells the words of a server that refuses it', async () => {
    answer = status(422, 'cannot parse the query')
    await expect(connection.ask('/query', { q: 'x' })).rejects.toThrow(
      'The server answered 422: cannot parse the query',
    )
  })

  it('is given up after its time', async () => {
    answer = () => undefined
    await expect(connection.ask('/query', { q: 'x' })).rejects.toMatchObject({ name: 'HistoryTimeoutError' })
  })
})
