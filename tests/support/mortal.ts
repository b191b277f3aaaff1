import type { Kysely } from 'kysely'

/** A database that can be taken away from a process as a kill does: what is under way may or may not be committed. */
export function mortal(db: Kysely<unknown>): { readonly db: Kysely<unknown>; kill: () => void } {
  let isDead = false
  const proxy = new Proxy(db, {
    get(target, key) {
      if (key === 'getExecutor' && isDead) throw new Error('the process is gone')
      const found: unknown = Reflect.get(target, key)
      return typeof found === 'function' ? found.bind(target) : found
    },
  })
  return {
    db: proxy,
    kill: () => {
      isDead = true
    },
  }
}
