/** Bytes, a topic or offsets that break the protocol: the message is counted and refused, nothing of it is used. */
export class PayloadError extends Error {
  override readonly name = 'PayloadError'
}
