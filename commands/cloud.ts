import { parseArgs } from 'node:util'
import { CLOUD_SETTINGS } from '#cloud/settings.ts'
import type { Command } from './command.ts'

/** `andon cloud`: the cloud service. */
export const command: Command = {
  help: `usage: andon cloud [--config FILE] [--roles broker,pipeline,web,worker]

Runs the cloud service with its embedded PostgreSQL, MQTT broker and history. Roles may be spread over processes that share
DATABASE_URL and ANDON_SECRET: broker and pipeline together, web and worker wherever they are wanted. A second process with the
role pipeline needs MQTT_URL and INFLUX_URL; it waits and takes over when the first one ends.

  --config FILE  behaviour as YAML; 'andon check FILE' tells its faults without starting anything
  --roles LIST   the parts that this process runs; all of them unless told

${CLOUD_SETTINGS.map(({ name, what }) => `${name.padEnd(20)} ${what}`).join('\n')}

SIGINT or SIGTERM stops it; nothing that was accepted is lost. It ends with 1 when its database ends: let whatever runs it
(the demo, systemd, a container engine) start it again.`,

  async run(args) {
    const options = { config: { type: 'string' }, roles: { type: 'string' } } as const
    const { values } = parseArgs({ args: [...args], options })
    const { runCloud } = await import('./cloud/run.ts')
    return runCloud({ file: values.config, roles: values.roles })
  },
}
