import type { PipelineMetrics } from '../contract.ts'

type Labels = Readonly<Record<string, string>>

/** What a counter or a gauge stands at. */
export interface Reading {
  readonly kind: 'count' | 'gauge'
  readonly name: string
  readonly labels: Labels
  readonly value: number
}

/** Counts where the pipeline works, to be told elsewhere. */
export interface Meter extends PipelineMetrics {
  readings(): Reading[]
}

/** Labels as text, remembered by their object: whoever counts each message gives the same one. */
const TEXTS = new WeakMap<Labels, string>()

function textOf(labels: Labels): string {
  const known = TEXTS.get(labels)
  if (known !== undefined) return known
  const text = JSON.stringify(labels)
  TEXTS.set(labels, text)
  return text
}

/** Makes an empty one. */
export function createMeter(): Meter {
  const readings = new Map<string, Reading & { value: number }>()
  const reading = (kind: Reading['kind'], name: string, labels: Labels | undefined) => {
    const key = labels ? name + textOf(labels) : name
    const known = readings.get(key)
    if (known) return known
    const made = { kind, name, labels: labels ?? {}, value: 0 }
    readings.set(key, made)
    return made
  }
  return {
    count(name, by, labels) {
      reading('count', name, labels).value += by
    },
    gauge(name, value, labels) {
      reading('gauge', name, labels).value = value
    },
    readings: () => [...readings.values()].map((one) => ({ ...one })),
  }
}

/** Readings of one meter on their way into a registry. */
export interface Readings {
  take(readings: readonly Reading[]): void
  /** A new life of the meter begins at nothing. */
  anew(): void
  /** The meter is gone for good, and its gauges with it. */
  end(): void
}

/**
 * Hands readings on to a registry that counts by steps. Counters of several meters add up; gauges do not, so each has `own` labels that
 * tell whose it is.
 */
export function readingsInto(metrics: PipelineMetrics, own: Labels = {}): Readings {
  const counted = new Map<string, number>()
  const gauges = new Map<string, { readonly name: string; readonly labels: Labels }>()
  return {
    anew: () => counted.clear(),
    end() {
      for (const { name, labels } of gauges.values()) metrics.forget?.(name, labels)
      gauges.clear()
    },
    take(readings) {
      for (const { kind, name, labels, value } of readings) {
        if (kind === 'gauge') {
          const told = { ...labels, ...own }
          gauges.set(name + JSON.stringify(labels), { name, labels: told })
          metrics.gauge(name, value, told)
        } else {
          const key = name + JSON.stringify(labels)
          metrics.count(name, value - (counted.get(key) ?? 0), labels)
          counted.set(key, value)
        }
      }
    },
  }
}
