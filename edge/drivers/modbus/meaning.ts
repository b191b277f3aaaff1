import type { LocalizedText } from '#shared/contracts/text.ts'
import type { TracedFrame } from '../driver.ts'
import type { Area, Span } from './address.ts'
import type { Exchange } from './tap.ts'

const AREA: Readonly<Record<number, Area>> = { 1: 'coil', 2: 'discrete', 3: 'holding', 4: 'input' }

/** A span as a profile that counts from 0 writes it: `holding:100`, `holding:100–103`. */
export const nameOf = ({ area, start, width }: Span): string =>
  width === 1 ? `${area}:${start}` : `${area}:${start}–${start + width - 1}`

/** A frame with its unit number before it, and what it means. */
export function tracedFrame(exchange: Exchange): Omit<TracedFrame, 'at'> {
  const { direction, unit } = exchange
  if (direction === 'failed')
    return { direction, bytes: Buffer.of(), meaning: { en: exchange.why, 'zh-CN': exchange.why } }
  const bytes = Buffer.concat([Buffer.of(unit), exchange.pdu])
  const meaning = direction === 'sent' ? requestMeaning(exchange.pdu) : replyMeaning(exchange.pdu, exchange.request)
  return { direction, bytes, meaning }
}

const number = (pdu: Buffer, at: number): number => (pdu.length >= at + 2 ? pdu.readUInt16BE(at) : 0)

function requestMeaning(pdu: Buffer): LocalizedText {
  const code = pdu[0] ?? 0
  const area = AREA[code]
  if (area !== undefined) {
    const name = nameOf({ area, start: number(pdu, 1), width: number(pdu, 3) })
    return { en: `read ${name}`, 'zh-CN': `读取 ${name}` }
  }
  const name = writtenName(code, pdu)
  if (name === undefined) return { en: `function ${code}`, 'zh-CN': `功能码 ${code}` }
  return { en: `write ${name}`, 'zh-CN': `写入 ${name}` }
}

/** What a write means; undefined for a function that is none. */
function writtenName(code: number, pdu: Buffer): string | undefined {
  const start = number(pdu, 1)
  if (code === 5) return `coil:${start} = ${number(pdu, 3) === 0 ? 0 : 1}`
  if (code === 6) return `holding:${start} = ${number(pdu, 3)}`
  if (code === 15) return nameOf({ area: 'coil', start, width: number(pdu, 3) })
  if (code === 16) return `${nameOf({ area: 'holding', start, width: number(pdu, 3) })} = ${registersIn(pdu, 6)}`
  if (code === 22) return `holding:${start} & ${hex4(number(pdu, 3))} | ${hex4(number(pdu, 5))}`
  return undefined
}

function replyMeaning(pdu: Buffer, request: Buffer): LocalizedText {
  const code = pdu[0] ?? 0
  if (code > 0x80) return { en: `refused with exception ${pdu[1] ?? 0}`, 'zh-CN': `拒绝，异常码 ${pdu[1] ?? 0}` }
  const area = AREA[code]
  if (area === undefined) return { en: 'confirmed', 'zh-CN': '已确认' }
  const isBits = area === 'coil' || area === 'discrete'
  const values = isBits ? bitsIn(pdu, number(request, 3)) : registersIn(pdu, 2)
  return { en: values, 'zh-CN': values }
}

const hex4 = (register: number) => register.toString(16).padStart(4, '0')

function registersIn(pdu: Buffer, from: number): string {
  const many = Math.max(0, Math.floor((pdu.length - from) / 2))
  return Array.from({ length: many }, (_, i) => pdu.readUInt16BE(from + i * 2)).join(' ')
}

function bitsIn(pdu: Buffer, count: number): string {
  return Array.from({ length: count }, (_, i) => ((pdu[2 + (i >> 3)] ?? 0) >> (i & 7)) & 1).join(' ')
}
