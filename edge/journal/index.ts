export { JOURNAL_DEFAULTS, JournalConfig } from './config.ts'
export * from './journal.ts'
