/** Markup that is safe to send: made by html`…` alone. */
export interface Html {
  readonly markup: string
}

/** What may stand in html`…`: text is escaped, markup stays, lists are joined, nothing is nothing. */
export type Part = Html | string | number | bigint | boolean | undefined | null | readonly Part[]

/** Markup with everything put in escaped, unless it is markup itself; false, null and undefined give nothing. */
export const html = (texts: TemplateStringsArray, ...parts: readonly Part[]): Html => ({
  markup: texts.reduce((before, text, i) => before + rendered(parts[i - 1]) + text),
})

function rendered(part: Part): string {
  if (part === undefined || part === null || part === false || part === true) return ''
  if (isList(part)) return part.map(rendered).join('')
  return typeof part === 'object' ? part.markup : escaped(String(part))
}

const isList = (part: Part): part is readonly Part[] => Array.isArray(part)

const escaped = (text: string) =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
