import { type ProfileTag, REGISTER_WIDTHS } from '../contracts/device-profile.ts'
import type { Issue } from './check-value.ts'

/** Faults of what a tag says about writing, and of its byte order. */
export function checkWriting(tag: ProfileTag, index: number): Issue[] {
  return [...checkPlace(tag, index), ...checkRules(tag, index), ...checkOrder(tag, index)]
}

function checkPlace({ writable, write, address }: ProfileTag, index: number): Issue[] {
  if (write && writable !== true) {
    const expected = "'writable: true' beside it, because nothing is written without"
    return [{ path: ['tags', index, 'write'], at: 'key', expected, fix: "add 'writable: true', or remove 'write'" }]
  }
  if (writable !== true || !/^(input|discrete):/.test(address)) return []
  const expected = 'holding:… or coil:…, because Modbus cannot write input registers and discrete inputs'
  return [
    { path: ['tags', index, 'writable'], found: address, expected, fix: "correct the address, or remove 'writable'" },
  ]
}

function checkRules(tag: ProfileTag, index: number): Issue[] {
  const { type, write } = tag
  if (!write) return []
  const isOrdered = type !== 'string' && type !== 'bit'
  const strangers = NUMBERS.filter((key) => write[key] !== undefined && !isOrdered)
  const issues = strangers.map((key): Issue => {
    const expected = `no '${key}', because a ${type} has no order`
    return { path: ['tags', index, 'write', key], at: 'key', expected, fix: `remove '${key}'` }
  })
  return [...issues, ...checkBounds(tag, index)]
}

function checkBounds({ write = {}, range }: ProfileTag, index: number): Issue[] {
  const [low, high] = [write.min ?? range?.[0], write.max ?? range?.[1]]
  if (low === undefined || high === undefined || low <= high) return []
  const path = ['tags', index, 'write', write.min === undefined ? 'max' : 'min']
  return [{ path, found: `${low} to ${high}`, expected: 'min not above max', fix: 'correct min, max or range' }]
}

const NUMBERS = ['min', 'max', 'step', 'tolerance'] as const

function checkOrder({ type, wordOrder, packing }: ProfileTag, index: number): Issue[] {
  const issues: Issue[] = []
  if (wordOrder?.length === 8 && REGISTER_WIDTHS[type] !== 4) {
    const expected = `ABCD, CDAB, BADC or DCBA, because ${type} has not 64 bits`
    issues.push({ path: ['tags', index, 'wordOrder'], found: wordOrder, expected, fix: 'write four letters' })
  }
  if (packing !== undefined && type !== 'string') {
    const expected = `'wordOrder', because packing is of a string and the type is ${type}`
    issues.push({ path: ['tags', index, 'packing'], at: 'key', expected, fix: "remove 'packing'" })
  }
  return issues
}
