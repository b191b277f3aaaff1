import { parseArgs } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { type Command, UsageError } from './command.ts'

/** `andon edge`: the agent on a box beside the machines. */
export const command: Command = {
  help: `usage: andon edge --config FILE
       andon edge enroll --cloud URL --code CODE [--config FILE]

Reads the devices of FILE over Modbus TCP and OPC UA, keeps every value on disk until the cloud has it, and sends it
over MQTT as Sparkplug B.

  --config FILE  the edge's configuration; 'andon check FILE' tells its faults without starting anything

ANDON_EDGE_SECRET   password for the broker, unless FILE names another
ANDON_EDGE_PORT     port of the local page (8090); 0 picks a free one

SIGINT or SIGTERM stops it: the cloud is told, and nothing that was accepted is lost.

enroll makes a key on this box and gets it a certificate with the one-time code of the console; FILE is written when it is
not there (edge.yaml).`,

  async run([first, ...rest]) {
    if (first === 'enroll') return (await import('./edge/enroll.ts')).enroll(rest)
    const args = first === undefined ? [] : [first, ...rest]
    const { values } = parseArgs({ args, options: { config: { type: 'string' } } })
    if (values.config === undefined) throw new UsageError('andon edge needs --config FILE')
    // The young generation would grow to 32 MB for garbage that 2 MB hold as well: a box beside a machine is small.
    setFlagsFromString('--semi-space-growth-factor=1')
    const { runEdge } = await import('./edge/run.ts')
    return runEdge(values.config)
  },
}
