import { type Static, Type } from 'typebox'

const limit = (preset: number, description: string, most = 1_000_000_000) =>
  Type.Integer({ minimum: 1, maximum: most, default: preset, description })

/** What one client, one address and all together may cost the embedded broker; `mqtt.limits` in cloud.yaml. */
export const BrokerLimits = Type.Object(
  {
    connections: limit(20_000, 'Connections in all.'),
    connectionsPerAddress: limit(2000, 'Connections from one address.'),
    newConnectionsPerSecond: limit(
      200,
      'New connections from one address a second, on average; ten times as many at once.',
    ),
    failedSignIns: limit(
      20,
      'Wrong secrets from one address in a minute; beyond it only edges known to be right get in.',
    ),
    connectSeconds: limit(10, 'Time for the TLS handshake, and again for the whole CONNECT.', 600),
    keepAliveSeconds: limit(600, 'Longest keep-alive; a longer one, or none, counts as this.', 65_535),
    packetBytes: limit(4 * 1024 * 1024, 'Longest packet of an admitted edge.', 268_435_455),
    connectBytes: limit(16_384, 'Longest packet before a client is admitted.', 268_435_455),
    messagesPerSecond: limit(
      50_000,
      'Packets a second of one connection, on average over two seconds; reading waits beyond it.',
    ),
    bytesPerSecond: limit(
      100_000_000,
      'Bytes a second of one connection, on average over two seconds; reading waits beyond it.',
    ),
    controlPacketsPerSecond: limit(
      50,
      'Pings, subscriptions and their ends of one connection; beyond ten times it at once it is closed.',
    ),
    subscriptions: limit(20, 'Subscriptions of one client.'),
    unfinishedMessages: limit(100, 'QoS 2 messages of one client that wait for PUBREL.', 65_535),
    drainSeconds: limit(20, 'Time for a client to take what was written to it; then it is closed.', 3600),
  },
  { additionalProperties: false },
)
export type BrokerLimits = Readonly<Static<typeof BrokerLimits>>

/** The limits with their defaults. */
export const limitsWith = (given: Partial<BrokerLimits> = {}): BrokerLimits => ({ ...DEFAULTS, ...given })

const DEFAULTS = Object.fromEntries(
  Object.entries(BrokerLimits.properties).map(([name, schema]) => [name, (schema as { default?: number }).default]),
) as BrokerLimits
