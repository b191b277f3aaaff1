/** Where a tag's values stand in the external history: the labels of its series, nothing else. */
export interface TagLabels {
  readonly group: string
  readonly edge: string
  readonly device: string
  readonly tag: string
}

/** In the order in which they are written. */
export const LABEL_NAMES = ['group', 'edge', 'device', 'tag'] as const

const CONTROL_PICTURES = 0x2400
const DELETE_PICTURE = '␡'
const WIDE_BACKSLASH = '＼'
const NOTHING = '∅'

/**
 * A name as a label can hold it. The line protocol has no way to write control characters, an empty name, or a backslash
 * before a character with a meaning or at the end; these become look-alikes, and every other name stays as it is.
 */
export function labelOf(name: string): string {
  if (name === '') return NOTHING
  return name.replace(/\p{Cc}/gu, controlPicture).replace(/\\(?=[\\,= ]|$)/g, WIDE_BACKSLASH)
}

function controlPicture(character: string): string {
  const code = character.charCodeAt(0)
  return code < 0x20 ? String.fromCharCode(CONTROL_PICTURES + code) : DELETE_PICTURE
}

const cleaned = (labels: TagLabels) => LABEL_NAMES.map((name) => [name, labelOf(labels[name])] as const)

/** The beginning of each line of a tag, up to its fields: `tag,group=…,edge=…,device=…,tag=… `. */
export function linePrefix(labels: TagLabels): string {
  const pairs = cleaned(labels).map(([name, value]) => `${name}=${value.replace(/[,= ]/g, (c) => `\\${c}`)}`)
  return `tag,${pairs.join(',')} `
}

/** Names a series by its labels, as an answer tells them. */
export const seriesKey = (labels: Partial<Record<string, string>>): string =>
  LABEL_NAMES.map((name) => labels[name] ?? '').join('\u0000')

/** The labels of a tag as an answer tells them. */
export const storedLabels = (labels: TagLabels): TagLabels => ({
  group: labelOf(labels.group),
  edge: labelOf(labels.edge),
  device: labelOf(labels.device),
  tag: labelOf(labels.tag),
})

/** Tags of a question: their stored labels, and the way back from an answer's labels to history's key. */
export interface TagSet {
  readonly tags: readonly { readonly key: number; readonly labels: TagLabels }[]
  keyOf(labels: Partial<Record<string, string>>): number | undefined
}

/** Looks the labels of some tags up; a key without labels has no values. */
export function labelled(keys: readonly number[], labelsOf: (key: number) => TagLabels | undefined): TagSet['tags'] {
  return [...new Set(keys)].flatMap((key) => {
    const labels = labelsOf(key)
    return labels ? [{ key, labels: storedLabels(labels) }] : []
  })
}

/** Makes a set of tags with their stored labels. */
export function tagSet(tags: TagSet['tags']): TagSet {
  const bySeries = new Map(tags.map(({ key, labels }) => [seriesKey({ ...labels }), key]))
  return { tags, keyOf: (labels) => bySeries.get(seriesKey(labels)) }
}

/** Tags of one device, which a filter can name together. */
export interface DeviceTags extends Omit<TagLabels, 'tag'> {
  readonly names: readonly string[]
}

/** Sorts tags by their device, at most `most` of them together. */
export function byDevice({ tags }: TagSet, most: number): DeviceTags[] {
  const devices = new Map<string, { labels: TagLabels; names: string[] }>()
  for (const { labels } of tags) {
    const key = seriesKey({ ...labels, tag: '' })
    const device = devices.get(key) ?? { labels, names: [] }
    device.names.push(labels.tag)
    devices.set(key, device)
  }
  return [...devices.values()].flatMap(({ labels: { group, edge, device }, names }) =>
    chunks(names, most).map((some) => ({ group, edge, device, names: some })),
  )
}

/** Cuts a list into pieces of at most `size`. */
export const chunks = <T>(all: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(i * size, (i + 1) * size))
