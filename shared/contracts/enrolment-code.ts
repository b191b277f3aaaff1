/** What a one-time enrolment code carries: the secret, and the authority that the box must find behind the address. */
export interface EnrolmentCode {
  readonly secret: string
  /** SHA-256 over the root, upper-case hexadecimal with colons. */
  readonly fingerprint: string
}

const FORM = /^([A-Za-z0-9_-]{22,})\.([A-Za-z0-9_-]{43})$/

/** Writes a code as one word that can be pasted into a shell: secret, full stop, fingerprint in base64url. */
export function writeEnrolmentCode({ secret, fingerprint }: EnrolmentCode): string {
  const bytes = fingerprint.split(':').map((pair) => Number.parseInt(pair, 16))
  return `${secret}.${base64url(bytes)}`
}

/** Reads a code; undefined for a text that is none. */
export function readEnrolmentCode(text: string): EnrolmentCode | undefined {
  const [, secret, fingerprint] = FORM.exec(text.trim()) ?? []
  if (secret === undefined || fingerprint === undefined) return undefined
  const bytes = [...atob(fingerprint.replaceAll('-', '+').replaceAll('_', '/'))].map((c) => c.charCodeAt(0))
  return { secret, fingerprint: bytes.map((byte) => byte.toString(16).padStart(2, '0').toUpperCase()).join(':') }
}

const base64url = (bytes: readonly number[]): string =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace(/=+$/, '')
