import type { FoundDevice } from '#edge/drivers/modbus/sunspec/discover.ts'
import type { MadeProfile } from '#edge/drivers/modbus/sunspec/profile.ts'
import { type Html, html } from '../html.ts'
import type { Ask } from '../http.ts'
import { wordsIn } from '../page-words.ts'
import { facts, table } from './parts.ts'

/** What a device says of itself: its models and the tags that can be made of them. */
export function sunspecPart(
  { base, models, cutShort }: FoundDevice,
  { profile, leftOut }: MadeProfile,
  { language }: Ask,
): Html {
  const words = wordsIn(language)
  const rows = profile.tags.map(({ tag, name, address, unit }) => [
    html`${name[language]} <small>${tag}</small>`,
    address,
    unit ?? '',
  ])
  const columns = [words.tag, words.address, words.unit].map((head) => ({ head }))
  return html`<div role="status">${facts([
    [words.device, profile.name[language]],
    [words.sunspecModels, `${models.map(({ id }) => id).join(', ')} (${base})`],
    [words.tags, `${profile.tags.length}${leftOut > 0 ? ` (+ ${leftOut} ${words.notImplemented})` : ''}`],
    [words.lastError, cutShort],
  ])}<details><summary>${words.tags}</summary>${table(columns, rows, '')}</details><p class="quiet">${words.sunspecNext} <code>andon sunspec HOST --out profile.yaml</code></p></div>`
}
