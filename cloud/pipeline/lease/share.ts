/** How many edges everybody has, as far as a member sees it. */
export interface Census {
  readonly own: number
  /** Of each other member that can be given edges. */
  readonly others: readonly number[]
  readonly unowned: number
  /** All registered edges, those of members who start, leave or are about to be declared dead included. */
  readonly total: number
}

/** What a member does next; never both. */
export interface Move {
  readonly claim: number
  readonly release: number
}

/**
 * Divides edges fairly: nobody has less than the whole part of an equal share while somebody has more. Each member decides for
 * itself; moves end when everybody has the equal share, rounded down or up.
 */
export function nextMove({ own, others, unowned, total }: Census): Move {
  const equal = total / (others.length + 1)
  const [least, most] = [Math.floor(equal), Math.ceil(equal)]
  const lackingTo = (goal: number) => others.reduce((sum, edges) => sum + Math.max(0, goal - edges), 0)
  const lacking = lackingTo(least)
  // What another one lacks is left for him: who let it go would else take it back.
  const claim = Math.min(unowned, Math.max(0, (lacking > 0 ? least : most) - own))
  if (claim > 0) return { claim, release: 0 }
  const spare = (goal: number) => Math.max(0, Math.min(own - goal, lackingTo(goal) - unowned))
  return { claim: 0, release: Math.max(spare(least), spare(most)) }
}
