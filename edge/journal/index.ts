export { JOURNAL_DEFAULTS, JournalConfig } from './config.ts'
export * from './journal.ts'
export { type JournalOptions, openJournal } from './open.ts'
