import { readFileSync } from 'node:fs'
import type { Static, TSchema } from 'typebox'
import { Value } from 'typebox/value'
import { type Document, isMap, isPair, isScalar, isSeq, LineCounter, type Node, parseDocument, visit } from 'yaml'
import { checkValue, type Issue } from './check-value.ts'
import { ConfigError, type Fault, type Path, pathText } from './config-error.ts'
import { nearest } from './nearest.ts'
import type { Schema } from './schema.ts'

/**
 * Says what a schema cannot: names that must exist elsewhere, ranges that overlap. Also runs on a value with other faults, so
 * that all are told at once; what it says about a place that is faulty anyway is left out.
 */
export type CrossCheck<T> = (value: T) => readonly Issue[]

/** Reads one YAML file of the given shape. Throws ConfigError with every fault at once, or when the file cannot be read. */
export function loadYaml<S extends TSchema>(path: string, schema: S, check?: CrossCheck<Static<S>>): Static<S> {
  return parseYaml(readText(path), path, schema, check)
}

/** Reads the text of a configuration file; throws ConfigError when it cannot. */
export function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    const found = code === 'ENOENT' ? 'no such file' : String(code ?? error)
    const fix = 'check the path, and that this user may read it'
    const worded = { code: 'unreadable-file', params: { path, why: found } }
    throw new ConfigError([{ file: path, path: '', found, expected: 'a readable file', fix, ...worded }])
  }
}

/**
 * Parses YAML text of the given shape: unknown keys, wrong types, missing and duplicate keys and broken syntax are all
 * reported at once in one ConfigError; defaults of the schema are filled in; the result is frozen. `${…}` stays as it is.
 */
export function parseYaml<S extends TSchema>(
  text: string,
  file: string,
  schema: S,
  check?: CrossCheck<Static<S>>,
): Static<S> {
  const { value: read, issues: found, broken, faultOf } = readYaml(text, file, schema)
  const value = read as Static<S>
  const issues = found.length > 0 ? [...found] : unexplained(schema, value)
  if (check) issues.push(...crossIssues(check, value, { issues, isSound: issues.length + broken.length === 0 }))
  const faults = [...broken, ...issues.map(faultOf)]
  if (faults.length > 0) throw new ConfigError(inOrder(faults))
  return deepFreeze(value)
}

/** Faults as a person meets them in the file: by their lines. */
export const inOrder = (faults: readonly Fault[]): Fault[] => faults.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0))

/** A YAML text that was read, with what its schema finds wrong in it. */
export interface YamlReading {
  /** With the schema's defaults; of the schema's shape only where no issue says otherwise. */
  readonly value: unknown
  readonly issues: readonly Issue[]
  /** Keys that stand twice. */
  readonly broken: readonly Fault[]
  /** Gives an issue its line and column. */
  faultOf(issue: Issue): Fault
}

/** Reads YAML text and compares it with a schema. Throws ConfigError only when the text is no YAML. */
export function readYaml(text: string, file: string, schema: TSchema): YamlReading {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const source = { file, document, lines }
  const broken = document.errors.map((e) => syntaxFault(e, source))
  if (document.errors.some((e) => e.code !== 'DUPLICATE_KEY')) throw new ConfigError(broken)
  const issues: Issue[] = []
  const value = checkValue(schema as Schema, document.toJS(), [], (i) => issues.push(i))
  return { value, issues, broken, faultOf: (issue) => placed(issue, source) }
}

interface Found {
  readonly issues: readonly Issue[]
  /** The value fits its schema: an error inside the check is a bug of ours. */
  readonly isSound: boolean
}

function crossIssues<T>(check: CrossCheck<T>, value: T, { issues, isSound }: Found): Issue[] {
  try {
    return check(value).filter((issue) => !issues.some((known) => spoils(known.path, issue.path)))
  } catch (error) {
    if (isSound) throw error
    return []
  }
}

/** True when what is said about `path` may only follow from a fault at `fault`: one leads through the other, or they are neighbours. */
const spoils = (fault: Path, path: Path) =>
  isBelow(fault, path) || (fault.length === path.length && isBelow(fault.slice(0, -1), path.slice(0, -1)))

const isBelow = (a: Path, b: Path) => a.slice(0, b.length).every((step, i) => String(step) === String(b[i]))

/** The keys at the top of a YAML text, to tell what kind of file it is; none when it is not a group of keys. */
export function topLevelKeys(text: string): string[] {
  const { contents } = parseDocument(text, { prettyErrors: false })
  if (!isMap(contents)) return []
  return contents.items.flatMap((pair) => (isScalar(pair.key) ? [String(pair.key.value)] : []))
}

interface Source {
  readonly file: string
  readonly document: Document
  readonly lines: LineCounter
}

/** What the schema library refuses although our own walk found nothing: rare keywords. */
function unexplained(schema: TSchema, value: unknown): Issue[] {
  if (Value.Check(schema, value)) return []
  return [...Value.Errors(schema, value)].map((e) => {
    const path = e.instancePath.split('/').slice(1)
    return { path, expected: e.message, fix: 'change the value' }
  })
}

function placed(issue: Issue, source: Source): Fault {
  const offset = offsetOf(source.document, issue.path, issue.at ?? 'value')
  const { path, at: _at, ...told } = issue
  return { file: source.file, ...position(source, offset), path: pathText(path), ...told }
}

function position({ lines }: Source, offset: number): { line: number; column: number } {
  const { line, col } = lines.linePos(offset)
  return { line: Math.max(1, line), column: Math.max(1, col) }
}

/** Offset of the value at a path, or of the deepest parent that exists (a missing key is reported at its parent). */
function offsetOf(document: Document, path: Path, at: 'key' | 'value'): number {
  let node: Node | null = document.contents as Node | null
  let offset = node?.range?.[0] ?? 0
  for (const [depth, step] of path.entries()) {
    const next = childOf(node, step)
    if (!next) break
    const isLast = depth === path.length - 1
    offset = (isLast && at === 'key' ? next.keyOffset : next.offset) ?? offset
    node = next.node
  }
  return offset
}

interface Child {
  readonly node: Node | null
  readonly offset: number | undefined
  readonly keyOffset: number | undefined
}

function childOf(node: Node | null, step: string | number): Child | undefined {
  if (isSeq(node)) {
    const item = node.items[Number(step)] as Node | undefined
    return item ? { node: item, offset: item.range?.[0], keyOffset: item.range?.[0] } : undefined
  }
  if (!isMap(node)) return undefined
  const pair = node.items.find((p) => isScalar(p.key) && String(p.key.value) === String(step))
  if (!pair) return undefined
  const keyOffset = (pair.key as Node).range?.[0]
  const value = pair.value as Node | null
  const isEmpty = !value?.range || value.range[0] === value.range[1]
  // A group is pointed at by its key: the position of its first inner key would mislead.
  const offset = isEmpty || isMap(value) || isSeq(value) ? keyOffset : value.range?.[0]
  return { node: value, offset, keyOffset }
}

const SYNTAX_CODES: Readonly<Record<string, string>> = {
  DUPLICATE_KEY: 'yaml-duplicate-key',
  TAB_AS_INDENT: 'yaml-tab',
  BAD_INDENT: 'yaml-indent',
  MULTIPLE_DOCS: 'yaml-documents',
}

const SYNTAX_FIXES: Readonly<Record<string, string>> = {
  DUPLICATE_KEY: 'keep one of them: the other would be ignored',
  TAB_AS_INDENT: 'indent with spaces',
  BAD_INDENT: 'line the key up with its neighbours',
  MULTIPLE_DOCS: "remove the '---' in the middle of the file",
}

function syntaxFault(error: { code: string; message: string; pos: [number, number] }, source: Source): Fault {
  const [offset] = error.pos
  const path = pathAt(source.document, offset)
  const fix = SYNTAX_FIXES[error.code] ?? 'correct the YAML at this place'
  const expected = error.code === 'DUPLICATE_KEY' ? 'each key once' : 'valid YAML'
  const found = error.code === 'DUPLICATE_KEY' ? 'the same key again' : error.message
  const worded = { code: SYNTAX_CODES[error.code] ?? 'yaml', params: { detail: error.message } }
  return { file: source.file, ...position(source, offset), path, found, expected, fix, ...worded }
}

/** The path of the key that stands at an offset; empty when none does. */
function pathAt(document: Document, offset: number): string {
  let text = ''
  visit(document, {
    Pair(_, pair, parents) {
      if ((pair.key as Node | null)?.range?.[0] !== offset) return undefined
      text = pathText([...parents, pair].flatMap((p, i, all) => stepOf(p, all[i + 1])))
      return visit.BREAK
    },
  })
  return text
}

function stepOf(step: unknown, child: unknown): (string | number)[] {
  if (isPair(step)) return isScalar(step.key) ? [String(step.key.value)] : []
  return isSeq(step) ? [step.items.indexOf(child)] : []
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  for (const inner of Object.values(value)) deepFreeze(inner)
  return Object.freeze(value)
}

/** An issue for a name that should be one of some others, with the nearest of them. */
export function unknownName(path: Path, name: string, what: string, known: readonly string[]): Issue {
  const guess = nearest(name, known)
  const list = known.length === 0 ? 'none' : known.slice(0, 12).join(', ') + (known.length > 12 ? ', …' : '')
  const issue: Issue = {
    path,
    found: `'${name}'`,
    expected: `the name of ${what} (${list})`,
    fix: guess === undefined ? `use the name of ${what} that exists` : `write '${guess}'`,
    ...{ code: 'unknown-name', params: { name, known: list } },
  }
  if (guess === undefined) return issue
  return { ...issue, nearest: guess, code: 'unknown-name-near', params: { name, known: list, guess } }
}
