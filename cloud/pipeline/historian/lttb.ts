/**
 * Chooses `points` (3 or more) of the values so that their line looks like the whole: largest triangle, three buckets
 * (S. Steinarsson, "Downsampling Time Series for Visual Representation", 2013). Times ascend; values are finite. Returns the
 * chosen places in order, the first and the last always among them; all of them where there are no more.
 */
export function lttb(at: Float64Array, value: Float64Array, points: number): Uint32Array {
  const count = at.length
  if (count <= points) return Uint32Array.from({ length: count }, (_, place) => place)
  const chosen = new Uint32Array(points)
  const width = (count - 2) / (points - 2)
  const startOf = (bucket: number) => Math.min(count - 1, 1 + Math.floor(bucket * width))
  for (let bucket = 0; bucket < points - 2; bucket++) {
    const [start, end] = [startOf(bucket), startOf(bucket + 1)]
    // Behind the last bucket stands the last value alone.
    const ahead = middleOf(at, value, end, Math.max(end + 1, startOf(bucket + 2)))
    const left = chosen[bucket] as number
    chosen[bucket + 1] = farthest({ at, value, start, end }, [at[left] as number, value[left] as number], ahead)
  }
  chosen[points - 1] = count - 1
  return chosen
}

type Point = readonly [at: number, value: number]

function middleOf(at: Float64Array, value: Float64Array, start: number, end: number): Point {
  let [times, values] = [0, 0]
  for (let place = start; place < end; place++) {
    // Relative to the first time, so that no digit is lost in the sum.
    times += (at[place] as number) - (at[start] as number)
    values += value[place] as number
  }
  return [(at[start] as number) + times / (end - start), values / (end - start)]
}

interface Bucket {
  readonly at: Float64Array
  readonly value: Float64Array
  readonly start: number
  readonly end: number
}

/** The place in the bucket whose triangle with both points is largest; the first of several. */
function farthest({ at, value, start, end }: Bucket, [leftAt, left]: Point, [aheadAt, ahead]: Point): number {
  let [best, most] = [start, -1]
  for (let place = start; place < end; place++) {
    const area = Math.abs(
      (aheadAt - leftAt) * ((value[place] as number) - left) - ((at[place] as number) - leftAt) * (ahead - left),
    )
    if (area <= most) continue
    most = area
    best = place
  }
  return best
}
