/** Values in DER (X.690), written by hand: a library for it would cost the agent 40 MB for three kinds of messages. */

/** ecdsa-with-SHA256, RFC 5758 3.2. */
export const ECDSA_SHA256 = Buffer.from('300a06082a8648ce3d040302', 'hex')
/** id-at-commonName, X.520. */
const COMMON_NAME = Buffer.from('0603550403', 'hex')

/** One value: tag, shortest length, content. */
export function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts)
  const size = content.length
  const length = size < 0x80 ? [size] : size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 0xff]
  return Buffer.concat([Buffer.from([tag, ...length]), content])
}

export const sequence = (...parts: readonly Buffer[]): Buffer => der(0x30, ...parts)

/** A signature, and whatever else is a string of whole octets. */
export const bitString = (bytes: Buffer): Buffer => der(0x03, Buffer.from([0]), bytes)

/** A distinguished name of one common name. */
export const commonName = (text: string): Buffer =>
  sequence(der(0x31, sequence(COMMON_NAME, der(0x0c, Buffer.from(text)))))

export function pem(label: string, bytes: Buffer): string {
  const lines = bytes.toString('base64').replace(/.{64}/g, '$&\n').trimEnd()
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`
}
