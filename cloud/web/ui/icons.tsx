/** Glyphs of 16 px in the colour of the text around them; always beside a word or inside a labelled control. */
const PATHS = {
  board: 'M2 2h5v5H2zM9 2h5v3H9zM9 7h5v7H9zM2 9h5v5H2z',
  alarms: 'M8 1.5a4 4 0 0 0-4 4V9l-1.5 2.5h11L12 9V5.5a4 4 0 0 0-4-4zM6.3 13h3.4a1.7 1.7 0 0 1-3.4 0z',
  trends: 'M2 2v12h12M4 10.5l3-4 2.5 2.5L14 4',
  assets: 'M6.5 2h3v3h-3zM2 11h3v3H2zM11 11h3v3h-3zM8 5v3M3.5 11V8h9v3',
  incidents: 'M8 2l6.5 11.5h-13zM8 6.5v3.5M8 11.5v.5',
  inbox: 'M2 9l2-6h8l2 6v4H2zM2 9h3.5l1 2h3l1-2H14',
  work: 'M10 2.5a3.5 3.5 0 0 0-3.3 4.7L2 12l2 2 4.8-4.7A3.5 3.5 0 0 0 13.5 5l-2.2 1.5-1.8-1.800L11 2.600z',
  retros: 'M3 2h7l3 3v9H3zM10 2v3h3M5.5 8h5M5.5 11h5',
  edges: 'M2 5h12v6H2zM4 11v2M12 11v2M4.5 8h.5M7 8h.5M9 8h3M8 5V2.5',
  menu: 'M2 4h12M2 8h12M2 12h12',
  close: 'M3.5 3.5l9 9M12.5 3.5l-9 9',
  chevron: 'M6 3l5 5-5 5',
  back: 'M10 3L5 8l5 5',
  plus: 'M8 3v10M3 8h10',
  send: 'M8 13V3M4 7l4-4 4 4',
  phone: 'M4 2l2.5 3L5 6.5c.8 2 2.5 3.7 4.5 4.5L11 9.5l3 2.5c0 1.5-1 2-2.5 2C7 13.5 2.5 9 2 4.5 2 3 2.5 2 4 2z',
  user: 'M8 2a3 3 0 1 1 0 6 3 3 0 0 1 0-6zM2.5 14c.5-3 2.5-4.5 5.5-4.5s5 1.5 5.5 4.5',
  collapse: 'M9 3L4 8l5 5M13 3L8 8l5 5',
  expand: 'M7 3l5 5-5 5M3 3l5 5-5 5',
  print: 'M4 6V2h8v4M4 12H2V6h12v6h-2M4 9.5h8V14H4z',
  clock: 'M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2zM8 4.5V8l2.5 2',
  lock: 'M4 7h8v7H4zM5.5 7V4.5a2.5 2.5 0 0 1 5 0V7',
  check: 'M3 8.5l3.5 3.5L13 4.5',
} as const

export type IconName = keyof typeof PATHS

export function Icon({ name, size = 16 }: { readonly name: IconName; readonly size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 16 16" aria-hidden="true" focusable="false" className="icon">
      <path
        d={PATHS[name]}
        fill="none"
        stroke="currentColor"
        strokeWidth="1.5"
        strokeLinejoin="round"
        strokeLinecap="round"
      />
    </svg>
  )
}
