/** Begins the thread of the machine side: with compiled code kept it does without the type stripper, 20 MB in each thread. */
import { enableCompileCache } from 'node:module'

enableCompileCache()
await import('./work.ts')
