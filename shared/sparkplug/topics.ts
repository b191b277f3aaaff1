const NAMESPACE = 'spBv1.0'
const NODE_MESSAGES = ['NBIRTH', 'NDATA', 'NDEATH', 'NCMD'] as const
const DEVICE_MESSAGES = ['DBIRTH', 'DDATA', 'DDEATH', 'DCMD'] as const

export type NodeMessage = (typeof NODE_MESSAGES)[number]
export type DeviceMessage = (typeof DEVICE_MESSAGES)[number]

/** A Sparkplug topic, taken apart. */
export type SparkplugTopic =
  | { readonly message: NodeMessage; readonly group: string; readonly edge: string }
  | { readonly message: DeviceMessage; readonly group: string; readonly edge: string; readonly device: string }
  | { readonly message: 'STATE'; readonly host: string }

/** True when a group, edge, device or host id may stand in a topic: not empty, none of `+ / #`, no control character. */
export const isTopicId = (id: string | undefined): id is string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: MQTT forbids U+0000 and advises against the other controls
  id !== undefined && id.length > 0 && id.length <= 200 && !/[+/#\u0000-\u001f\u007f]/.test(id)

const isNodeMessage = (text: string): text is NodeMessage => (NODE_MESSAGES as readonly string[]).includes(text)
const isDeviceMessage = (text: string): text is DeviceMessage => (DEVICE_MESSAGES as readonly string[]).includes(text)

/** Takes a topic apart; undefined when it is not a well-formed Sparkplug B topic. */
export function parseTopic(topic: string): SparkplugTopic | undefined {
  const [namespace, ...ids] = topic.split('/')
  if (namespace !== NAMESPACE || !ids.every(isTopicId)) return undefined
  const [group = '', message = '', edge = '', device = ''] = ids
  if (ids.length === 2) return group === 'STATE' ? { message: 'STATE', host: message } : undefined
  if (ids.length === 3 && isNodeMessage(message)) return { message, group, edge }
  if (ids.length === 4 && isDeviceMessage(message)) return { message, group, edge, device }
  return undefined
}

/** Puts a topic together. @throws RangeError when an id may not stand in a topic. */
export function formatTopic(topic: SparkplugTopic): string {
  const ids = 'host' in topic ? [topic.host] : [topic.group, topic.edge, ...('device' in topic ? [topic.device] : [])]
  const bad = ids.find((id) => !isTopicId(id))
  if (bad !== undefined) throw new RangeError(`"${bad}" may not stand in an MQTT topic`)
  if ('host' in topic) return `${NAMESPACE}/STATE/${topic.host}`
  const device = 'device' in topic ? `/${topic.device}` : ''
  return `${NAMESPACE}/${topic.group}/${topic.message}/${topic.edge}${device}`
}

/** Topic filters that an edge node subscribes to: its own node and device commands. */
export const commandFilters = (group: string, edge: string): readonly string[] => [
  `${NAMESPACE}/${group}/NCMD/${edge}`,
  `${NAMESPACE}/${group}/DCMD/${edge}/#`,
]
