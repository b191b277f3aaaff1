import type { CommandContext, Fact } from '#cloud/platform/door/command.ts'

/** What retros tell, past tense. */
export type RetroEvent = 'retro.drafted' | 'retro.changed' | 'retro.submitted' | 'retro.approved' | 'retro.returned'

/** Tells a fact of a retro with its cause. */
export function tell(
  context: CommandContext,
  retro: { readonly id: string; readonly cause_id: string | null },
  type: RetroEvent,
  data: Fact['data'],
): Promise<string> {
  return context.emit({ type, topics: ['retros'], recordId: retro.id, causeId: retro.cause_id ?? undefined, data })
}
