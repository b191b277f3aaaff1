export { UplinkConfig } from './config.ts'
export { startUplink } from './start.ts'
export type { CommandOutcome, EdgeCommand, TagWrite, Uplink, UplinkOptions, UplinkStatus } from './uplink.ts'
