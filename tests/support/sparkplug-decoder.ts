import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import protobuf from 'protobufjs'

const FILE = fileURLToPath(new URL('../conformance/sparkplug/sparkplug-b.proto', import.meta.url))
const { root } = protobuf.parse(readFileSync(FILE, 'utf8'), { keepCase: true })

/** The payload message of the Sparkplug B .proto, for tests that must not trust our own codec. */
export const ProtoPayload = root.lookupType('org.eclipse.tahu.protobuf.Payload')

/** A metric as protobufjs shows it: 64-bit fields as decimal strings, absent fields absent. */
export interface ProtoMetric {
  readonly name?: string
  readonly alias?: string
  readonly timestamp?: string
  readonly datatype?: number
  readonly is_historical?: boolean
  readonly is_transient?: boolean
  readonly is_null?: boolean
  readonly properties?: {
    readonly keys: string[]
    readonly values: {
      type: number
      is_null?: boolean
      int_value?: number
      long_value?: string
      float_value?: number
      double_value?: number
      boolean_value?: boolean
      string_value?: string
    }[]
  }
  readonly int_value?: number
  readonly long_value?: string
  readonly float_value?: number
  readonly double_value?: number
  readonly boolean_value?: boolean
  readonly string_value?: string
  readonly bytes_value?: Uint8Array
}

export interface ProtoPayloadObject {
  readonly timestamp?: string
  readonly seq?: string
  readonly uuid?: string
  readonly metrics?: ProtoMetric[]
}

/** Decodes by protobufjs. @throws Error for bytes that are no payload. */
export function protoDecode(bytes: Uint8Array): ProtoPayloadObject {
  return ProtoPayload.toObject(ProtoPayload.decode(bytes), { longs: String, bytes: Uint8Array }) as ProtoPayloadObject
}

/** Encodes by protobufjs. */
export const protoEncode = (payload: ProtoPayloadObject): Uint8Array =>
  new Uint8Array(ProtoPayload.encode(ProtoPayload.fromObject(payload as Record<string, unknown>)).finish())

/** The fields of a metric of which one holds its value, whatever the type but data set and template. */
export const VALUE_FIELDS = [
  'int_value',
  'long_value',
  'float_value',
  'double_value',
  'boolean_value',
  'string_value',
  'bytes_value',
] as const
