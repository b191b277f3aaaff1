import { dirname, join, relative, resolve } from 'node:path'
import { build, type Rolldown } from 'vite'
import { OWN_FILES } from '../../shared/own-files/own-files.ts'

/** Packages with a program of their own for each machine: never bundled, laid beside the bundle as they are. */
export const NATIVE_PACKAGES = ['@serialport/bindings-cpp'] as const
/** Accelerators that their packages do without, and do without here. */
const LEFT_OUT = ['bufferutil', 'utf-8-validate', 'proper-lockfile']
/** Modules that the edge's command names and never loads, because this installation does not hold them. */
const NOT_OF_THE_EDGE = /^#cloud\/|^#devices\/|\/commands\/(bench|cloud|demo|devices|user)\.ts$/

/** What a bundle was made of. */
export interface Bundle {
  /** Paths of the files of packages that are inside. */
  readonly modules: readonly string[]
  /** The native packages that it loads from beside itself. */
  readonly native: readonly string[]
}

/** Bundles the agent and what it forks into `out`: one folder of `.mjs` files with source maps. */
export async function bundleEdge(root: string, out: string): Promise<Bundle> {
  const input = {
    andon: join(root, 'andon.ts'),
    'opcua-worker': join(root, OWN_FILES['opcua-worker'].checkout),
    lookup: join(root, OWN_FILES.lookup.checkout),
  }
  const isOutside = (id: string) =>
    NOT_OF_THE_EDGE.test(id) || [...NATIVE_PACKAGES, ...LEFT_OUT].some((name) => id === name)
  // Named from the checkout's root, so that the same sources make the same bytes wherever they are packed.
  const fromRoot = (source: string, map: string) => relative(root, resolve(dirname(map), source))
  const made = await build({
    configFile: false,
    root,
    logLevel: 'warn',
    publicDir: false,
    ssr: { noExternal: true, target: 'node' },
    build: {
      ssr: true,
      outDir: out,
      emptyOutDir: false,
      minify: false,
      sourcemap: true,
      target: 'node26',
      rolldownOptions: {
        input,
        external: isOutside,
        output: {
          format: 'esm',
          entryFileNames: '[name].mjs',
          chunkFileNames: '[name]-[hash].mjs',
          sourcemapPathTransform: fromRoot,
          // Some libraries want another to have run before them, across the files of the bundle too.
          strictExecutionOrder: true,
        },
      },
    },
  })
  const chunks = outputsOf(made).filter((file) => file.type === 'chunk')
  const modules = chunks.flatMap(({ moduleIds }) => moduleIds).filter((id) => id.includes('/node_modules/'))
  const asked = new Set(
    chunks.flatMap(({ imports, dynamicImports, code }) => [...imports, ...dynamicImports, ...requiresOf(code)]),
  )
  return { modules: [...new Set(modules)].sort(), native: NATIVE_PACKAGES.filter((name) => asked.has(name)) }
}

const requiresOf = (code: string) => [...code.matchAll(/__require\("([^"]+)"\)/g)].map(([, name = '']) => name)

function outputsOf(made: Awaited<ReturnType<typeof build>>): Rolldown.RolldownOutput['output'][number][] {
  if (Array.isArray(made)) return made.flatMap(({ output }) => output)
  if ('output' in made) return made.output
  throw new Error('The bundler watches instead of building')
}
