/** Begins the thread of the machine side: with compiled code kept it does without the type stripper, 20 MB in each thread. */
import { enableCompileCache, flushCompileCache } from 'node:module'

enableCompileCache()
await import('./work.ts')
// Once the pipeline stands: a process that is killed writes nothing at its end.
flushCompileCache()
