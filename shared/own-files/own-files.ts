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

/** A text that names the command, as it is called in this installation: the package of the edge lays down `andon-edge`. */
export const asCalled = (text: string): string =>
  isPackaged ? text.replaceAll(/\bandon (?=[a-z]|COMMAND)/g, 'andon-edge ') : text

/** What a person types to call a part of `andon edge` for the configuration of this box. */
export const edgeCall = (part: string): string =>
  isPackaged ? `sudo andon-edge ${part}` : `npx andon edge ${part} --config FILE`

/** True in the package of the edge. */
export const isEdgePackage = isPackaged

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
