/** Times of the uplink in ms; tests shorten them. */
export interface UplinkTiming {
  /** A heartbeat goes out when nothing else was sent for this long. */
  readonly heartbeatMs: number
  /** A record unacknowledged for longer, while acknowledgements come, was lost and is sent again. */
  readonly resendAfterMs: number
  /** No acknowledgement for this long while samples are unacknowledged: the link is dead. */
  readonly ackTimeoutMs: number
  /** For a host that never acknowledges: what was sent in the last so many ms is sent again after a reconnect. */
  readonly rollingMs: number
  /** First and longest pause before the next attempt to connect. */
  readonly reconnectMinMs: number
  readonly reconnectMaxMs: number
  readonly connectTimeoutMs: number
  /** How often the node tells of itself. */
  readonly reportMs: number
  /** Where there are several servers: how long one may take to say that the primary host is online there. */
  readonly hostWaitMs: number
}

export const UPLINK_TIMING: UplinkTiming = {
  heartbeatMs: 1000,
  resendAfterMs: 5000,
  ackTimeoutMs: 6000,
  rollingMs: 10_000,
  reconnectMinMs: 500,
  reconnectMaxMs: 30_000,
  connectTimeoutMs: 10_000,
  reportMs: 10_000,
  hostWaitMs: 5000,
}
