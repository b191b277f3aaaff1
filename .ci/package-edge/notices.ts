import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Licences that ask for no more than their text and the names in it. */
const PERMISSIVE = /^(MIT|ISC|0BSD|BSD-2-Clause|BSD-3-Clause|Apache-2\.0|Unlicense)$/
/** Packages whose package.json tells no licence, and where their files do. */
const TOLD_ELSEWHERE: Readonly<Record<string, string>> = {
  // The head of each of its source files.
  precond: 'MIT',
}

interface Package {
  readonly name: string
  readonly version: string
  readonly licence: string
  readonly from: string
  readonly texts: readonly string[]
}

/** The folders of the packages that these files belong to. */
export function packageFolders(files: readonly string[]): string[] {
  const folders = files.map((file) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? '')
  return [...new Set(folders)].filter((folder) => folder !== '').sort()
}

/** The notices of these packages: a list, then each text once. Throws when a licence is none that the product may carry. */
export function notices(folders: readonly string[]): string {
  const packages = uniqueByName(folders.map(readPackage))
  const refused = packages.filter(({ licence }) => !isPermissive(licence))
  if (refused.length > 0)
    throw new Error(
      `Not a permissive licence: ${refused.map(({ name, licence }) => `${name} (${licence})`).join(', ')}`,
    )
  const list = packages.map(({ name, version, licence }) => `  ${name} ${version} — ${licence}`)
  return `${INTRODUCTION}\n${list.join('\n')}\n\n${[...byText(packages)].map(section).join('\n')}`
}

/** `A AND B` binds to both, `A OR B` leaves the choice; of three or more none occurs. */
function isPermissive(licence: string): boolean {
  const [first = '', how, second] = licence.replace(/^\((.*)\)$/, '$1').split(/ (AND|OR) /)
  if (second === undefined) return PERMISSIVE.test(first)
  const both = [PERMISSIVE.test(first), PERMISSIVE.test(second)]
  return how === 'AND' ? both.every(Boolean) : both.some(Boolean)
}

const INTRODUCTION = `Andon itself is under the Apache License 2.0 (LICENSE). bin/node is Node.js, unchanged; licences/node.txt holds its licence and
those of what it is made of. The bundle in app/ holds these packages, whose texts follow:
`

function readPackage(folder: string): Package {
  const { name, version, license, author, repository } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const files = readdirSync(folder).filter((file) => /^(licen[cs]e|copying|notice)(\..*)?$/i.test(file))
  const texts = files.sort().map((file) => readFileSync(join(folder, file), 'utf8').replaceAll('\r', '').trim())
  const by = [author?.name ?? author, repository?.url ?? repository].filter((part) => typeof part === 'string')
  return { name, version, licence: license ?? TOLD_ELSEWHERE[name] ?? 'none told', from: by.join(', '), texts }
}

const uniqueByName = (packages: readonly Package[]) =>
  [...new Map(packages.map((one) => [`${one.name} ${one.version}`, one])).values()].sort((a, b) =>
    a.name < b.name ? -1 : a.name > b.name ? 1 : a.version < b.version ? -1 : 1,
  )

/** Packages by licence text; one that brings none is told with the short text that its package.json names. */
function byText(packages: readonly Package[]): Map<string, Package[]> {
  const found = new Map<string, Package[]>()
  for (const one of packages) {
    const own = `The package brings no text of its own. Licence: ${one.licence}. From: ${one.from}`
    for (const text of one.texts.length > 0 ? one.texts : [own]) found.set(text, [...(found.get(text) ?? []), one])
  }
  return found
}

const section = ([text, packages]: [string, Package[]]) =>
  `${'-'.repeat(80)}\n${packages.map(({ name, version }) => `${name} ${version}`).join(', ')}\n\n${text}\n`
