import type { EdgeFault } from '#shared/contracts/edge.ts'
import { useTexts } from '../../ui/language.ts'
import { useBoxReason } from './box-reason.ts'

/** Words a fault of a box by its code; one that is not known is shown as the server words it. */
export function useFaultText() {
  const { t, time } = useTexts()
  const boxReason = useBoxReason()
  const loose = t as unknown as (key: string, options: Readonly<Record<string, unknown>>) => string
  return ({ code, params, detail }: EdgeFault): string => {
    const at = typeof params.at === 'string' ? { at: time(params.at) } : {}
    const reason = typeof params.reason === 'string' ? { reason: boxReason(params.reason) } : {}
    return loose(`edges.fault.${code}`, { ...params, ...at, ...reason, defaultValue: detail })
  }
}
