import { writeFileSync } from 'node:fs'
import { TOLERANCES, type Tolerance } from '#cloud/pipeline/host/tolerances.ts'
import { CLAUSE_IDS, CLAUSES_OF_OTHERS } from './clause-ids.ts'
import { EDGE_CLAUSES, EDGE_CLAUSES_ELSEWHERE } from './edge-clauses.ts'
import { NESTED_CLAUSES } from './edge-nested.ts'
import { PRIMARY_HOST_CLAUSES } from './edge-primary-host.ts'
import { HOST_CLAUSES, HOST_CLAUSES_ELSEWHERE, type Where } from './host-table.ts'

/** Where the tables are shown. */
export const DOC = 'docs/sparkplug-conformance.md'

const SEEN: Readonly<Record<Where, string>> = {
  both: 'on both brokers',
  embedded: 'on the embedded broker',
  external: 'on mosquitto',
}

/** Rules that a CONNECT breaks, which only the broker sees. */
const WILLS: readonly Tolerance[] = ['will-qos-0', 'no-will']
const wills = () => WILLS.map((rule) => `\`${rule}\``).join(' and ')

const listed = (clauses: readonly { readonly id: string }[]) => clauses.map(({ id }) => `\`${id}\``).join(', ')

const table = (head: readonly string[], rows: readonly (readonly string[])[]) =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')

/** The tables of conformance and tolerance as Markdown. */
export function conformanceDoc(): string {
  const host = HOST_CLAUSES.map(({ id, words, where }) => [`\`${id}\``, words, SEEN[where]])
  const hostElsewhere = Object.entries(HOST_CLAUSES_ELSEWHERE).map(([id, { words, why }]) => [`\`${id}\``, words, why])
  const nested = new Set(NESTED_CLAUSES.map(({ id }) => id))
  const inLife = EDGE_CLAUSES.filter(({ id, scene }) => scene === undefined && !nested.has(id))
  const others = Object.entries(CLAUSES_OF_OTHERS).map(([id, why]) => [`\`${id}\``, why])
  const edgeElsewhere = Object.entries(EDGE_CLAUSES_ELSEWHERE).map(([id, why]) => [`\`${id}\``, why])
  const tolerances = Object.entries(TOLERANCES).map(([rule, { clause, words }]) => [
    `\`${rule}\``,
    `\`${clause}\``,
    words,
  ])
  return `# Sparkplug B 3.0: what Andon keeps, and what it puts up with

Made from the tables of the tests by \`node tests/conformance/sparkplug/conformance-doc.ts\`; a test compares. Ids are those
of the specification without \`tck-id-\`; the words are ours and short. "Tested" means: seen on the wire between the real
pipeline and real MQTT clients, with a mutant of the transcript that the check catches. A host in the broker's own process
sends no CONNECT, so its will, its session and its subscriptions are seen on an outside broker alone.

All ${Object.values(CLAUSE_IDS).flat().length} testable clauses of the specification 3.0.0 stand below: ${EDGE_CLAUSES.length + Object.keys(EDGE_CLAUSES_ELSEWHERE).length} bind an edge node, some of these a host as well, and
${Object.keys(CLAUSES_OF_OTHERS).length} neither. A test holds the tables to that list (\`tests/conformance/sparkplug/clause-ids.ts\`).

## Host application: ${HOST_CLAUSES.length} clauses tested

${table(['clause', 'the host', 'tested'], host)}

## Host application: not tested on the wire

${table(['clause', 'the host', 'why not'], hostElsewhere)}

## The embedded broker as an MQTT server

Four clauses bind a server (\`conformance-mqtt-*\`). \`qos0\` and \`qos1\` hold: the contract of the broker port publishes and
subscribes at both. \`will-messages\` and \`retained\` hold as far as Sparkplug needs them: an edge's will is its own NDEATH
at QoS 0 or 1, published when the connection breaks and dropped when the edge takes its leave, and STATE is retained. Beyond
that they do not hold, on purpose: an edge's retain flags are dropped, so that nobody hears an old birth as a new one, and
retained wills, other wills and other topics are refused. It is no Sparkplug Aware server (\`conformance-mqtt-aware-*\`): births are not kept under \`$sparkplug/certificates\`. Who needs a server
for other clients sets \`MQTT_URL\`; what a server of another make keeps is its maker's word.

## Senders that break the rules

Counted as \`andon_sparkplug_tolerances_total{rule="…"}\` and shown among the faults of the edge. Births are looked into always,
of data messages the first 32 of a session and then one in 256: a sender breaks a rule always or never. Andon's own edge breaks
none of them. ${wills()} cannot be seen on an external broker, which tells nobody about the wills of its clients.

${table(['rule', 'clause', 'the edge is admitted although'], tolerances)}

## Edge node: ${EDGE_CLAUSES.length} clauses tested

In one life (births, data, a device that dies and returns, a rebirth, a cut link, a clean stop), ${inLife.length}:
${listed(inLife)}

With a primary host, on one server and on two, ${PRIMARY_HOST_CLAUSES.length}:
${listed(PRIMARY_HOST_CLAUSES)}

Kept by sending no data set and no template, and that none is sent is what is seen, ${NESTED_CLAUSES.length}:
${listed(NESTED_CLAUSES)}

## Edge node: not tested on the wire

${table(['clause', 'why not'], edgeElsewhere)}

## Neither edge node nor host

${table(['clause', 'whom it binds'], others)}
`
}

if (import.meta.main) writeFileSync(new URL(`../../../${DOC}`, import.meta.url), conformanceDoc())
