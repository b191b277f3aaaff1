import { type Static, Type } from 'typebox'

/** ISA-18.2 operator urgency, most urgent first; the numeral in its mark is the position in this list, from 1. */
export const PRIORITIES = ['critical', 'high', 'medium', 'low'] as const
export const Priority = Type.Enum(PRIORITIES)
export type Priority = (typeof PRIORITIES)[number]

/** Impact of an incident, gravest first. Never derived from colour, never mixed up with an alarm's priority. */
export const SEVERITIES = ['S1', 'S2', 'S3', 'S4'] as const
export const Severity = Type.Enum(SEVERITIES)
export type Severity = Static<typeof Severity> & (typeof SEVERITIES)[number]

/** Whose hands a fault needs. */
export const TRADES = ['mechanical', 'electrical', 'process', 'instrument'] as const
export const Trade = Type.Enum(TRADES)
export type Trade = (typeof TRADES)[number]
