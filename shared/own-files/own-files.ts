import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/**
 * Files of the program that are started or read by their path: where they lie in a checkout, from its root, and in the
 * package of the edge, from its folder `app`. The packager makes a bundle of each that ends in `.mjs`.
 */
export const OWN_FILES = {
  'opcua-worker': { checkout: 'edge/drivers/opcua/worker.ts', package: 'opcua-worker.mjs' },
  lookup: { checkout: 'shared/reach/lookup-process.ts', package: 'lookup.mjs' },
  profiles: { checkout: 'devices/profiles', package: '../profiles' },
} as const

/** Sources end in `.ts`; what the packager makes of them does not. */
const isPackaged = !import.meta.url.endsWith('.ts')
/** Every module of the package lies in one folder. */
const base = new URL(isPackaged ? './' : '../../', import.meta.url)

/** The path of a file of the program, in a checkout as in the package of the edge. */
export function ownFile(name: keyof typeof OWN_FILES): string {
  const { checkout, package: packaged } = OWN_FILES[name]
  return fileURLToPath(new URL(isPackaged ? packaged : checkout, base))
}

/** Modules that the package of the edge has inside its bundle, and other installations as files of their own. */
export const PACKAGED_MODULES = ['commands/edge.ts', 'commands/check.ts', 'edge/config.ts'] as const

/** True when this installation holds a module, named from the root of a checkout: one of the edge alone lacks some. */
export const hasModule = (module: string): boolean =>
  isPackaged ? PACKAGED_MODULES.some((name) => name === module) : existsSync(new URL(module, base))
