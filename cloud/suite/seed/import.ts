import { Type } from 'typebox'
import { type EdgeRegistrationInput, hashEdgeSecret } from '#cloud/pipeline/index.ts'
import { systemActor } from '#cloud/platform/door/actor.ts'
import { type CommandContext, defineCommand } from '#cloud/platform/door/command.ts'
import { createAccount, ensureOrganisation } from '#cloud/platform/identity/accounts.ts'
import { loadOrganisation } from '#shared/config/organisation.ts'
import type { OrganisationSeed } from '#shared/contracts/organisation-seed.ts'
import { importAssets } from '../assets/index.ts'
import { type ImportedPeople, importPeople } from '../directory/index.ts'
import type { SeedOptions, SuiteDeps } from '../kernel/index.ts'
import { importSchedules } from '../on-call/index.ts'

/**
 * Imports the organisation file, in one transaction per organisation; a second import adds only what is new. Returns its edges,
 * which the machine side is to register.
 */
export async function importSeed(deps: SuiteDeps, seed: SeedOptions): Promise<EdgeRegistrationInput[]> {
  const file = loadOrganisation(seed.file)
  const { key, name } = file.organisation
  const at = new Date(deps.clock())
  const org = await deps.db.asSystem((tx) => ensureOrganisation(tx, key, name, at))
  const added = await deps.door.execute(importCommand(file, seed.password), systemActor(org, 'seed'), { key })
  if (added.people > 0) deps.log.info({ organisation: key, ...added }, 'Imported the organisation')
  return edgesOf(org, file, seed.edgeSecret)
}

function importCommand(file: OrganisationSeed, password: string | undefined) {
  return defineCommand({
    name: 'organisation.import',
    input: Type.Object({ key: Type.String() }),
    resource: () => ({ type: 'organisation' }),
    async run(context) {
      const people = await importPeople(context.tx, context.org, file, context.at)
      await addAccounts(context, people, password)
      await importAssets(context, file, people.ids)
      await importSchedules(context.tx, file, { org: context.org, at: context.at, people: people.ids })
      return { people: people.added.length, assets: file.assets.length }
    },
  })
}

/** Accounts of the people who were added now; who is there already keeps the password they have. */
async function addAccounts(
  context: CommandContext,
  people: ImportedPeople,
  password: string | undefined,
): Promise<void> {
  for (const { id, person } of people.added) {
    if (!person.account) continue
    await createAccount(context.tx, {
      org: context.org,
      personId: id,
      userName: person.account,
      name: person.name,
      roles: person.roles,
      password,
      at: context.at,
    })
  }
}

/** The file's edges with the secret of the settings; an edge keeps its own where they carry none. */
async function edgesOf(
  org: string,
  file: OrganisationSeed,
  secret: string | undefined,
): Promise<EdgeRegistrationInput[]> {
  if (secret === undefined) return []
  // The same at each start: an edge whose secret has not changed stays connected.
  const secretHash = await hashEdgeSecret(secret, `${org} edges`)
  return file.edges.map(({ group, edge, name }) => ({ org, group, edge, name, secretHash }))
}
