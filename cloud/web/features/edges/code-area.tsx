import { type KeyboardEvent, type Ref, useImperativeHandle, useRef } from 'react'

/** Puts the cursor on a line, counted from 1, and shows it. */
export type GoToLine = (line: number) => void

interface Props {
  readonly label: string
  readonly text: string
  /** Lines with a fault. */
  readonly marked: ReadonlySet<number>
  readonly goTo: Ref<GoToLine>
  readonly onChange: (text: string) => void
}

/** Height of a line in px; the style sheet says the same. */
const LINE_PX = 20
const MOST_ROWS = 32

/** A field for text of lines, with their numbers. Tab leaves it as any field. */
export function CodeArea({ label, text, marked, goTo, onChange }: Props) {
  const field = useRef<HTMLTextAreaElement>(null)
  const numbers = useRef<HTMLDivElement>(null)
  const count = text.split('\n').length
  useImperativeHandle(goTo, () => (line) => {
    const start =
      text
        .split('\n')
        .slice(0, line - 1)
        .join('\n').length + (line > 1 ? 1 : 0)
    const end = text.indexOf('\n', start)
    field.current?.focus()
    field.current?.setSelectionRange(start, end < 0 ? text.length : end)
    if (field.current) field.current.scrollTop = Math.max(0, (line - 4) * LINE_PX)
    field.current?.scrollIntoView({ block: 'nearest' })
  })
  return (
    <div className="code-area">
      <div ref={numbers} className="code-numbers" aria-hidden="true">
        {Array.from({ length: count }, (_, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a line is its number.
          <div key={i} className={marked.has(i + 1) ? 'code-marked' : undefined}>
            {marked.has(i + 1) ? '! ' : ''}
            {i + 1}
          </div>
        ))}
      </div>
      <textarea
        ref={field}
        className="code-field"
        aria-label={label}
        aria-invalid={marked.size > 0}
        rows={Math.min(MOST_ROWS, Math.max(12, count + 1))}
        wrap="off"
        spellCheck={false}
        autoCapitalize="none"
        autoComplete="off"
        value={text}
        onChange={(event) => onChange(event.target.value)}
        onKeyDown={indentNext}
        onScroll={(event) => {
          if (numbers.current) numbers.current.scrollTop = event.currentTarget.scrollTop
        }}
      />
    </div>
  )
}

/** Enter begins the next line where this one begins, as YAML wants it; the browser's undo knows of it. */
function indentNext(event: KeyboardEvent<HTMLTextAreaElement>): void {
  if (event.key !== 'Enter' || event.nativeEvent.isComposing) return
  const { value, selectionStart } = event.currentTarget
  const line = value.slice(value.lastIndexOf('\n', selectionStart - 1) + 1, selectionStart)
  const indent = /^ */.exec(line)?.[0] ?? ''
  if (indent === '') return
  event.preventDefault()
  document.execCommand('insertText', false, `\n${indent}`)
}
