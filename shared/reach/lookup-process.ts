/** The process that looks host names up. It is killed once its answers are there: a name server that is silent holds nobody. */
import { lookup } from 'node:dns'
import type { NameAnswer } from './lookup.ts'

const LIMIT_MS = Number(process.argv[2])
const hosts = process.argv.slice(3)

function answer(host: string): Promise<NameAnswer> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve({ host, code: 'ETIMEOUT' }), LIMIT_MS)
    lookup(host, { all: true }, (error, addresses) => {
      clearTimeout(timer)
      resolve(error ? { host, code: error.code ?? 'ENOTFOUND' } : { host, addresses })
    })
  })
}

process.send?.(await Promise.all(hosts.map(answer)))
