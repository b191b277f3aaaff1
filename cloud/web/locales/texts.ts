import type { texts } from './en/index.ts'

type Words<T> = { readonly [K in keyof T]: T[K] extends string ? string : Words<T[K]> }

/** The shape that every language fills. */
export type Texts = Words<typeof texts>
