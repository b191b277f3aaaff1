import { cpSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import type { Arch } from './runtime.ts'

/** Parts of a native package that only building it from source needs. */
const SOURCES = /\.(cpp|h|gyp|md|map|d\.ts)$/
/** What a native package names as its own, and only its building needs. */
const FOR_BUILDING = ['node-addon-api']

/**
 * Lays native packages with what they need into `out`/node_modules, each with the program of that machine alone. Returns their
 * folders in the checkout. Throws when a package has no program for it.
 */
export function addNative(
  root: string,
  names: readonly string[],
  { arch, out }: { arch: Arch; out: string },
): string[] {
  const folders = closure(root, names)
  for (const folder of folders) {
    const to = join(out, relative(root, folder))
    // What lies in a node_modules of its own is listed by itself.
    const isWanted = (path: string) => !SOURCES.test(path) && !path.slice(folder.length).includes('/node_modules')
    cpSync(folder, to, { recursive: true, filter: isWanted, dereference: true })
    keepProgramOf(arch, to)
  }
  return folders
}

function keepProgramOf(arch: Arch, folder: string): void {
  const prebuilds = join(folder, 'prebuilds')
  if (!existsSync(prebuilds)) return
  const wanted = `linux-${arch}`
  const all = readdirSync(prebuilds)
  if (!all.includes(wanted)) throw new Error(`${folder} has no program for ${wanted}, only ${all.join(', ')}`)
  for (const name of all) if (name !== wanted) rmSync(join(prebuilds, name), { recursive: true })
  // Debian's C library is GNU's; the other file is for musl.
  for (const file of readdirSync(join(prebuilds, wanted)))
    if (file.includes('musl')) rmSync(join(prebuilds, wanted, file))
}

/** The folders of packages and of all that they need, as Node would find them. */
function closure(root: string, names: readonly string[]): string[] {
  const found = new Set<string>()
  const add = (name: string, askedBy: string) => {
    const folder = folderOf(name, askedBy, root)
    if (found.has(folder)) return
    found.add(folder)
    const { dependencies = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
      dependencies?: Record<string, string>
    }
    for (const next of Object.keys(dependencies)) if (!FOR_BUILDING.includes(next)) add(next, folder)
  }
  for (const name of names) add(name, root)
  return [...found].sort()
}

function folderOf(name: string, askedBy: string, root: string): string {
  const folder = join(askedBy, 'node_modules', name)
  if (existsSync(join(folder, 'package.json'))) return folder
  if (askedBy === root) throw new Error(`The package ${name} is not installed: run npm ci`)
  return folderOf(name, parentOf(askedBy), root)
}

/** The folder that holds the node_modules in which this package lies. */
const parentOf = (folder: string) =>
  dirname(folder.slice(0, folder.lastIndexOf('/node_modules/') + '/node_modules'.length))
