import type { Log } from '#shared/log/log.ts'
import type { CommandOutcome, EdgeCommand } from './uplink.ts'

/** Answers remembered, so that a command that arrives twice is carried out once. */
const REMEMBERED = 1000

/** Carries out commands once each and answers them. */
export interface CommandDesk {
  take(command: EdgeCommand): Promise<void>
}

export interface CommandDeskOptions {
  readonly onCommand: ((command: EdgeCommand) => Promise<CommandOutcome>) | undefined
  /** Sends `{id, status, error?}` back to the host. */
  readonly answer: (device: string | undefined, json: string) => void
  readonly log: Log
}

export function createCommandDesk({ onCommand, answer, log }: CommandDeskOptions): CommandDesk {
  const outcomes = new Map<string, Promise<CommandOutcome>>()
  const run = async (command: EdgeCommand): Promise<CommandOutcome> => {
    if (!onCommand) return { status: 'refused', error: 'This edge takes no commands' }
    try {
      return await onCommand(command)
    } catch (error) {
      log.warn({ err: error, device: command.device, commandId: command.id }, 'Command failed')
      return { status: 'failed', error: error instanceof Error ? error.message : String(error) }
    }
  }
  return {
    take: async (command) => {
      const known = command.id === undefined ? undefined : outcomes.get(command.id)
      const outcome = known ?? run(command)
      if (command.id === undefined) return void (await outcome)
      outcomes.set(command.id, outcome)
      for (const old of [...outcomes.keys()].slice(0, Math.max(0, outcomes.size - REMEMBERED))) outcomes.delete(old)
      const { status, error } = await outcome
      answer(command.device, JSON.stringify({ id: command.id, status, ...(error !== undefined && { error }) }))
    },
  }
}
