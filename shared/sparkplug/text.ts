import { PayloadError } from './payload-error.ts'

/** Short plain texts, the usual case, need no decoder. */
const SHORT = 24
const DECODER = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const ENCODER = new TextEncoder()

/** Reads UTF-8. @throws PayloadError when it is not. */
export function decodeText(bytes: Uint8Array): string {
  if (bytes.length > SHORT) return decodeLong(bytes)
  let text = ''
  for (const byte of bytes) {
    if (byte > 0x7f) return decodeLong(bytes)
    text += String.fromCharCode(byte)
  }
  return text
}

function decodeLong(bytes: Uint8Array): string {
  try {
    return DECODER.decode(bytes)
  } catch (error) {
    throw new PayloadError('A text is not UTF-8', { cause: error })
  }
}

export const encodeText = (text: string): Uint8Array => ENCODER.encode(text)
