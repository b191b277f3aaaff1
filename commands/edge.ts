import { parseArgs } from 'node:util'
import { type Command, UsageError } from './command.ts'

/** `andon edge`: the agent on a box beside the machines. */
export const command: Command = {
  help: `usage: andon edge --config FILE
       andon edge enroll --cloud URL --code CODE [--config FILE]
       andon edge certificates --config FILE [--trust THUMBPRINT | --reject THUMBPRINT]
       andon edge browse --config FILE --device NAME [--from NODE] [--depth N] [--most N] [--profile KEY] [--out FILE]

Reads the devices of FILE over Modbus TCP and OPC UA, keeps every value on disk until the cloud has it, and sends it
over MQTT as Sparkplug B.

  --config FILE  the edge's configuration; 'andon check FILE' tells its faults without starting anything

ANDON_EDGE_SECRET   password for the broker, unless FILE names another
ANDON_EDGE_PORT     port of the local page (8090); 0 picks a free one
ANDON_BIND          address on which the page listens (127.0.0.1); beyond this machine with a certificate of its own

SIGINT or SIGTERM stops it: the cloud is told, and nothing that was accepted is lost.

enroll makes a key on this box and gets it a certificate with the one-time code of the console; FILE is written when it is
not there (edge.yaml).

certificates lists the certificates of OPC UA servers that the edge has met, with who waits for a decision; a thumbprint may be
shortened to eight digits. It takes effect at the next attempt to connect.

browse writes what the OPC UA server of a device holds as a device profile, to look through before it is used: with the URI of
each namespace, all tags read-only. At most 5,000 tags and 12 levels from the Objects folder on, unless told.`,

  async run([first, ...rest]) {
    if (first === 'enroll') return (await import('./edge/enroll.ts')).enroll(rest)
    if (first === 'browse') return (await import('./edge/browse.ts')).browse(rest)
    if (first === 'certificates') return (await import('./edge/certificates.ts')).certificates(rest)
    const args = first === undefined ? [] : [first, ...rest]
    const { values } = parseArgs({ args, options: { config: { type: 'string' } } })
    if (values.config === undefined) throw new UsageError('andon edge needs --config FILE')
    const { runEdge } = await import('./edge/run.ts')
    return runEdge(values.config)
  },
}
