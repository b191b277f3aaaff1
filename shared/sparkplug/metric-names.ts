/** Metric names of the completeness contract and of Sparkplug itself; other programs rely on them, so they never change. */
export const FIRST_OFFSET = 'Andon/First Offset'
export const LAST_OFFSET = 'Andon/Last Offset'
export const EPOCH = 'Andon/Epoch'
export const ACK_OFFSET = 'Andon/Ack Offset'
export const HEARTBEAT = 'Andon/Heartbeat'
export const GAP = 'Andon/Gap'
export const ALARM_EVENT = 'Andon/Alarm Event'
export const ALARM_COMMAND = 'Andon/Alarm Command'
export const COMMAND_ID = 'Andon/Command Id'
export const COMMAND_RESULT = 'Andon/Command Result'
export const CONFIG_VERSION = 'Andon/Config Version'
export const CONFIG_HASH = 'Andon/Config Hash'
export const CONFIG_SIGNATURE = 'Andon/Config Signature'
/** The document itself, up to 64 KB; absent when it is to be fetched. */
export const CONFIG_DOCUMENT = 'Andon/Config Document'
/** Hash of the configuration that is replaced; another one at the edge is not overwritten. */
export const CONFIG_REPLACES = 'Andon/Config Replaces'
/** True: the document is checked, and nothing changed. */
export const CONFIG_DRY_RUN = 'Andon/Config Dry Run'
/** What the edge tells of itself, JSON by shared/contracts/edge-report.ts. */
export const STATUS = 'Andon/Status'
/** What a host may write of a configuration, in one NCMD. */
export const CONFIG_METRICS: readonly string[] = [
  CONFIG_VERSION,
  CONFIG_HASH,
  CONFIG_SIGNATURE,
  CONFIG_DOCUMENT,
  CONFIG_REPLACES,
  CONFIG_DRY_RUN,
]
export const BD_SEQ = 'bdSeq'
export const REBIRTH = 'Node Control/Rebirth'
/** Key of the device's profile, in its DBIRTH. */
export const PROFILE = 'Properties/Profile'

/** Property: Int32 192 good, 0 bad or uncertain, 500 stale (births only). Absent in data means good. */
export const QUALITY_PROPERTY = 'Quality'
/** Property: Int32 64 beside Quality 0 when the value is uncertain. */
export const ANDON_QUALITY_PROPERTY = 'Andon Quality'
/** Property: UInt64, the sample's own offset in a thinned record. */
export const OFFSET_PROPERTY = 'Andon Offset'
/** Property of a metric in a DCMD, of the metric's type: what the sender believes to be there now; otherwise nothing is written. */
export const EXPECTED_PROPERTY = 'Andon Expected'
/** Property: String, engineering unit. */
export const UNIT_PROPERTY = 'engUnit'
/** Quality of a tag that was not read since the edge started. */
export const STALE = 500

/** True for metrics of the protocol, which are not tags. */
export const isProtocolMetric = (name: string): boolean =>
  name === BD_SEQ || name === PROFILE || name.startsWith('Andon/') || name.startsWith('Node Control/')
