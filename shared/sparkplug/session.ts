/** The sequence number after `seq`: one count over node and devices, modulo 256, NBIRTH is 0. */
export const nextSeq = (seq: number): number => (seq + 1) & 0xff

/** The birth-death number of the next CONNECT: wraps from 255 to 0. */
export const nextBdSeq = (bdSeq: number): number => (bdSeq + 1) & 0xff

/** How many messages are missing between the last sequence number and this one; 0 when it is the next. */
export const missingBefore = (last: number, seq: number): number => (seq - last - 1 + 512) & 0xff
