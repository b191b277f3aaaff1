import { useState } from 'react'
import { useServerNow } from '../api/server-time.ts'
import { type LiveRows, liveRows } from './live-rows.ts'

/**
 * Live rows of a list for one filter: held while the reader has selected something or reads further down.
 * A change of `scope` starts anew.
 */
export function useLiveRows<T>(
  rows: readonly T[],
  keyOf: (row: T) => string,
  options: { readonly isHeld: boolean; readonly scope: string },
): LiveRows<T> & { readonly admit: () => void } {
  const now = useServerNow()
  const [keeper, setKeeper] = useState(() => ({ scope: options.scope, rows: liveRows(keyOf) }))
  let current = keeper
  if (keeper.scope !== options.scope) {
    current = { scope: options.scope, rows: liveRows(keyOf) }
    setKeeper(current)
  }
  const taken = current.rows.take(rows, now, options.isHeld)
  const admit = () => setKeeper({ scope: options.scope, rows: liveRows(keyOf) })
  return { ...taken, admit }
}
