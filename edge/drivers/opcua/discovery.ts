import { stringify } from 'yaml'
import type { FoundTag } from './found-tag.ts'

const LONGEST_KEY = 64

export interface NewProfile {
  readonly profile: string
  readonly name: string
  readonly assetClass: string
}

/** A device profile of the found tags, as YAML that `andon check` accepts; nothing is writable until a person says so. */
export function profileYaml(tags: readonly FoundTag[], { profile, name, assetClass }: NewProfile): string {
  const keys = uniqueKeys(tags.map(({ path }) => path))
  const document = {
    ...{ profile, version: 1, name: { en: name, 'zh-CN': name }, assetClass, protocol: 'opcua' },
    tags: tags.map((tag, i) => ({
      ...{ tag: keys[i], name: { en: tag.name || keys[i], 'zh-CN': tag.name || keys[i] } },
      ...{ address: tag.address, type: tag.type },
    })),
  }
  return stringify(document, { lineWidth: 0 })
}

/** The shortest ends of the paths that tell them apart, as keys; a number where nothing else does. */
export function uniqueKeys(paths: readonly (readonly string[])[]): string[] {
  const taken = new Set<string>()
  const counts = new Map<string, number>()
  const ends = paths.map((path) => path.map((_, i) => keyOf(path.slice(path.length - 1 - i).join('-'))))
  for (const key of ends.flatMap((keys) => [...new Set(keys)])) counts.set(key, (counts.get(key) ?? 0) + 1)
  return ends.map((keys) => {
    const key = keys.find((one) => counts.get(one) === 1) ?? keys.at(-1) ?? 'tag'
    const free = freeKey(key, taken)
    taken.add(free)
    return free
  })
}

function freeKey(key: string, taken: ReadonlySet<string>): string {
  if (!taken.has(key)) return key
  for (let number = 2; ; number++) {
    const next = `${key.slice(0, LONGEST_KEY - 1 - String(number).length)}-${number}`.replaceAll('--', '-')
    if (!taken.has(next)) return next
  }
}

/** Lower-case letters, digits and single hyphens: `DB10.Oil_Temp` becomes `db10-oil-temp`, `OilTemp` becomes `oil-temp`. */
function keyOf(text: string): string {
  const key = text
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1-$2')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '')
  return key.slice(0, LONGEST_KEY).replace(/-$/, '') || 'tag'
}
