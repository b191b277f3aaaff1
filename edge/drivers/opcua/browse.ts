import { withUri } from './address.ts'
import type { Session } from './connection.ts'
import { type FoundTag, TAG_TYPES } from './found-tag.ts'
import {
  AccessLevelFlag,
  AttributeIds,
  BrowseDirection,
  type DataType,
  findBasicDataType,
  type NodeId,
  type ReferenceDescription,
} from './library.ts'
import { chunks } from './plan.ts'

export interface BrowseOptions {
  /** Node to begin at; the Objects folder unless told. */
  readonly from: string
  readonly maxDepth: number
  /** Tags after which it stops. */
  readonly maxTags: number
}

export interface Browsed {
  readonly tags: readonly FoundTag[]
  /** Variables that hold no single value that a tag can be. */
  readonly skipped: number
  /** True when a limit ended it before everything was seen. */
  readonly isCut: boolean
}

/** Nodes in one request: small, since servers differ in what they take. */
const BATCH = 25
const REFERENCES_PER_NODE = 1000
const VARIABLE = 2
/** The server's own diagnostics: thousands of nodes that no plant asks for. */
const SERVER_OBJECT = 'ns=0;i=2253'
const HIERARCHICAL = 'HierarchicalReferences'

interface Node {
  readonly nodeId: NodeId
  readonly path: readonly string[]
  readonly isVariable: boolean
}

/** Walks the address space breadth first, each node once, within limits. */
export async function browse(
  session: Session,
  namespaces: readonly string[],
  options: BrowseOptions,
): Promise<Browsed> {
  const seen = new Set<string>([options.from, SERVER_OBJECT])
  const tags: FoundTag[] = []
  let skipped = 0
  let level: Node[] = await childrenOf(session, [{ nodeId: options.from, path: [] }], seen)
  for (let depth = 1; level.length > 0 && depth <= options.maxDepth; depth++) {
    const variables = level.filter(({ isVariable }) => isVariable)
    for (const some of chunks(variables, BATCH)) {
      const found = await describe(session, namespaces, some)
      skipped += some.length - found.length
      tags.push(...found)
      if (tags.length > options.maxTags) return { tags: tags.slice(0, options.maxTags), skipped, isCut: true }
    }
    level = await childrenOf(session, level, seen)
  }
  return { tags, skipped, isCut: level.length > 0 }
}

interface Parent {
  readonly nodeId: NodeId | string
  readonly path: readonly string[]
}

async function childrenOf(session: Session, parents: readonly Parent[], seen: Set<string>): Promise<Node[]> {
  const children: Node[] = []
  for (const some of chunks(parents, BATCH)) {
    const references = await referencesOf(session, some)
    children.push(
      ...some.flatMap((parent, i) => (references[i] ?? []).flatMap((one) => childOf(one, parent, seen) ?? [])),
    )
  }
  return children
}

function childOf({ nodeId, browseName, nodeClass }: ReferenceDescription, parent: Parent, seen: Set<string>) {
  const key = nodeId.toString()
  if (seen.has(key)) return undefined
  seen.add(key)
  return { nodeId, path: [...parent.path, browseName.name ?? key], isVariable: nodeClass === VARIABLE }
}

/** All references of each node, continuation points followed to their end. */
async function referencesOf(session: Session, nodes: readonly Parent[]): Promise<ReferenceDescription[][]> {
  const results = await session.browse(
    nodes.map(({ nodeId }) => ({
      nodeId,
      referenceTypeId: HIERARCHICAL,
      includeSubtypes: true,
      browseDirection: BrowseDirection.Forward,
      // Objects and variables.
      nodeClassMask: 3,
      resultMask: 63,
      requestedMaxReferencesPerNode: REFERENCES_PER_NODE,
    })),
  )
  const all: ReferenceDescription[][] = []
  for (const { references, continuationPoint } of results) {
    const found = [...(references ?? [])]
    let next = continuationPoint
    while (next?.length) {
      const more = await session.browseNext(next, false)
      found.push(...(more.references ?? []))
      next = more.continuationPoint
    }
    all.push(found)
  }
  return all
}

const ATTRIBUTES = [
  AttributeIds.DataType,
  AttributeIds.ValueRank,
  AttributeIds.UserAccessLevel,
  AttributeIds.DisplayName,
]

/** What the nodes are as tags; those that are none are left out. */
async function describe(session: Session, namespaces: readonly string[], nodes: readonly Node[]): Promise<FoundTag[]> {
  const values = await session.read(
    nodes.flatMap(({ nodeId }) => ATTRIBUTES.map((attributeId) => ({ nodeId, attributeId }))),
  )
  const found: FoundTag[] = []
  for (const [i, { nodeId, path }] of nodes.entries()) {
    const [dataType, rank, level, name] = values.slice(i * ATTRIBUTES.length).map(({ value }) => value?.value)
    const isScalar = rank === undefined || rank < 0
    const type = isScalar && dataType ? TAG_TYPES[await basicTypeOf(session, dataType)] : undefined
    if (type === undefined || (level & AccessLevelFlag.CurrentRead) === 0) continue
    found.push({
      ...{ path, type, address: withUri(nodeId.toString(), namespaces), name: name?.text ?? path.at(-1) ?? '' },
      isWritable: (level & AccessLevelFlag.CurrentWrite) !== 0,
    })
  }
  return found
}

/** Numbers of the built-in types are those of their nodes; others are looked up in the server's type tree. */
async function basicTypeOf(session: Session, dataType: NodeId): Promise<DataType | number> {
  if (dataType.namespace === 0 && Number(dataType.value) <= 25) return Number(dataType.value)
  return findBasicDataType(session, dataType).catch(() => 0)
}
