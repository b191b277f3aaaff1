import type { ProfileTag } from '#shared/contracts/device-profile.ts'

/** A variable of a server that can be a tag. */
export interface FoundTag {
  /** Names from the starting point down to it. */
  readonly path: readonly string[]
  readonly name: string
  readonly address: string
  readonly type: ProfileTag['type']
  readonly isWritable: boolean
}

/** Types of tags by the number of the built-in type, Part 6, 5.1.2; times are ms since 1970. */
export const TAG_TYPES: Readonly<Record<number, ProfileTag['type']>> = {
  1: 'bit',
  2: 'int16',
  3: 'uint16',
  4: 'int16',
  5: 'uint16',
  6: 'int32',
  7: 'uint32',
  8: 'int64',
  9: 'uint64',
  10: 'float32',
  11: 'float64',
  12: 'string',
  13: 'int64',
  21: 'string',
}
