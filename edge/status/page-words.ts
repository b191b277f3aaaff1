import { EN, type Words } from './locales/en.ts'
import { ZH } from './locales/zh-cn.ts'
import type { QualityWord } from './tags.ts'
import type { Language } from './words.ts'

export type { Words } from './locales/en.ts'

/** The page's words in a language. */
export const wordsIn = (language: Language): Words => (language === 'zh-CN' ? ZH : EN)

/** The word of a quality. */
export const qualityIn = (quality: QualityWord, words: Words): string => words[quality]
