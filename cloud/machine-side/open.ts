import type { CloudConfig } from '../config.ts'
import { type Pipeline, type PipelineOptions, startPipeline } from '../pipeline/index.ts'
import { openTls, type Tls } from '../tls.ts'

export interface MachineSideOptions extends Pick<PipelineOptions, 'db' | 'clock' | 'log' | 'metrics'> {
  readonly config: CloudConfig
}

/** Starts the pipeline as the configuration says, with the certificate of its TLS port. Throws ConfigError; leaves nothing open. */
export async function openMachineSide({ config, ...given }: MachineSideOptions): Promise<Pipeline> {
  const { dataDir, profilesDir, influx: externalHistory } = config
  const tls = await openTls(config, given.clock, given.log)
  try {
    const mqtt = mqttOf(config, tls)
    const limits = config.reorderMs === undefined ? {} : { limits: { reorderMs: config.reorderMs } }
    const pipeline = await startPipeline({ ...given, dataDir, profilesDir, externalHistory, mqtt, ...limits })
    return {
      ...pipeline,
      async close() {
        await pipeline.close()
        tls.certificate.close()
      },
    }
  } catch (error) {
    tls.certificate.close()
    throw error
  }
}

/** Plain MQTT stays on loopback; with TLS it listens where ANDON_BIND says, and takes edges by certificate. */
const mqttOf = (config: CloudConfig, { certificate, authority }: Tls) => ({
  ...{ host: config.host, port: config.mqttPort, limits: config.mqttLimits, external: config.mqttBroker },
  tls: { host: config.bind, port: config.mqttsPort, certificate, clientAuthority: authority.rootPem },
})
