import type { Priority } from '#shared/contracts/priority.ts'

/** The three looks of the console: desk by day, desk by night, and a screen on a wall. */
export type Look = 'light' | 'dark' | 'wall'

/** Every neutral and functional colour. Saturated colour belongs to priorities alone. */
export interface Palette {
  readonly bg: string
  readonly surface: string
  readonly raised: string
  readonly sunken: string
  readonly sel: string
  readonly text: string
  readonly text2: string
  readonly text3: string
  readonly border: string
  readonly ctl: string
  readonly accent: string
  readonly onAccent: string
  readonly invalid: string
  readonly ok: string
  readonly ink: string
  readonly onInk: string
  readonly run: string
  readonly uncertain: string
}

export const PALETTES: Readonly<Record<Look, Palette>> = {
  light: {
    bg: '#E6E8EA',
    surface: '#F4F5F6',
    raised: '#FFFFFF',
    sunken: '#D9DCDF',
    sel: '#CFDBE4',
    text: '#1B2127',
    text2: '#434B53',
    text3: '#565E66',
    border: '#C3C8CD',
    ctl: '#737C85',
    accent: '#27506D',
    onAccent: '#FFFFFF',
    invalid: '#9A1F63',
    ok: '#1F6344',
    ink: '#1B2127',
    onInk: '#FFFFFF',
    run: '#D3D9DE',
    uncertain: '#5A4A00',
  },
  dark: {
    bg: '#14181C',
    surface: '#1C2126',
    raised: '#272D33',
    sunken: '#0E1114',
    sel: '#2B3E4D',
    text: '#E4E8EB',
    text2: '#B7BFC6',
    text3: '#A0A8B0',
    border: '#3A424A',
    ctl: '#7F8A94',
    accent: '#93BEDD',
    onAccent: '#14181C',
    invalid: '#F29AC6',
    ok: '#7CCBA2',
    ink: '#E4E8EB',
    onInk: '#14181C',
    run: '#38414A',
    uncertain: '#E6CF7A',
  },
  wall: {
    bg: '#0A0D10',
    surface: '#13181D',
    raised: '#1D242B',
    sunken: '#050708',
    sel: '#263A49',
    text: '#F5F7F8',
    text2: '#CDD4DA',
    text3: '#B4BDC5',
    border: '#46505A',
    ctl: '#8C97A1',
    accent: '#A9D0EC',
    onAccent: '#0A0D10',
    invalid: '#FFB0D6',
    ok: '#8FDDB5',
    ink: '#F5F7F8',
    onInk: '#0A0D10',
    run: '#3A454F',
    uncertain: '#F0DB8C',
  },
}

/** A priority's colours: the fill of its mark, the numeral in it, the edge that keeps it visible, and the tint of its row. */
export interface PriorityColours {
  readonly mark: string
  readonly numeral: string
  readonly edge: string
  readonly tint: string
}

const same = (mark: string, numeral: string, tint: string): PriorityColours => ({ mark, numeral, edge: mark, tint })

export const PRIORITY_COLOURS: Readonly<Record<Look, Readonly<Record<Priority, PriorityColours>>>> = {
  light: {
    critical: same('#BA0F1B', '#FFFFFF', '#F6D5D5'),
    high: { mark: '#F28500', numeral: '#1B2127', edge: '#7A3E00', tint: '#F6DFCB' },
    medium: { mark: '#FFD21F', numeral: '#1B2127', edge: '#6B5200', tint: '#F7EBBF' },
    low: same('#6B3FA8', '#FFFFFF', '#E3DAF1'),
  },
  dark: {
    critical: same('#FF807B', '#14181C', '#43201F'),
    high: same('#FF9B45', '#14181C', '#3F2A16'),
    medium: same('#FFDB57', '#14181C', '#3B3316'),
    low: same('#C6A4F5', '#14181C', '#30274A'),
  },
  wall: {
    critical: same('#FF7C75', '#0A0D10', '#4A1B1B'),
    high: same('#FFA14F', '#0A0D10', '#452A10'),
    medium: same('#FFE066', '#0A0D10', '#40370F'),
    low: same('#D0B3FA', '#0A0D10', '#33284F'),
  },
}

/** Curve colours of a trend; each also has its own dash, so that colour never stands alone. */
export const SERIES_COLOURS: Readonly<Record<Look, readonly string[]>> = {
  light: ['#1F4E79', '#7A5A00', '#4B6B2A', '#7B3F61', '#2F6F73', '#5A4FA0'],
  dark: ['#7FB2E5', '#D9B65A', '#9CC47A', '#D79ABB', '#74C2C4', '#B3A8F0'],
  wall: ['#7FB2E5', '#D9B65A', '#9CC47A', '#D79ABB', '#74C2C4', '#B3A8F0'],
}
export const SERIES_DASHES: readonly (readonly number[])[] = [[], [8, 4], [2, 3], [10, 3, 2, 3], [5, 3], [1, 3]]

export const FONT =
  "Inter, system-ui, 'PingFang SC', 'Microsoft YaHei', 'Noto Sans SC', 'Noto Sans CJK SC', 'Segoe UI', sans-serif"

/** The custom properties of one look, as they stand on the root element. */
export function customProperties(look: Look): Readonly<Record<string, string>> {
  const neutral = Object.entries(PALETTES[look]).map(([name, value]) => [`--${name}`, value])
  const priority = Object.entries(PRIORITY_COLOURS[look]).flatMap(([name, colours]) =>
    Object.entries(colours).map(([part, value]) => [`--${name}-${part}`, value as string]),
  )
  return Object.fromEntries([...neutral, ...priority])
}
