/** Why a tag is bad that a device has by its profile and does not measure. */
export const NOT_MEASURED = 'the device says that it does not measure this'

export interface FaultCount {
  /** Tags that are bad by a fault that somebody can mend. */
  readonly bad: number
  /** One of them with its reason. */
  readonly first: readonly [tag: string, reason: string] | undefined
  /** Tags that the device does not measure: no fault. */
  readonly notMeasured: number
}

/** Counts bad tags by what can be done about them; a device may have thousands. */
export function countFaults(faults: ReadonlyMap<string, string>): FaultCount {
  let notMeasured = 0
  let first: FaultCount['first']
  for (const fault of faults) {
    if (fault[1] === NOT_MEASURED) notMeasured += 1
    else first ??= fault
  }
  return { bad: faults.size - notMeasured, first, notMeasured }
}
