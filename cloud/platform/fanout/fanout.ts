/**
 * Hints from process to process. A message reaches who listens on its channel just then, and may be lost: whoever relies on
 * what it tells reads it where it is kept. Messages of one publisher on one channel keep their order.
 */
export interface FanOut {
  /** Resolves when the message has left, or was dropped because nothing can leave now. */
  publish(channel: string, message: Buffer): Promise<void>
  /** Calls `hear` with each message, also those of this process; never within publish(). Returns the end of it. */
  subscribe(channel: string, hear: (message: Buffer) => void): () => void
  /** Calls `hear` when messages may have been missed and come again from now on. Returns the end of it. */
  onMissed(hear: () => void): () => void
  /** Why nothing can be heard now, in words; undefined when all is well. */
  fault(): string | undefined
  /** Safe to call twice. */
  close(): Promise<void>
}

/** Who listens, by channel; shared by the adapters. */
export interface Listeners {
  add(
    channel: string,
    hear: (message: Buffer) => void,
  ): { readonly isFirst: boolean; remove(): { readonly isLast: boolean } }
  tell(channel: string, message: Buffer): void
  channels(): string[]
  clear(): void
}

/** Starts without anybody. */
export function createListeners(): Listeners {
  const byChannel = new Map<string, Set<(message: Buffer) => void>>()
  return {
    add(channel, hear) {
      const own = (message: Buffer) => hear(message)
      const known = byChannel.get(channel)
      byChannel.set(channel, (known ?? new Set()).add(own))
      return {
        isFirst: known === undefined,
        remove() {
          const listeners = byChannel.get(channel)
          const isLast = listeners?.delete(own) === true && listeners.size === 0
          if (isLast) byChannel.delete(channel)
          return { isLast }
        },
      }
    },
    tell(channel, message) {
      for (const hear of [...(byChannel.get(channel) ?? [])]) hear(message)
    },
    channels: () => [...byChannel.keys()],
    clear: () => byChannel.clear(),
  }
}
