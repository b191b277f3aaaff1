import { NotConnectedError, WriteError } from '../driver.ts'
import type { Answer, Request } from './messages.ts'

/** Questions that a link's server has been asked and not answered yet. */
export interface Asking {
  /** Throws WriteError when it was refused, NotConnectedError when nobody knows or the signal aborts. */
  ask(request: Request, signal: AbortSignal): Promise<unknown>
  answered(id: number, answer: Answer): void
  /** The link is lost: nobody will answer. */
  lose(error: NotConnectedError): void
}

interface Question {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
}

/** `send` carries a question to the worker process. */
export function createAsking(send: (id: number, request: Request) => void): Asking {
  const questions = new Map<number, Question>()
  let last = 0
  return {
    async ask(request, signal) {
      const id = ++last
      const { promise, resolve, reject } = Promise.withResolvers<unknown>()
      const onAbort = () => reject(new NotConnectedError('silent', 'No answer in time; nobody knows what became of it'))
      signal.addEventListener('abort', onAbort, { once: true })
      questions.set(id, { resolve, reject })
      send(id, request)
      if (signal.aborted) onAbort()
      return promise.finally(() => {
        questions.delete(id)
        signal.removeEventListener('abort', onAbort)
      })
    },
    answered(id, answer) {
      const question = questions.get(id)
      if (answer.outcome === 'done') question?.resolve(answer.value)
      else if (answer.outcome === 'refused') question?.reject(new WriteError(answer.message))
      else question?.reject(new NotConnectedError('other', answer.message))
    },
    lose(error) {
      for (const { reject } of questions.values()) reject(error)
    },
  }
}
