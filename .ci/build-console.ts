/** Builds the console into cloud/web/dist. With `--if-possible` a production install, which has no Vite, is left alone. */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const CONFIG = fileURLToPath(new URL('../cloud/web/vite.config.ts', import.meta.url))

function hasVite(): boolean {
  try {
    createRequire(import.meta.url).resolve('vite')
    return true
  } catch {
    return false
  }
}

const canBuild = hasVite() && existsSync(CONFIG)
if (!canBuild && process.argv.includes('--if-possible')) process.exit(0)
if (!canBuild) throw new Error('Vite is not installed: run `npm ci` with development packages, then again.')
const { build } = await import('vite')
await build({ configFile: CONFIG, logLevel: 'warn' })
