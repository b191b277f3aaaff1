import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname } from 'node:path'

/** Every file bears this time, which npm gives to those of its packages: 26 October 1985, 08:15 UTC. */
const TIME = '@499162500'
/** Sorted, one time, one owner, one set of rights: the same files make the same bytes on any machine. */
const SAME = [
  '--sort=name',
  `--mtime=${TIME}`,
  '--owner=0',
  '--group=0',
  '--numeric-owner',
  '--mode=u=rwX,go=rX',
  '--format=gnu',
]

/** Packs a folder under its own name and writes the checksum beside, as `sha256sum -c` reads it. */
export function packFolder(folder: string, archive: string): { readonly sha256: string; readonly sizeBytes: number } {
  const args = [...SAME, '-C', dirname(folder), '-I', 'gzip -n', '-cf', archive, basename(folder)]
  execFileSync('tar', args, { stdio: ['ignore', 'ignore', 'inherit'] })
  const sha256 = createHash('sha256').update(readFileSync(archive)).digest('hex')
  writeFileSync(`${archive}.sha256`, `${sha256}  ${basename(archive)}\n`)
  return { sha256, sizeBytes: statSync(archive).size }
}
