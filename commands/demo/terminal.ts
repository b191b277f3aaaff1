import type { StreamEvent } from '#shared/contracts/stream.ts'

/** Writes one line for the person at the terminal, with the local time. */
export type Say = (line: string) => void

export const say: Say = (line) => {
  const time = new Date().toTimeString().slice(0, 8)
  process.stdout.write(`${time}  ${line}\n`)
}

const WORDS: Readonly<Record<string, (data: Record<string, unknown>) => string | undefined>> = {
  'edge.connected': (d) => `edge ${d.group}/${d.edge} is connected`,
  'edge.disconnected': (d) => `edge ${d.group}/${d.edge} lost its connection; its journal keeps every value`,
  'alarm.changed': (d) =>
    d.transition === 'activated'
      ? `alarm ${d.device} ${d.alarm}${d.level ? ` ${d.level}` : ''} (${d.priority})`
      : undefined,
  'machine-state.changed': (d) => (d.state === 'unplanned-stop' ? `${d.device} has stopped` : undefined),
  'incident.opened': (d) => `incident ${d.number} is open, its room has the crew in it`,
  'page.sent': (d) => (d.name ? `page sent to ${d.name}` : undefined),
  'incident.accepted': (d) => (d.name ? `${d.name} is on the way` : 'the incident is accepted'),
  'incident.restored': (d) => `incident ${d.number} is restored, proven by the machine's own state`,
  'work-order.done': (d) => `work order ${d.number} is done; the plant repairs ${d.device}`,
  'retro.drafted': (d) => `retro ${d.number} is drafted`,
}

/** An event in the words of the terminal; undefined for one that tells no story. */
export function storyOf(event: Pick<StreamEvent, 'event' | 'data'>): string | undefined {
  return WORDS[event.event]?.(event.data)
}
