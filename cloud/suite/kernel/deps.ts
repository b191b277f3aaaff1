import type { Pipeline } from '#cloud/pipeline/index.ts'
import type { Authority } from '#cloud/platform/certificates/index.ts'
import type { Platform } from '#cloud/platform/module.ts'

/** The organisation file that is imported at start, with the secrets that no file holds. */
export interface SeedOptions {
  /** Path of the organisation file. */
  readonly file: string
  /** Password of every account of the file; absent: accounts are made without one and cannot sign in. */
  readonly password?: string | undefined
  /** Secret of every edge of the file; absent: edges are not registered. */
  readonly edgeSecret?: string | undefined
}

/** What every module of the suite is built on. */
export interface SuiteDeps extends Platform {
  readonly pipeline: Pipeline
  /** Signs boxes and their configurations; undefined where another process has it. */
  readonly authority?: Authority | undefined
  /** Where boxes find the console, known once the process listens. */
  readonly boxUrl?: (() => string) | undefined
  readonly seed?: SeedOptions | undefined
  /** A late finding calls somebody while it is this young; 15 unless told. */
  readonly latePageMinutes?: number | undefined
}
