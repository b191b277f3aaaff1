/** The end of the year 9999, ms since 1970: a time beyond it is a fault of the sender, and no calendar or table holds it. */
export const LATEST_MS = 253_402_300_799_999
