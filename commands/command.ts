import { ConfigError } from '#shared/config/config-error.ts'

/** The fastest that a simulated plant runs: seconds of it in one second. */
export const FASTEST = 1000

/** What `andon.ts` asks of a sub-command. */
export interface Command {
  /** Printed by `andon COMMAND --help`. */
  readonly help: string
  /** Runs to the end and returns the exit code: 0 done, 1 failed, 2 usage. Throws UsageError for a wrong argument. */
  run(args: readonly string[]): Promise<number>
}

/** Reads the value of an option as a number above 0. @throws UsageError naming the option and what was given. */
export function numberOption(name: string, text: string, most = Number.MAX_VALUE): number {
  const number = text.trim() === '' ? Number.NaN : Number(text)
  if (number > 0 && number <= most) return number
  const limit = most === Number.MAX_VALUE ? '' : `, at most ${most}`
  throw new UsageError(`--${name} is '${text}': give a number above 0${limit}`)
}

/** The lines of a command's help that say how it is called. */
export const usageOf = ({ help }: Command): string => help.split('\n\n', 1)[0] ?? ''

/** True when the fault lies in the call itself: an unknown option, a missing argument, a value that an option cannot take. */
export function isUsageFault(error: unknown): boolean {
  if (error instanceof UsageError) return true
  if (error instanceof ConfigError) return error.faults.some(({ file }) => file.startsWith('--'))
  return (error as { code?: unknown } | null)?.code?.toString().startsWith('ERR_PARSE_ARGS') ?? false
}

/** The person called a command wrongly: exit 2 with the usage. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
