import type { AssetRef } from '#shared/contracts/asset.ts'
import { useTexts } from './language.ts'

/** Where: the last levels of the path by code, the whole path by name on focus and pointer. */
export function AssetPath(props: {
  readonly path: readonly AssetRef[]
  readonly asset: AssetRef | null
  readonly depth?: number
}) {
  const { read } = useTexts()
  const isLast = props.asset !== null && props.path.at(-1)?.id === props.asset.id
  const whole = props.asset && !isLast ? [...props.path, props.asset] : [...props.path]
  const shown = whole.slice(-(props.depth ?? 2))
  return (
    <span className="asset-path" title={whole.map((asset) => read(asset.name)).join(' › ')}>
      {shown.map((asset) => asset.code).join(' › ')}
    </span>
  )
}
