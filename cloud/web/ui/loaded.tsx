import type { UseQueryResult } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { ErrorState } from './error-state.tsx'

/** One answer of the server on the screen: skeleton until it is there, cause and next step when it cannot be had. */
export function Loaded<T>(props: {
  readonly query: UseQueryResult<T>
  readonly height?: number
  readonly children: (data: T) => ReactNode
}) {
  const { query } = props
  if (query.data !== undefined) return props.children(query.data)
  if (query.error) return <ErrorState problem={query.error} retry={() => void query.refetch()} />
  return <div className="skeleton" style={{ height: props.height ?? 120 }} aria-busy="true" />
}
