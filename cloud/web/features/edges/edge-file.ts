/** What a group or an edge may be called; the edge agent reads no other name. */
export const isEdgeName = (text: string): boolean => text.length <= 64 && /^[a-z0-9]+(-[a-z0-9]+)*$/.test(text)

interface Named {
  readonly group: string
  readonly edge: string
}

interface Reach {
  readonly username: string
  /** Where the console was opened: the box reaches the broker under the same name. */
  readonly host: string
}

/** An edge.yaml for the box with one example device, to be changed to the real one. */
export function edgeFileOf({ group, edge }: Named, { username, host }: Reach): string {
  return [
    'version: 1',
    `group: ${JSON.stringify(group)}`,
    `edge: ${JSON.stringify(edge)}`,
    'data: ./edge-data',
    'mqtt:',
    `  url: mqtt://${host}:1883`,
    `  username: ${JSON.stringify(username)}`,
    'devices:',
    '  - device: meter-1',
    '    profile: energy-meter',
    '    modbus:',
    '      host: 192.168.1.17',
    '      port: 502',
    '      unit: 1',
    '',
  ].join('\n')
}

/** How the agent is started on the box; the dots stand for the secret. */
export const EDGE_COMMAND = 'ANDON_EDGE_SECRET=… npx andon edge --config edge.yaml'
