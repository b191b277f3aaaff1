import { parentPort } from 'node:worker_threads'
import { type MergeOrder, mergeBlocks } from './merge.ts'
import { type SortOrder, sortSlot } from './sort-slot.ts'

/** Sorts at once, also while a merge is under way, and merges one after the other. */
export interface SortCalls {
  sort: SortOrder
  merge: MergeOrder
}

export interface SortRequest {
  readonly id: number
  readonly call: keyof SortCalls
  readonly argument: unknown
}

/** Lets messages in: a slot that waits is sorted before the merge goes on. */
const pause = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

async function work(call: keyof SortCalls, argument: unknown): Promise<unknown> {
  return call === 'sort' ? sortSlot(argument as SortOrder) : mergeBlocks(argument as MergeOrder, pause)
}

parentPort?.on('message', async ({ id, call, argument }: SortRequest) => {
  try {
    parentPort?.postMessage({ id, result: await work(call, argument) })
  } catch (error) {
    parentPort?.postMessage({ id, error: { name: (error as Error).name, message: (error as Error).message } })
  }
})
