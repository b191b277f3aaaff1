import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const dir = mkdtempSync(join(tmpdir(), 'andon-images-'))

afterAll(() => rmSync(dir, { recursive: true, force: true }))

describe.each(['cloud', 'edge'])('the files of the %s image', (target) => {
  const out = join(dir, target)

  it('are assembled by the script that the Dockerfile runs', () => {
    execFileSync(join(root, '.ci/assemble'), [target, out], {
      env: { ...process.env, ASSEMBLE_INSTALL: 'no' },
      stdio: 'pipe',
    })
    expect(existsSync(join(out, 'andon.ts'))).toBe(true)
    expect(existsSync(join(out, target === 'edge' ? 'cloud' : 'edge'))).toBe(false)
  })

  it('are enough to run the command: a missing file is told, not a missing module', () => {
    symlinkSync(join(root, 'node_modules'), join(out, 'node_modules'))
    const { status, stderr } = spawnSync(process.execPath, ['andon.ts', target, '--config', 'nowhere.yaml'], {
      cwd: out,
      encoding: 'utf8',
    })
    expect(stderr).toContain('nowhere.yaml')
    expect(stderr).not.toContain('ERR_MODULE_NOT_FOUND')
    expect(status).toBe(1)
  })
})
