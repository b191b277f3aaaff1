import { type Static, Type } from 'typebox'

/** A text that people read, in both languages of the product. */
export const LocalizedText = Type.Object(
  {
    en: Type.String({ minLength: 1, maxLength: 2000 }),
    'zh-CN': Type.String({ minLength: 1, maxLength: 2000 }),
  },
  { additionalProperties: false },
)
export type LocalizedText = Static<typeof LocalizedText>

/** A short machine name: lower-case words joined by hyphens, used in files, topics and URLs. */
export const Key = Type.String({ pattern: '^[a-z0-9]+(-[a-z0-9]+)*$', maxLength: 64 })
