import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Machines as Debian names them. */
export type DebianArch = 'amd64' | 'arm64'

/** What every Debian has of what the package of the edge uses, and nothing of what it brings. */
const PACKAGES = ['base-files', 'base-passwd', 'libc6', 'libstdc++6', 'dash', 'coreutils', 'tar', 'gzip', 'passwd']
const SUITE = 'bookworm'
const MIRROR = 'http://deb.debian.org/debian'
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg'
/** In Debian 12 /bin is a link; a package that has files there must not replace it. */
const UNPACK = 'dpkg-deb --fsys-tarfile "$0" | tar -x --keep-directory-symlink -C "$1"'
const DEVICES = { null: [1, 3], zero: [1, 5], random: [1, 8], urandom: [1, 9] } as const

/**
 * Makes a root directory of Debian 12 from the mirror's signed packages, as the first stage of debootstrap does: unpacked, not
 * configured, so that it is made for any machine, in seconds. Needs root.
 */
export async function makeDebianRoot(dir: string, arch: DebianArch): Promise<void> {
  for (const folder of ['usr/bin', 'usr/sbin', 'usr/lib', 'usr/lib64', 'dev', 'etc', 'proc', 'tmp'])
    mkdirSync(join(dir, folder), { recursive: true })
  for (const folder of ['bin', 'sbin', 'lib', 'lib64']) symlinkSync(`usr/${folder}`, join(dir, folder))
  for (const file of await download(`${dir}.apt`, arch)) await run('sh', ['-c', UNPACK, file, dir])
  rmSync(`${dir}.apt`, { recursive: true })
  for (const name of ['passwd', 'group'])
    cpSync(join(dir, `usr/share/base-passwd/${name}.master`), join(dir, `etc/${name}`))
  writeFileSync(join(dir, 'etc/hosts'), '127.0.0.1 localhost\n')
  for (const [name, numbers] of Object.entries(DEVICES))
    await run('mknod', ['-m', '666', join(dir, 'dev', name), 'c', ...numbers.map(String)])
}

/** Fetches the packages with all that they depend on; apt checks the signatures. */
async function download(home: string, arch: DebianArch): Promise<string[]> {
  for (const folder of ['lists/partial', 'archives/partial']) mkdirSync(join(home, folder), { recursive: true })
  writeFileSync(join(home, 'sources.list'), `deb [signed-by=${KEYRING}] ${MIRROR} ${SUITE} main\n`)
  const config = [
    ...['Dir::State', 'Dir::Cache'].map((key) => `${key} "${home}";`),
    'Dir::State::status "/dev/null";',
    `Dir::Etc::sourcelist "${home}/sources.list";`,
    'Dir::Etc::sourceparts "/dev/null";',
    `APT::Architecture "${arch}";`,
    `APT::Architectures { "${arch}"; };`,
    'APT::Install-Recommends "false";',
    'APT::Sandbox::User "root";',
    'Acquire::Languages "none";',
    'Debug::NoLocking "true";',
  ]
  writeFileSync(join(home, 'apt.conf'), `${config.join('\n')}\n`)
  const env = { ...process.env, APT_CONFIG: join(home, 'apt.conf') }
  const apt = (...args: string[]) => run('apt-get', ['-q', ...args], { env, maxBuffer: 1 << 24 })
  await apt('update')
  await apt('install', '-y', '--download-only', ...PACKAGES)
  const archives = join(home, 'archives')
  return readdirSync(archives)
    .filter((name) => name.endsWith('.deb'))
    .map((name) => join(archives, name))
}
