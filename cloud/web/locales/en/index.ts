import { edges } from './edges.ts'
import { screens } from './screens.ts'
import { words } from './words.ts'

export const texts = { words, ...screens, edges } as const
