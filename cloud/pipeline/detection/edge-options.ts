import type { DetectionEdge } from './contract.ts'
import type { GapWork, LateGap } from './gaps.ts'
import type { MachineInterval } from './machine.ts'
import type { StoredRanges } from './marks.ts'
import type { Points } from './points.ts'
import type { Memory } from './tables.ts'
import type { Batch, EdgeMark, PointSlot } from './work.ts'

/** What the detection of one edge goes on from, and whom it tells. */
export interface EdgeOptions {
  readonly edge: DetectionEdge
  readonly points: readonly PointSlot[]
  /** Present intervals by device. */
  readonly machines: ReadonlyMap<string, MachineInterval>
  readonly memory: Memory | undefined
  /** The greatest that was written, see Memory. */
  readonly revision: number
  readonly marks: ReadonlyMap<bigint, StoredRanges>
  readonly gaps: readonly LateGap[]
  /** ms since 1970 */
  readonly clock: () => number
  /** Something must be committed at once. */
  readonly urgent: () => void
  /** Something must be committed within the checkpoint time. */
  readonly idle: () => void
  readonly changed: (slot: PointSlot, points: Points) => void
}

/** What an edge has for the next commit. */
export interface EdgeWork extends Pick<Batch, 'events' | 'points' | 'bound' | 'late' | 'machines'> {
  readonly mark: EdgeMark | undefined
  readonly gaps: GapWork
}
