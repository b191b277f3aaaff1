import { parseArgs } from 'node:util'
import type { Command } from './command.ts'

/** `andon cloud`: the cloud service. */
export const command: Command = {
  help: `usage: andon cloud [--config FILE] [--roles broker,pipeline,web,worker]

Runs the cloud service with its embedded PostgreSQL, MQTT broker and history. Roles may be spread over processes that share
DATABASE_URL and ANDON_SECRET: broker and pipeline together, web and worker wherever they are wanted. A second process with the
role pipeline needs MQTT_URL and INFLUX_URL; it waits and takes over when the first one ends.

  --config FILE  behaviour as YAML; 'andon check FILE' tells its faults without starting anything
  --roles LIST   the parts that this process runs; all of them unless told

ANDON_DATA         where everything is kept (.andon/cloud)
ANDON_HTTP_PORT    console and API (8080); 0 picks a free port
ANDON_MQTT_PORT    broker for edges (1883); 0 picks a free port
ANDON_MQTTS_PORT   the same with TLS (8883); edges may show a certificate of ANDON_DATA/certificates
ANDON_BIND         where the ports with TLS listen (127.0.0.1); plain ones stay on this machine
ANDON_TLS_CERT, ANDON_TLS_KEY  PEM files of your own server certificate; else one is made and renewed
MQTT_URL           an MQTT 5 broker instead of the embedded one, e.g. mqtts://user:password@broker:8883
MQTT_CA, MQTT_CERT, MQTT_KEY   PEM files for it: its authority, a client certificate and its key
INFLUX_URL         InfluxDB or VictoriaMetrics for history instead of the embedded one; INFLUX_TOKEN, INFLUX_ORG, INFLUX_BUCKET
ANDON_PUBLIC_URL   the one origin of links and cookies (http://localhost:<HTTP port>)
ANDON_SECRET       the installation's secret; made and kept under ANDON_DATA unless given
DATABASE_URL       an existing PostgreSQL instead of the embedded one

SIGINT or SIGTERM stops it; nothing that was accepted is lost. It ends with 1 when its database ends: let whatever runs it
(the demo, systemd, a container engine) start it again.`,

  async run(args) {
    const options = { config: { type: 'string' }, roles: { type: 'string' } } as const
    const { values } = parseArgs({ args: [...args], options })
    const { runCloud } = await import('./cloud/run.ts')
    return runCloud({ file: values.config, roles: values.roles })
  },
}
