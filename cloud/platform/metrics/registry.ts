type Labels = Readonly<Record<string, string>>
type Kind = 'counter' | 'gauge'

interface Family {
  readonly kind: Kind
  readonly help: string
  readonly values: Map<string, number>
}

/** Counts and levels, told to Prometheus as text. Names are snake case without prefix; `andon_` is put before. */
export interface Metrics {
  /** Adds to a counter, e.g. `mqtt_messages_refused_total`. */
  count(name: string, by?: number, labels?: Labels): void
  gauge(name: string, value: number, labels?: Labels): void
  /** Tells a gauge no more: what it measured is gone. */
  forget(name: string, labels?: Labels): void
  /** Reads a gauge when Prometheus asks. */
  collect(name: string, read: () => number): void
  /** Prometheus text exposition format 0.0.4. */
  text(): string
}

/** Makes an empty registry. */
export function createMetrics(): Metrics {
  const families = new Map<string, Family>()
  const collected = new Map<string, () => number>()
  const family = (name: string, kind: Kind): Family => {
    const known = families.get(name)
    if (known) return known
    const made = { kind, help: name.replaceAll('_', ' '), values: new Map<string, number>() }
    families.set(name, made)
    return made
  }
  return {
    count(name, by = 1, labels = {}) {
      const { values } = family(name, 'counter')
      const key = labelText(labels)
      values.set(key, (values.get(key) ?? 0) + by)
    },
    gauge: (name, value, labels = {}) => void family(name, 'gauge').values.set(labelText(labels), value),
    forget: (name, labels = {}) => void families.get(name)?.values.delete(labelText(labels)),
    collect: (name, read) => void collected.set(name, read),
    text() {
      for (const [name, read] of collected) family(name, 'gauge').values.set('', read())
      return [...families].map(([name, f]) => exposition(`andon_${name}`, f)).join('')
    },
  }
}

function exposition(name: string, { kind, help, values }: Family): string {
  const lines = [...values].map(([labels, value]) => `${name}${labels} ${value}`)
  return `# HELP ${name} ${help}\n# TYPE ${name} ${kind}\n${lines.join('\n')}\n`
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([key, value]) => `${key}="${escaped(value)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

const escaped = (value: string) => value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
