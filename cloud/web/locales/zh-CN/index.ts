import type { Texts } from '../texts.ts'
import { edges } from './edges.ts'
import { screens } from './screens.ts'
import { words } from './words.ts'

export const texts: Texts = { words, ...screens, edges }
