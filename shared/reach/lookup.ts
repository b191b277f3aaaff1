import { fork } from 'node:child_process'
import type { LookupAddress } from 'node:dns'
import { ownFile } from '#shared/own-files/own-files.ts'
import { lookupEnvironment } from './config.ts'

/** What a host name stands for, or the code of the failure (`ENOTFOUND`, `EAI_AGAIN`, `ETIMEOUT`). */
export type NameAnswer =
  | { readonly host: string; readonly addresses: readonly LookupAddress[] }
  | { readonly host: string; readonly code: string }

/** Looks host names up, all at once. Resolves with an answer for each, at the latest after the limit. Never rejects. */
export type Lookup = (hosts: readonly string[], limitMs: number) => Promise<readonly NameAnswer[]>

/** A machine under load needs this long to start a process. */
const STARTS_WITHIN_MS = 5000

/**
 * Asks the operating system (hosts file, DNS, mDNS) in a process of its own. The system's call cannot be cancelled and may wait
 * for a silent name server for half a minute, during which it would block one of this process's few threads, and its exit.
 */
export const systemLookup: Lookup = (hosts, limitMs) => {
  if (hosts.length === 0) return Promise.resolve([])
  const child = fork(ownFile('lookup'), [String(limitMs), ...hosts], {
    env: lookupEnvironment(),
    execArgv: [],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
  return new Promise((resolve) => {
    const end = (answers: readonly NameAnswer[]) => {
      clearTimeout(timer)
      child.kill('SIGKILL')
      resolve(answers)
    }
    const silence = () => end(hosts.map((host) => ({ host, code: 'ETIMEOUT' })))
    const timer = setTimeout(silence, STARTS_WITHIN_MS + limitMs)
    child.once('message', (answers) => end(answers as readonly NameAnswer[]))
    child.once('error', silence)
    child.once('exit', silence)
  })
}
