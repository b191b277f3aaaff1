import { join } from 'node:path'
import { stringify } from 'yaml'
import { importedProfiles } from '#edge/config.ts'
import { AddressError, type AnyDriver } from '#edge/drivers/driver.ts'
import { replaceFile } from '#edge/management/files.ts'
import { parseProfile } from '#shared/config/profile.ts'
import type { DeviceProfile, ProfileTag } from '#shared/contracts/device-profile.ts'
import { type Answer, type Ask, download, RequestError } from './http.ts'
import { type Page, type Route, sheet } from './route.ts'
import type { StatusSources } from './snapshot.ts'
import { csvToTags, tagChanges, tagsToCsv } from './tag-csv.ts'
import { deviceStatus, deviceView } from './views/devices.ts'
import { type ImportResult, importPart } from './views/tag-file.ts'

const MOST_BYTES = 16 * 1024 * 1024

/** The tags of a device's profile as a file, out and in. */
export const tagFileRoutes: readonly Route[] = [
  { method: 'GET', path: '/devices/:device/tags.csv', rule: 'reader', handle: exportTags },
  { method: 'POST', path: '/devices/:device/tags', rule: 'action', mostBytes: MOST_BYTES, handle: importTags },
]

function profileOf(sources: StatusSources, device: string): DeviceProfile {
  const profile = sources.profiles.get(deviceStatus(sources, device).profile)
  if (!profile) throw new RequestError(404, `The profile of ${device} is not there.`)
  return profile
}

function exportTags({ params }: Ask, { sources }: Page): Answer {
  const profile = profileOf(sources, params.device ?? '')
  const name = `${profile.profile}-v${profile.version}-tags.csv`
  return download(name, 'text/csv; charset=utf-8', tagsToCsv(profile))
}

function importTags(ask: Ask, { sources, traces }: Page): Answer {
  const device = ask.params.device ?? ''
  const running = profileOf(sources, device)
  const driver = sources.drivers.get(device)
  const { profile, faults } = csvToTags(
    ask.form.get('file') ?? '',
    running,
    (tag) => driver && addressFault(driver, tag),
  )
  const isImport = ask.form.get('do') === 'import' && profile !== undefined
  if (isImport) keepProfile(sources.data, profile)
  const result: ImportResult = { faults, isImport, changes: profile && tagChanges(running, profile) }
  return sheet(ask, sources, device, deviceView(sources, traces, ask, { tagFile: importPart(result, ask) }))
}

function addressFault(driver: AnyDriver, tag: ProfileTag): string | undefined {
  try {
    driver.parseAddress(tag)
    return undefined
  } catch (error) {
    if (error instanceof AddressError) return error.message
    throw error
  }
}

/** Whole or not at all; read back first, so that a restart never finds a profile that it refuses. */
function keepProfile(data: string, profile: DeviceProfile): void {
  const file = join(importedProfiles(data), `${profile.profile}.yaml`)
  const text = stringify(profile, { lineWidth: 120 })
  parseProfile(text, file)
  replaceFile(file, text)
}
