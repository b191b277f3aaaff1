import type { Retro, RetroAction } from '#shared/contracts/retro.ts'

/** An action as it is being written; `key` is only for the screen. */
export interface DraftAction {
  readonly key: string
  readonly text: string
  readonly type: RetroAction['type']
  readonly ownerId: string
  /** Date as `YYYY-MM-DD`, empty for none. */
  readonly due: string
}

/** The prose of a retro as it is being written. */
export interface Draft {
  readonly summary: string
  readonly whys: readonly string[]
  readonly actions: readonly DraftAction[]
}

/** The prose as the server has it. */
export function draftOf(retro: Retro): Draft {
  return {
    summary: retro.summary ?? '',
    whys: retro.whys.map((why) => why.answer ?? ''),
    actions: retro.actions.map((action) => ({
      key: action.id,
      text: action.text,
      type: action.type,
      ownerId: action.owner?.id ?? '',
      due: action.dueAt?.slice(0, 10) ?? '',
    })),
  }
}

/** The draft in the shape of `PATCH /api/retros/:id`; actions without words are left out. */
export function editOf(draft: Draft) {
  return {
    summary: draft.summary,
    whys: [...draft.whys],
    actions: draft.actions
      .filter((action) => action.text.trim())
      .map((action) => ({
        text: action.text.trim(),
        type: action.type,
        ...(action.ownerId ? { ownerId: action.ownerId } : {}),
        ...(action.due ? { dueAt: `${action.due}T23:59:59.000Z` } : {}),
      })),
  }
}

/** Whether somebody wrote something that the server does not have. */
export const isChanged = (draft: Draft, retro: Retro): boolean =>
  JSON.stringify(editOf(draft)) !== JSON.stringify(editOf(draftOf(retro)))
