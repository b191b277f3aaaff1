import type { EdgeFault } from '#shared/contracts/edge.ts'
import { useTexts } from '../../ui/language.ts'
import { useBoxWords } from './box-words.ts'

const text = (value: string | number | undefined) => (value === undefined ? undefined : String(value))

/** Words a fault of a box by its code; one that is not known is shown as the server words it. */
export function useFaultText() {
  const { t, time } = useTexts()
  const box = useBoxWords()
  /** What the box told is itself worded by its code. */
  const boxParts = ({ reason, reasonCode, error, lossKind, ...params }: EdgeFault['params']) => ({
    ...(reason === undefined ? {} : { reason: box.reason({ code: text(reasonCode), params }, String(reason)) }),
    ...(error === undefined || lossKind === undefined ? {} : { error: box.loss(text(lossKind), String(error)) }),
  })
  const loose = t as unknown as (key: string, options: Readonly<Record<string, unknown>>) => string
  return ({ code, params, detail }: EdgeFault): string => {
    const at = typeof params.at === 'string' ? { at: time(params.at) } : {}
    return loose(`edges.fault.${code}`, { ...params, ...at, ...boxParts(params), defaultValue: detail })
  }
}
