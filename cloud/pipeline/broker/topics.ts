import { parseTopic } from '#shared/sparkplug/topics.ts'
import { type EdgeTopic, isFromEdge } from './admission.ts'

/** Topics remembered; an edge of 100 devices has about 300. Beyond it all are forgotten and parsed again. */
const REMEMBERED = 200_000

/** A topic taken apart, with the name of its edge as the books have it: `<group>/<edge>`. */
export interface ReadTopic {
  readonly topic: EdgeTopic
  readonly key: string
}

/** Makes a parser of the six topics that edges publish on. It remembers: a topic comes again with every message, and taking it apart costs more than the rest of the way. */
export function topicReader(most = REMEMBERED): (topic: string) => ReadTopic | undefined {
  const known = new Map<string, ReadTopic>()
  return (text) => {
    const remembered = known.get(text)
    if (remembered) return remembered
    const topic = parseTopic(text)
    if (!topic || !isFromEdge(topic)) return undefined
    if (known.size >= most) known.clear()
    const read = { topic, key: `${topic.group}/${topic.edge}` }
    known.set(text, read)
    return read
  }
}
