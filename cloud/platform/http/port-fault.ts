import { ConfigError } from '#shared/config/config-error.ts'

/** A taken or forbidden port as a fault of the setting that names it; anything else as it was. */
export function portFault(error: unknown, setting: string, port: number): unknown {
  const code = (error as NodeJS.ErrnoException).code ?? ''
  const words: Record<string, string> = {
    EADDRINUSE: 'is in use by another program',
    EACCES: 'is not allowed for this user',
  }
  const found = words[code]
  if (!found) return error
  const fix = `set ${setting} to another port, or to 0 for any free one`
  return new ConfigError([
    { file: 'environment', path: setting, found: `${port}, which ${found}`, expected: 'a free port', fix },
  ])
}
