import { closeSync, existsSync, fstatSync, openSync, readSync, statSync } from 'node:fs'
import { type ErrorCode, sentenceOf, TaximeterError } from '../../core/errors.ts'
import { type Database, openDatabase, sqliteCodeOf } from './database.ts'
import { applicationId, migrations } from './schema.ts'

/** Smaller files are checked page by page when they are opened (some 10 ms); larger ones when a page turns out to be bad. */
const checkedBytesMax = 16 * 1024 * 1024

/**
 * Opens the ledger's file for writing; makes it where there is none.
 *
 * A file that is newer than this program (LEDGER_NEWER), not a ledger (LEDGER_FOREIGN) or damaged (LEDGER_DAMAGED) is refused and
 * left untouched, byte for byte: it is first read as plain bytes, then through a connection that cannot write.
 */
export const openFile = (path: string, durability: 'full' | 'normal', pagesMax?: number): Database => {
  const isNew = !existsSync(path) || statSync(path).size === 0
  if (!isNew) {
    inspectHeader(path)
    inspectContent(path)
  }
  try {
    const database = openDatabase(path)
    if (pagesMax !== undefined) database.exec(`PRAGMA max_page_count = ${pagesMax}`)
    migrate(database)
    // FULL: the log is flushed to the disk at every commit, so that an acknowledged entry survives a power cut. NORMAL: it is left to
    // the operating system, which keeps it when the process is killed and may lose the last moments when the power goes.
    database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${durability === 'full' ? 'FULL' : 'NORMAL'}`)
    database.exec('PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -8000; PRAGMA temp_store = MEMORY')
    return database
  } catch (cause) {
    throw explain(cause, path)
  }
}

export const openForReading = (path: string): Database => {
  try {
    const database = openDatabase(path, { readOnly: true })
    database.exec('PRAGMA cache_size = -8000; PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY')
    return database
  } catch (cause) {
    throw explain(cause, path)
  }
}

/** What SQLite says → an error of ours. */
export const explain = (cause: unknown, path: string): TaximeterError => {
  if (cause instanceof TaximeterError) return cause
  const [code, sentence] = complaintOf(sqliteCodeOf(cause), path)
  return new TaximeterError(code, `${sentence} (${sentenceOf(cause)}).`, { cause })
}

const complaintOf = (code: number, path: string): readonly [ErrorCode, string] => {
  switch (code) {
    case 5:
    case 6:
      return ['LEDGER_BUSY', `Another process holds the ledger ${path}: try again`]
    case 8:
    case 14:
      return ['LEDGER_FAILED', `The ledger ${path} cannot be opened for writing: check that its folder exists and may be written to`]
    case 11:
    case 26:
      return [
        'LEDGER_DAMAGED',
        `The ledger ${path} is damaged and was left as it is: restore it from a backup, or save what "sqlite3 ${path} .recover" finds`,
      ]
    case 13:
      return ['LEDGER_FAILED', `There is no room for the ledger ${path}: nothing of this batch was kept; make room and send it again`]
    default:
      return ['LEDGER_FAILED', `The ledger ${path} could not be used`]
  }
}

const tableNames = "'entries', 'names', 'runs', 'rollup', 'cards', 'whereabouts'"

const headerBytes = 100

const inspectHeader = (path: string): void => {
  const file = openSync(path, 'r')
  try {
    const header = Buffer.alloc(headerBytes)
    const size = fstatSync(file).size
    if (readSync(file, header, 0, headerBytes, 0) < headerBytes || header.toString('latin1', 0, 16) !== 'SQLite format 3\0')
      throw foreign(path, 'it is not a SQLite file')
    if (header.readUInt32BE(68) !== applicationId) throw foreign(path, 'it belongs to another program')
    refuseNewer(path, header.readUInt32BE(60))
    const pageBytes = header.readUInt16BE(16) === 1 ? 65_536 : header.readUInt16BE(16)
    const hasLog = existsSync(`${path}-wal`) && statSync(`${path}-wal`).size > 0
    if (!hasLog && size < header.readUInt32BE(28) * pageBytes)
      throw damaged(path, `it should have ${header.readUInt32BE(28) * pageBytes} bytes and has ${size}`)
  } finally {
    closeSync(file)
  }
}

const inspectContent = (path: string): void => {
  let database: Database | undefined
  try {
    database = openDatabase(path, { readOnly: true })
    refuseNewer(path, Number(database.prepare('PRAGMA user_version').get()?.[0]))
    const tables = database.prepare(`SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name IN (${tableNames})`).get()
    if (tables?.[0] !== 6) throw damaged(path, 'its tables are not all there')
    if (statSync(path).size > checkedBytesMax) return
    const verdict = database.prepare('PRAGMA quick_check(1)').get()?.[0]
    if (verdict !== 'ok') throw damaged(path, String(verdict).replaceAll('\n', ' '))
  } catch (cause) {
    throw explain(cause, path)
  } finally {
    database?.close()
  }
}

/** Brings the file to this program's version in one transaction; a process that comes second finds it done. */
const migrate = (database: Database): void => {
  if (versionOf(database) === migrations.length) return
  database.exec('BEGIN IMMEDIATE')
  try {
    for (const step of migrations.slice(versionOf(database))) database.exec(step)
    database.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${migrations.length}`)
    database.exec('COMMIT')
    // The header of the file itself then names the version, whatever happens to the log beside it.
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK')
    throw error
  }
}

const versionOf = (database: Database): number => Number(database.prepare('PRAGMA user_version').get()?.[0])

const refuseNewer = (path: string, version: number): void => {
  if (version <= migrations.length) return
  throw new TaximeterError(
    'LEDGER_NEWER',
    `The ledger ${path} was written by a newer taximeter (its version is ${version}, this program knows ${migrations.length}). Update taximeter, or name another file.`,
  )
}

const foreign = (path: string, why: string) =>
  new TaximeterError('LEDGER_FOREIGN', `${path} is not a ledger of taximeter: ${why}. It was left as it is; name another file.`)

const damaged = (path: string, why: string) =>
  new TaximeterError('LEDGER_DAMAGED', `The ledger ${path} is damaged: ${why}. It was left as it is; restore it from a backup.`)
