import type { EdgeDevice, EdgeModel, TagSample } from '#edge/model.ts'
import { createTagColumns } from './tag-columns.ts'

/** The edge model with the two things that acquisition alone may do to it. */
export interface WritableModel extends EdgeModel {
  /** Remembers samples as the last ones read. */
  update(samples: readonly TagSample[]): void
  /** Tells every listener when this changes a device's life. */
  setAlive(device: string, isAlive: boolean): void
}

/** A model in which no device has answered yet. */
export function createModel(of: Pick<EdgeModel, 'group' | 'edge'> & { devices: readonly EdgeDevice[] }): WritableModel {
  const values = createTagColumns(of.devices.flatMap(({ tags }) => tags.map(({ id }) => id)))
  const alive = new Set<string>()
  const listeners = new Set<(device: string, isAlive: boolean) => void>()
  return {
    ...of,
    current: (tagId) => values.get(tagId),
    isAlive: (device) => alive.has(device),
    onDeviceChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    update(samples) {
      for (const sample of samples) values.set(sample)
    },
    setAlive(device, isAlive) {
      if (alive.has(device) === isAlive) return
      if (isAlive) alive.add(device)
      else alive.delete(device)
      for (const listener of listeners) listener(device, isAlive)
    },
  }
}
