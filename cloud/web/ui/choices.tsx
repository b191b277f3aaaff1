/** Chips of which one is chosen; free text stands beside them, last. */
export function Choices<K extends string | number>(props: {
  readonly label: string
  readonly options: readonly { readonly key: K; readonly text: string }[]
  readonly chosen: K | undefined
  readonly onChoose: (key: K) => void
}) {
  return (
    <fieldset className="choices" aria-label={props.label}>
      {props.options.map((option) => (
        <button
          key={option.key}
          type="button"
          className="choice"
          aria-pressed={option.key === props.chosen}
          onClick={() => props.onChoose(option.key)}
        >
          {option.text}
        </button>
      ))}
    </fieldset>
  )
}
