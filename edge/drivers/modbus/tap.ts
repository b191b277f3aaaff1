/** A request as it is sent, its reply, or why there is none. */
export type Exchange =
  | { readonly direction: 'sent'; readonly unit: number; readonly pdu: Buffer }
  | { readonly direction: 'received'; readonly unit: number; readonly pdu: Buffer; readonly request: Buffer }
  | { readonly direction: 'failed'; readonly unit: number; readonly why: string }

export type OnExchange = (exchange: Exchange) => void

/** Somebody who looks at what goes to and comes from one unit. */
export interface Tap {
  readonly unit: number
  readonly onExchange: OnExchange
}

/** Tells the taps of a request that was just sent, and what becomes of it. */
export async function tapped(
  taps: ReadonlySet<Tap>,
  { unit, pdu }: { readonly unit: number; readonly pdu: Buffer },
  reply: Promise<Buffer>,
): Promise<Buffer> {
  tell(taps, { direction: 'sent', unit, pdu })
  try {
    const got = await reply
    tell(taps, { direction: 'received', unit, pdu: got, request: pdu })
    return got
  } catch (error) {
    tell(taps, { direction: 'failed', unit, why: error instanceof Error ? error.message : String(error) })
    throw error
  }
}

function tell(taps: ReadonlySet<Tap>, exchange: Exchange): void {
  for (const tap of taps) if (tap.unit === exchange.unit) tap.onExchange(exchange)
}
