import { type Static, Type } from 'typebox'
import { ServiceUrl } from '#shared/contracts/address.ts'

/** Section `mqtt` of edge.yaml. The password comes from the environment or a file, see edge/config.ts. */
export const UplinkConfig = Type.Object(
  {
    url: ServiceUrl(['mqtt', 'mqtts'], 'Broker, mqtt:// or mqtts:// with host and port'),
    servers: Type.Optional(
      Type.Array(ServiceUrl(['mqtt', 'mqtts'], 'Another broker of the same host'), {
        minItems: 1,
        description: 'More brokers, tried in turn when `url` fails or its primary host is offline; one at a time',
      }),
    ),
    username: Type.Optional(Type.String({ minLength: 1, description: 'Usually <group>/<edge>' })),
    password: Type.Optional(Type.String({ minLength: 1, description: 'The secret shown once at registration' })),
    caFile: Type.Optional(
      Type.String({
        description:
          'Root that signed the certificate of the broker (mqtts), in PEM: of Andon what `/ca` gives; relative to this file',
      }),
    ),
    certFile: Type.Optional(Type.String({ description: 'Client certificate (mqtts), in PEM; relative to this file' })),
    keyFile: Type.Optional(
      Type.String({ description: 'Key of the client certificate, in PEM; relative to this file' }),
    ),
    keepAliveSeconds: Type.Integer({ minimum: 5, maximum: 60, default: 10, description: 'MQTT keep-alive' }),
    acknowledgement: Type.Union([Type.Literal('required'), Type.Literal('none')], {
      default: 'required',
      description: 'none: the host is not Andon and never acknowledges; the last seconds are sent again instead',
    }),
    primaryHost: Type.Optional(
      Type.String({ description: 'Host id whose STATE must be online before anything is sent (third-party hosts)' }),
    ),
    backlogSamplesPerSecond: Type.Integer({
      minimum: 100,
      default: 50_000,
      description: 'Fastest replay of what gathered while the link was down',
    }),
  },
  { additionalProperties: false },
)
export type UplinkConfig = Static<typeof UplinkConfig>
