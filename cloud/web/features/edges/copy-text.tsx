import Button from 'antd/es/button'
import { useRef, useState } from 'react'
import { useTexts } from '../../ui/language.ts'

/** A text to take away. Where the browser gives no clipboard, it is selected for the keyboard. */
export function CopyText({ label, text }: { readonly label: string; readonly text: string }) {
  const { t } = useTexts()
  const [said, setSaid] = useState<string>()
  const element = useRef<HTMLPreElement>(null)
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text)
      setSaid(`✓ ${t('edges.copied')}`)
    } catch {
      if (element.current) getSelection()?.selectAllChildren(element.current)
      setSaid(t('edges.copyByHand'))
    }
  }
  return (
    <section className="stack" aria-label={label}>
      <div className="row">
        <span className="meta grow">{label}</span>
        <span className="meta" role="status">
          {said}
        </span>
        <Button onClick={() => void copy()} aria-label={`${t('edges.copy')} ${label}`}>
          {t('edges.copy')}
        </Button>
      </div>
      <pre ref={element} className="edge-copy">
        {text}
      </pre>
    </section>
  )
}
