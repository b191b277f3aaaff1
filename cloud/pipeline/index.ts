export { hashEdgeSecret, hashGeneratedSecret } from './broker/secret.ts'
export type * from './contract.ts'
export type {
  AlarmFilter,
  AlarmLogLine,
  AlarmPointStatus,
  DetectionQueries,
  MachineStateChanged,
  MachineStateInterval,
  OccurrenceStatus,
} from './detection/contract.ts'

export { type ChosenPoints, choosePoints } from './historian/chosen-points.ts'
export { type ExportPiece, type ExportQuery, exportRows } from './historian/export.ts'
export { HistoryTimeoutError } from './historian/historian.ts'
export { isUnanswered } from './remote/link.ts'
export { type PipelineOptions, startPipeline } from './start.ts'
