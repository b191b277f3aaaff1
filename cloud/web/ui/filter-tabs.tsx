import { type ReactNode, useEffect, useRef } from 'react'
import './filter-tabs.css'

export interface FilterTab<K extends string> {
  readonly key: K
  readonly label: ReactNode
}

/** One choice out of a few, kept in the URL by its owner. */
export function FilterTabs<K extends string>(props: {
  readonly label: string
  readonly tabs: readonly FilterTab<K>[]
  readonly active: K
  readonly onChange: (key: K) => void
}) {
  const element = useRef<HTMLFieldSetElement>(null)
  // On a phone the chosen one may stand beyond the edge.
  // biome-ignore lint/correctness/useExhaustiveDependencies: it is the choice that moves it.
  useEffect(() => {
    const chosen = element.current?.querySelector<HTMLElement>('.tab-active')
    if (element.current && chosen) element.current.scrollLeft = chosen.offsetLeft - 48
  }, [props.active])
  return (
    <fieldset ref={element} className="tabs" aria-label={props.label}>
      {props.tabs.map((tab) => (
        <button
          key={tab.key}
          type="button"
          className={tab.key === props.active ? 'tab tab-active' : 'tab'}
          aria-pressed={tab.key === props.active}
          onClick={() => props.onChange(tab.key)}
        >
          {tab.label}
        </button>
      ))}
    </fieldset>
  )
}
