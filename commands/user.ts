import { parseArgs } from 'node:util'
import { ROLES, type Role } from '#shared/contracts/person.ts'
import { type Command, UsageError } from './command.ts'

/** `andon user`: accounts from the shell. */
export const command: Command = {
  help: `usage: andon user add NAME [--role ROLE]… [--full-name TEXT] [--organisation KEY]
       andon user reset NAME

Adds an account, or lets somebody set a new password. Prints a one-time link that holds for 24 hours. Works beside a running
cloud service and without one.

  --role ROLE         ${ROLES.join(', ')} (operator); may be repeated
  --full-name TEXT    how the person is shown (NAME)
  --organisation KEY  needed where there are several

ANDON_DATA, ANDON_SECRET and DATABASE_URL are read as by 'andon cloud'.`,

  async run(args) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        role: { type: 'string', multiple: true },
        'full-name': { type: 'string' },
        organisation: { type: 'string' },
      },
    })
    const [action, userName] = positionals
    if (!userName || !['add', 'reset'].includes(action ?? '')) throw new UsageError('say add or reset, and a user name')
    const roles = (values.role ?? ['operator']).map(checkedRole)
    const { readCloudConfig } = await import('#cloud/config.ts')
    const { addUser, resetUser } = await import('#cloud/user.ts')
    const config = readCloudConfig({})
    const name = values['full-name'] ?? userName
    const link =
      action === 'add'
        ? await addUser(config, { userName, name, roles, organisation: values.organisation })
        : await resetUser(config, userName)
    process.stdout.write(`${userName} sets the password here, once, within 24 hours:\n${link}\n`)
    return 0
  },
}

function checkedRole(role: string): Role {
  const known = ROLES.find((r) => r === role)
  if (!known) throw new UsageError(`there is no role '${role}': use ${ROLES.join(', ')}`)
  return known
}
