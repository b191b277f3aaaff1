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
  /** Sends `{id, status, error?, code?, params?}` back to the host. */
  readonly answer: (device: string | undefined, json: string) => void
  readonly log: Log
}

export function createCommandDesk({ onCommand, answer, log }: CommandDeskOptions): CommandDesk {
  const outcomes = new Map<string, { readonly asked: string; readonly outcome: Promise<CommandOutcome> }>()
  const run = async (command: EdgeCommand): Promise<CommandOutcome> => {
    if (!onCommand) return { status: 'refused', error: 'This edge takes no commands' }
    try {
      return await onCommand(command)
    } catch (error) {
      log.warn({ err: error, device: command.device, commandId: command.id }, 'Command failed')
      return { status: 'failed', error: error instanceof Error ? error.message : String(error) }
    }
  }
  /** The same id with something else in it is left to whoever carries commands out, who refuses it. */
  const once = (command: EdgeCommand, id: string): Promise<CommandOutcome> => {
    const asked = fingerprint(command)
    const known = outcomes.get(id)
    if (known) return known.asked === asked ? known.outcome : run(command)
    const outcome = run(command)
    outcomes.set(id, { asked, outcome })
    for (const old of [...outcomes.keys()].slice(0, Math.max(0, outcomes.size - REMEMBERED))) outcomes.delete(old)
    return outcome
  }
  return {
    take: async (command) => {
      if (command.id === undefined) return void (await run(command))
      const { status, error, code, params } = await once(command, command.id)
      answer(command.device, JSON.stringify({ id: command.id, status, error, code, params }))
    },
  }
}

const fingerprint = ({ device, writes, alarmCommand }: EdgeCommand): string =>
  JSON.stringify([device, writes, alarmCommand], (_, value) => (typeof value === 'bigint' ? `${value}n` : value))
