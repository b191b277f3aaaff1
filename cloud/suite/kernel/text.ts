import type { LocalizedText } from '#shared/contracts/text.ts'

/** Joins parts of a title in both languages. */
export function joined(separator: string, ...parts: readonly LocalizedText[]): LocalizedText {
  const of = (language: keyof LocalizedText) => parts.map((part) => part[language]).join(separator)
  return { en: of('en'), 'zh-CN': of('zh-CN') }
}

/** The same words in both languages: names of people, numbers, what somebody typed. */
export const plain = (text: string): LocalizedText => ({ en: text, 'zh-CN': text })

/** RFC 3339 UTC, or null for a moment that has not come. */
export const instant = (at: Date | null | undefined): string | null => at?.toISOString() ?? null
