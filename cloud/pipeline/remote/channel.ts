import type { MessagePort } from 'node:worker_threads'
import type { Answer, Question } from './messages.ts'

/** A way for messages between two threads or processes, in order, each once, until it closes. */
export interface Channel<Out, In> {
  /** Sends a structured-cloneable message; after the end of the channel it is dropped. */
  send(message: Out): void
  /** Call once, in the turn in which the channel was got: what came before is kept until then. */
  onMessage(hear: (message: In) => void): void
  /** Calls once when the channel has ended, whoever ended it. */
  onEnd(hear: (reason: string) => void): void
  close(): void
}

/** The asking end and the answering end. */
export type AskingChannel = Channel<Question, Answer>
export type AnsweringChannel = Channel<Answer, Question>

/** A channel between threads. Columns move without being copied: the sender must not use them afterwards. */
export function portChannel<Out, In>(port: MessagePort): Channel<Out, In> {
  return {
    send: (message) => port.postMessage(message, buffersOf(message)),
    onMessage: (hear) => void port.on('message', hear),
    onEnd: (hear) => void port.once('close', () => hear('the thread has ended')),
    close: () => port.close(),
  }
}

/** How deep columns lie below a message: answer, list of series, series. */
const DEPTH = 4

/** The buffers that one column fills each. */
function buffersOf(value: unknown, depth = DEPTH): ArrayBuffer[] {
  if (typeof value !== 'object' || value === null || depth === 0) return []
  if (ArrayBuffer.isView(value)) {
    const { buffer } = value
    return buffer instanceof ArrayBuffer && value.byteLength === buffer.byteLength ? [buffer] : []
  }
  const inner = Array.isArray(value) ? columnsIn(value) : Object.values(value)
  return [...new Set(inner.flatMap((item) => buffersOf(item, depth - 1)))]
}

/** Lists of values hold no columns: one look at the first tells. */
const columnsIn = (list: readonly unknown[]): readonly unknown[] => (typeof list[0] === 'object' ? list : [])
