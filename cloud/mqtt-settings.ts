import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import type { ExternalAddress } from './pipeline/broker/external-connection.ts'

type Environment = Readonly<Record<string, string | undefined>>
/** Notes a fault of a setting: its name, what was found, what is expected, what to do. */
type TellFault = (setting: string, found: string, expected: string, fix: string) => void

/** Files of a certificate and its key that the operator keeps; undefined: of the product's own authority. */
export type TlsFiles = { readonly certFile: string; readonly keyFile: string } | undefined

/** Reads MQTT_URL with MQTT_CA, MQTT_CERT and MQTT_KEY; undefined without MQTT_URL: the embedded broker. */
export function externalBroker(env: Environment, fault: TellFault): ExternalAddress | undefined {
  const text = env.MQTT_URL
  if (!text) return undefined
  const url = URL.parse(text)
  const expected = 'an address like mqtts://user:password@broker.example:8883'
  if (!url || !['mqtt:', 'mqtts:'].includes(url.protocol) || !url.hostname) {
    fault('MQTT_URL', 'another form', expected, 'correct MQTT_URL, or unset it for the embedded broker')
    return undefined
  }
  const file = (name: string) => readPem(name, env[name], fault)
  const credentials = {
    ...(url.username && { username: decodeURIComponent(url.username) }),
    ...(url.password && { password: decodeURIComponent(url.password) }),
  }
  const [ca, cert, key] = [file('MQTT_CA'), file('MQTT_CERT'), file('MQTT_KEY')]
  return { url: `${url.protocol}//${url.host}`, ...credentials, ca, cert, key }
}

/** Reads ANDON_TLS_CERT and ANDON_TLS_KEY, which come together. */
export function tlsFiles(env: Environment, fault: TellFault): TlsFiles {
  const [certFile, keyFile] = [env.ANDON_TLS_CERT, env.ANDON_TLS_KEY]
  if (certFile && keyFile) return { certFile, keyFile }
  const missing = certFile ? 'ANDON_TLS_KEY' : 'ANDON_TLS_CERT'
  if (certFile || keyFile)
    fault(missing, 'nothing', 'a PEM file beside the other setting', `set ${missing}, or neither`)
  return undefined
}

/** Reads ANDON_BIND: where the ports with TLS listen; plain ones stay on loopback. */
export function bindAddress(env: Environment, fault: TellFault): string {
  const text = env.ANDON_BIND || '127.0.0.1'
  if (isIP(text) || text === 'localhost') return text
  const fix = 'set ANDON_BIND to 0.0.0.0 or :: for every interface, or to the address of one'
  fault('ANDON_BIND', `'${text}'`, 'an IP address of this machine', fix)
  return '127.0.0.1'
}

function readPem(setting: string, path: string | undefined, fault: TellFault): string | undefined {
  if (!path) return undefined
  try {
    const text = readFileSync(path, 'utf8')
    if (text.includes('-----BEGIN ')) return text
    fault(setting, `'${path}', which holds no PEM`, 'a PEM file', `set ${setting} to a PEM file, or unset it`)
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code ?? 'unreadable'
    fault(setting, `'${path}' (${why})`, 'a readable PEM file', `set ${setting} to a PEM file, or unset it`)
  }
  return undefined
}
