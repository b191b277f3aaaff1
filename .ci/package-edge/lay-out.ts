import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { atomicLibrary, SONAME } from './atomic.ts'
import { bundleEdge } from './bundle.ts'
import { addNative } from './native.ts'
import { notices, packageFolders } from './notices.ts'
import { type Arch, addRuntime } from './runtime.ts'

/** Lays the package of the edge for one machine into the empty folder `out`: everything that a Debian without Node needs. */
export async function layOutEdge(root: string, arch: Arch, out: string): Promise<void> {
  mkdirSync(join(out, 'lib'), { recursive: true })
  cpSync(join(root, 'deploy/edge'), out, { recursive: true })
  cpSync(join(root, 'LICENSE'), join(out, 'LICENSE'))
  cpSync(join(root, 'devices/profiles'), join(out, 'profiles'), {
    recursive: true,
    filter: (path) => !path.endsWith('.ts'),
  })
  addRuntime(root, arch, out)
  writeFileSync(join(out, 'lib', SONAME), atomicLibrary(arch))
  const app = join(out, 'app')
  const { modules, native } = await bundleEdge(root, app)
  const beside = addNative(root, native, { arch, out: app })
  writeFileSync(join(out, 'licences/packages.txt'), notices([...packageFolders(modules), ...beside]))
}
