import {
  deviceName,
  edgeName,
  kindOf,
  type Load,
  samplesOfTag,
  sampleValue,
  TAGS,
  tagName,
  tagNumber,
} from '../ingest/plan.ts'

/** What the engine holds of a load, against the ledger of its generator. */
export interface Comparison {
  readonly compared: number
  readonly lost: number
  readonly duplicated: number
  /** With another value than was sent, or that nobody sent. */
  readonly wrong: number
}

interface Series {
  readonly metric: Readonly<Record<string, string>>
  readonly values: readonly number[]
  readonly timestamps: readonly number[]
}

/** Reads every series of the load back from VictoriaMetrics and compares it value for value. */
export async function compareInVictoria(
  url: string,
  load: Load,
  samples: Readonly<Record<string, number>>,
): Promise<Comparison> {
  await fetch(`${url}/internal/force_flush`)
  const found = new Map<string, Series>()
  for (const name of Object.keys(samples)) {
    const match = encodeURIComponent(`tag_value{group="${load.group}",edge="${name}"}`)
    const text = await (await fetch(`${url}/api/v1/export?match[]=${match}`)).text()
    for (const line of text.split('\n').filter(Boolean)) {
      const series = JSON.parse(line) as Series
      const { edge, device, tag } = series.metric
      found.set(`${edge}/${device}/${tag}`, series)
    }
  }
  const sum = { compared: 0, lost: 0, duplicated: 0, wrong: 0 }
  for (let i = 0; i < load.edges * load.devices * TAGS; i++) {
    const [tag, device, edge] = [i % TAGS, Math.floor(i / TAGS) % load.devices, Math.floor(i / TAGS / load.devices)]
    const count = samplesOfTag(load, samples[edgeName(edge)] ?? 0, device, tag)
    const series = found.get([edgeName(edge), deviceName(device), tagName(tag)].join('/'))
    const one = compareSeries(series, count, (n) => ({
      at: load.baseAt + n * load.periodMs,
      value: sampleValue(kindOf(tag), tagNumber(load, edge, device, tag), n),
    }))
    sum.compared += count
    sum.lost += one.lost
    sum.duplicated += one.duplicated
    sum.wrong += one.wrong
  }
  return sum
}

function compareSeries(
  series: Series | undefined,
  count: number,
  sample: (n: number) => { readonly at: number; readonly value: number },
) {
  const stored = new Map<number, number>()
  let duplicated = 0
  for (const [i, at] of (series?.timestamps ?? []).entries()) {
    if (stored.has(at)) duplicated += 1
    stored.set(at, series?.values[i] ?? Number.NaN)
  }
  let [lost, wrong] = [0, 0]
  for (let n = 0; n < count; n++) {
    const { at, value } = sample(n)
    const found = stored.get(at)
    stored.delete(at)
    if (found === undefined) lost += 1
    else if (found !== value) wrong += 1
  }
  return { lost, duplicated, wrong: wrong + stored.size }
}
