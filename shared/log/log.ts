import { type DestinationStream, type Logger, pino } from 'pino'

export type Log = Logger

export interface LogOptions {
  /** Bound to every line, so that lines of several programs can be told apart. */
  readonly program: string
  readonly level?: 'debug' | 'info' | 'warn' | 'error' | 'silent'
  /** Where lines go; standard output unless told. */
  readonly destination?: DestinationStream
}

const SECRETS = [
  'password',
  '*.password',
  'secret',
  '*.secret',
  'token',
  '*.token',
  'headers.cookie',
  'headers.authorization',
]

/** Makes a program's root logger: one JSON line per change of state, secrets blanked. */
export function createLog({ program, level = 'info', destination }: LogOptions): Log {
  const options = {
    level,
    base: { program },
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths: SECRETS, censor: '[secret]' },
  }
  return destination ? pino(options, destination) : pino(options)
}

/** A logger that says nothing, for tests that do not read the log. */
export const silentLog: Log = pino({ level: 'silent' })
