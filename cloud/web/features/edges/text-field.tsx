import { useId } from 'react'

interface FieldProps {
  readonly label: string
  readonly example?: string
  /** What is wrong with the value, said while it is typed. */
  readonly fault?: string | null
  readonly value: string
  readonly onChange: (value: string) => void
}

/** One line of text with its label, and its fault while it is typed. */
export function TextField({ label, example, fault, value, onChange }: FieldProps) {
  const id = useId()
  return (
    <label className="label" htmlFor={id}>
      <span className="meta">{label}</span>
      <input
        id={id}
        className="field"
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        placeholder={example}
        aria-invalid={Boolean(fault)}
        aria-describedby={`${id}-fault`}
        value={value}
        onChange={(event) => onChange(event.target.value)}
      />
      <span id={`${id}-fault`} className="field-fault" role="status">
        {fault}
      </span>
    </label>
  )
}
