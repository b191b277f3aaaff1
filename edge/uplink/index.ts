export { UplinkConfig } from './config.ts'
export type { Redial } from './connection.ts'
export { startUplink } from './start.ts'
export type {
  CommandOutcome,
  ConfigurationAsk,
  EdgeCommand,
  NodeFacts,
  RunningConfiguration,
  TagWrite,
  Uplink,
  UplinkOptions,
  UplinkStatus,
} from './uplink.ts'
