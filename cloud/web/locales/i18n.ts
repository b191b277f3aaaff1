import i18next from 'i18next'
import { initReactI18next } from 'react-i18next'
import type { LocalizedText } from '#shared/contracts/text.ts'
import type { texts } from './en/index.ts'

/** The product's languages; both are complete. */
export type Language = 'en' | 'zh-CN'
export const LANGUAGES: Readonly<Record<Language, string>> = { en: 'English', 'zh-CN': '简体中文' }

declare module 'i18next' {
  interface CustomTypeOptions {
    defaultNS: 'translation'
    resources: { translation: typeof texts }
  }
}

const KEY = 'andon.language'

/** Each language is its own file: only the one in use is fetched. */
const TEXTS: Readonly<Record<Language, () => Promise<{ texts: object }>>> = {
  en: () => import('./en/index.ts'),
  'zh-CN': () => import('./zh-CN/index.ts'),
}

function preferred(): Language {
  const saved = localStorage.getItem(KEY)
  if (saved === 'en' || saved === 'zh-CN') return saved
  return navigator.language.startsWith('zh') ? 'zh-CN' : 'en'
}

async function load(language: Language): Promise<void> {
  if (!i18next.hasResourceBundle(language, 'translation')) {
    const loaded = await TEXTS[language]()
    i18next.addResourceBundle(language, 'translation', loaded.texts)
  }
  document.documentElement.lang = language
}

/** Makes the texts of the preferred language ready. Called once before the first drawing. */
export async function startTexts(): Promise<void> {
  const language = preferred()
  await i18next
    .use(initReactI18next)
    .init({ lng: language, fallbackLng: false, interpolation: { escapeValue: false }, resources: {} })
  await load(language)
  await i18next.changeLanguage(language)
}

/** Switches the language and keeps the choice on this device. */
export async function chooseLanguage(language: Language): Promise<void> {
  localStorage.setItem(KEY, language)
  await load(language)
  await i18next.changeLanguage(language)
}

export const currentLanguage = (): Language => (i18next.language === 'zh-CN' ? 'zh-CN' : 'en')

/** A text of the plant in the reader's language. */
export const readIn = (language: Language, text: LocalizedText | string): string =>
  typeof text === 'string' ? text : text[language]
