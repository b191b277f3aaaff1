import type { ProtoMetric } from '#tests/support/sparkplug-decoder.ts'
import type { WireEvent } from './capture.ts'
import { TCK_OF_NESTED_TYPES } from './edge-clause-ids.ts'
import { type Clause, changePayload, each, metricsOf, published } from './edge-events.ts'

const DATA_SET = 16
const TEMPLATE = 19

/** A metric as protobufjs shows it when it holds one of the types that Andon's edge never sends. */
type NestedMetric = ProtoMetric & { readonly dataset_value?: object; readonly template_value?: object }

const isNested = ({ datatype, dataset_value, template_value }: NestedMetric) =>
  datatype === DATA_SET || datatype === TEMPLATE || dataset_value !== undefined || template_value !== undefined

const nestedFaults = (events: readonly WireEvent[]) =>
  each(
    published(events),
    (event) => metricsOf(event).some(isNested) && `${event.message} with a data set or a template`,
  )

const holding = (value: 'dataset_value' | 'template_value'): NestedMetric => ({ name: 'nested', [value]: {} })

/** Clauses on data sets and templates. A node that sends none keeps them; that it sends none is what is seen. */
export const NESTED_CLAUSES: readonly Clause[] = [...TCK_OF_NESTED_TYPES, 'topics-nbirth-templates'].map((id) => ({
  id,
  check: nestedFaults,
  mutant: changePayload('DBIRTH', (payload) => {
    const metric = holding(id.startsWith('payloads-dataset') ? 'dataset_value' : 'template_value')
    return { ...payload, metrics: [...(payload.metrics ?? []), metric] }
  }),
}))
