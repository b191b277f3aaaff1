/** A table of points in Andon's own notation, which `pointOf` in models.ts reads. Texts are `English/中文`. */
export interface GroupTable {
  readonly label: string
  readonly points: string
  /**
   * How often the group stands there: as often as the length of the model allows (the default), or as the named count
   * point of the model tells; once for a group that only has a name.
   */
  readonly times?: 'once' | 'rest' | { readonly count: string }
  /** The first set is the one in force, the others are kept for later. */
  readonly isSets?: boolean
  readonly groups?: readonly GroupTable[]
}

export interface Table {
  readonly ids: readonly number[]
  /** Models with the same points as 32-bit floats and no scale factors. */
  readonly floatIds?: readonly number[]
  readonly kind: 'common' | 'inverter' | 'meter' | 'battery'
  readonly label: string
  /** Points that tell which part of the device the model is about: their values go into the names of the tags. */
  readonly index?: Readonly<Record<string, string>>
  /** The names of the tags begin with the label. */
  readonly isNamed?: boolean
  /** What changes only when somebody sets it. */
  readonly isSetting?: boolean
  readonly points: string
  readonly groups?: readonly GroupTable[]
}
