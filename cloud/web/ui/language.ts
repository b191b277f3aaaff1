import { useTranslation } from 'react-i18next'
import type { LocalizedText } from '#shared/contracts/text.ts'
import { useServerNow } from '../api/server-time.ts'
import { type Language, readIn } from '../locales/i18n.ts'
import { formatTime } from './format.ts'

/** The texts and the language in use. */
export function useTexts() {
  const { t, i18n } = useTranslation()
  const language: Language = i18n.language === 'zh-CN' ? 'zh-CN' : 'en'
  return {
    t,
    language,
    /** A text of the plant in the reader's language. */
    read: (text: LocalizedText | string) => readIn(language, text),
    /** Time of day in the viewer's zone. */
    time: (at: string | number, seconds = true) => formatTime(at, language, Date.now(), seconds),
  }
}

/** The same with the second hand: redraws every second. */
export function useTextsAndNow() {
  return { ...useTexts(), now: useServerNow() }
}
