/** People who take turns of equal length; the first turn begins at `startsAt`. */
export interface Rotation {
  readonly startsAt: Date
  readonly turnHours: number
  readonly people: readonly string[]
}

/** Somebody stands in for whoever would be on duty. */
export interface Override {
  readonly person: string
  readonly from: Date
  readonly to: Date
}

/** One turn of one person, `to` exclusive. */
export interface Turn {
  readonly person: string
  readonly from: Date
  readonly to: Date
}

const HOUR_MS = 3_600_000

/** The turn that holds `at`; undefined before the rotation starts, and for a rotation without people. */
export function turnAt(rotation: Rotation, at: Date): Turn | undefined {
  const turnMs = rotation.turnHours * HOUR_MS
  const index = Math.floor((at.getTime() - rotation.startsAt.getTime()) / turnMs)
  const person = rotation.people[index % rotation.people.length]
  if (index < 0 || person === undefined) return undefined
  const from = new Date(rotation.startsAt.getTime() + index * turnMs)
  return { person, from, to: new Date(from.getTime() + turnMs) }
}

/** Turns that touch [from, to), in order; overrides are not applied. */
export function turnsBetween(rotation: Rotation, from: Date, to: Date): Turn[] {
  const turns: Turn[] = []
  let at = from < rotation.startsAt ? rotation.startsAt : from
  while (at < to) {
    const turn = turnAt(rotation, at)
    if (!turn) return turns
    turns.push(turn)
    at = turn.to
  }
  return turns
}

export interface Duty {
  readonly primary: Turn | undefined
  readonly backup: Turn | undefined
}

export interface DutyPlan {
  readonly primary: Rotation
  readonly backup: Rotation | undefined
  readonly overrides: readonly Override[]
}

/** Who is on duty at `at`: an override before the rotation; the backup is never the person who is primary. */
export function dutyAt(plan: DutyPlan, at: Date): Duty {
  const override = plan.overrides.find((o) => o.from <= at && at < o.to)
  const primary = override ?? turnAt(plan.primary, at)
  const backup = plan.backup && turnAt(plan.backup, at)
  return { primary, backup: backup?.person === primary?.person ? undefined : backup }
}
