export { memoryStore } from './ledger/memory/memory-store.ts'
export { type SqliteOptions, sqliteStore } from './ledger/sqlite/sqlite-store.ts'
export {
  type Appended,
  type Cursor,
  type EntryFilter,
  type EntryPage,
  type Followed,
  type Page,
  pageLimitMax,
  type RunDetail,
  type RunFilter,
  type RunPage,
  type RunSummary,
  runCallsMax,
  type Store,
  type StoreDescription,
} from './ledger/store.ts'
