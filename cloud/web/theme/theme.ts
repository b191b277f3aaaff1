import type { ThemeConfig } from 'antd'
import { useSyncExternalStore } from 'react'
import { customProperties, FONT, type Look, PALETTES } from './tokens.ts'

/** What the person chose; `system` follows the device. */
export type ThemeChoice = 'system' | 'light' | 'dark'
export const THEME_CHOICES: readonly ThemeChoice[] = ['system', 'light', 'dark']

const KEY = 'andon.theme'
const listeners = new Set<() => void>()
const isDarkDevice = () => window.matchMedia('(prefers-color-scheme: dark)')

function read(): ThemeChoice {
  const saved = localStorage.getItem(KEY)
  return saved === 'light' || saved === 'dark' ? saved : 'system'
}

function currentLook(): Look {
  const choice = read()
  if (choice !== 'system') return choice
  return isDarkDevice().matches ? 'dark' : 'light'
}

/** Puts the tokens of the chosen look on the root element. Called once before the first drawing and on every change. */
export function applyTheme(): void {
  const look = currentLook()
  const root = document.documentElement
  root.dataset.look = look
  root.style.colorScheme = look === 'light' ? 'light' : 'dark'
  for (const [name, value] of Object.entries(customProperties(look))) root.style.setProperty(name, value)
  for (const listener of listeners) listener()
}

/** Keeps the choice on this device and applies it. */
export function chooseTheme(choice: ThemeChoice): void {
  localStorage.setItem(KEY, choice)
  applyTheme()
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  const media = isDarkDevice()
  media.addEventListener('change', applyTheme)
  return () => {
    listeners.delete(listener)
    if (listeners.size === 0) media.removeEventListener('change', applyTheme)
  }
}

/** The look in use; follows the choice and the device. */
export const useLook = (): Look => useSyncExternalStore(subscribe, currentLook)
export const useThemeChoice = (): ThemeChoice => useSyncExternalStore(subscribe, read)

/** Ant Design in our tokens: no preset colours, no shadows but on overlays, 150 ms at most. */
export function antTheme(look: Look): ThemeConfig {
  const p = PALETTES[look]
  return {
    token: {
      colorPrimary: p.accent,
      colorInfo: p.accent,
      colorLink: p.accent,
      colorSuccess: p.ok,
      colorWarning: p.uncertain,
      colorError: p.invalid,
      colorBgBase: p.raised,
      colorBgLayout: p.bg,
      colorBgContainer: p.raised,
      colorBgElevated: p.raised,
      colorTextBase: p.text,
      colorText: p.text,
      colorTextSecondary: p.text2,
      colorTextTertiary: p.text3,
      colorTextPlaceholder: p.text3,
      colorTextDisabled: p.text3,
      colorTextLightSolid: p.onAccent,
      colorBorder: p.ctl,
      colorBorderSecondary: p.border,
      colorBgContainerDisabled: p.sunken,
      controlItemBgHover: p.sel,
      controlItemBgActive: p.sel,
      fontFamily: FONT,
      fontSize: 14,
      borderRadius: 4,
      controlHeight: 32,
      motionDurationFast: '0.08s',
      motionDurationMid: '0.12s',
      motionDurationSlow: '0.15s',
      boxShadowTertiary: 'none',
      wireframe: false,
    },
    components: { Button: { primaryShadow: 'none', defaultShadow: 'none', dangerShadow: 'none', fontWeight: 500 } },
  }
}
