/** A simulator cannot listen: says which port, and the setting that moves it. */
export class PortTakenError extends Error {
  override readonly name = 'PortTakenError'

  /** Turns EADDRINUSE and its like into this error; hands every other error through. */
  static from(error: unknown, at: { host: string; port: number; setting: string }): unknown {
    const text = `${(error as NodeJS.ErrnoException).code ?? ''} ${error instanceof Error ? error.message : ''}`
    if (!/EADDRINUSE|EACCES|EADDRNOTAVAIL/.test(text)) return error
    const why = text.includes('EADDRINUSE') ? 'another program listens there' : 'this user may not listen there'
    const fix = `Stop that program, or set ${at.setting} to another port (0 picks a free one)`
    return new PortTakenError(`Cannot listen on ${at.host}:${at.port}: ${why}. ${fix}.`, { cause: error })
  }
}
