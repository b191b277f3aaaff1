/** What `andon.ts` asks of a sub-command. */
export interface Command {
  /** Printed by `andon COMMAND --help`. */
  readonly help: string
  /** Runs to the end and returns the exit code: 0 done, 1 failed, 2 usage. Throws UsageError for a wrong argument. */
  run(args: readonly string[]): Promise<number>
}

/** The person called a command wrongly: exit 2 with the usage. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
