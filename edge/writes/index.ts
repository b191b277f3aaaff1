export { createWriteDesk, type WritableDevice, type WriteDesk } from './desk.ts'
export { openLedger, type WriteRecord } from './ledger.ts'
