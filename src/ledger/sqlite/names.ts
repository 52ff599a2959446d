import { hashOf } from '../../core/text-hash.ts'
import type { Database } from './database.ts'

const rememberedMax = 50_000

/** The table of names for one connection: text ↔ number, the latest ones remembered. */
export interface Names {
  /** The number of a name, made when it is new. */
  idOf(text: string): number
  /** The number of a name that is known, or undefined. */
  find(text: string): number | undefined
  textOf(id: number): string
  /** After a rollback: what was made since the last commit is unknown again. */
  rollback(): void
  commit(): void
}

export const createNames = (database: Database): Names => createTexts(database, 'names')

/** A table of texts that are each kept once. */
export const createTexts = (database: Database, table: 'names' | 'cards'): Names => {
  const select = database.prepare(`SELECT id, text FROM ${table} WHERE hash = ?`)
  const selectText = database.prepare(`SELECT text FROM ${table} WHERE id = ?`)
  const insert = database.prepare(`INSERT INTO ${table} (hash, text) VALUES (?, ?) RETURNING id`)
  const ids = new Map<string, number>()
  const texts = new Map<number, string>()
  let made: string[] = []

  const remember = (text: string, id: number): number => {
    if (ids.size >= rememberedMax) ids.clear()
    ids.set(text, id)
    return id
  }

  const find = (text: string): number | undefined => {
    const known = ids.get(text)
    if (known !== undefined) return known
    // Texts can share a number.
    const row = select.all(hashOf(text)).find(([, kept]) => kept === text)
    return row === undefined ? undefined : remember(text, Number(row[0]))
  }

  return {
    find,
    idOf(text) {
      const found = find(text)
      if (found !== undefined) return found
      made.push(text)
      return remember(text, Number(insert.get(hashOf(text), text)?.[0]))
    },
    textOf(id) {
      let text = texts.get(id)
      if (text === undefined) {
        text = String(selectText.get(id)?.[0])
        if (texts.size >= rememberedMax) texts.clear()
        texts.set(id, text)
      }
      return text
    },
    rollback() {
      for (const text of made) ids.delete(text)
      texts.clear()
      made = []
    },
    commit() {
      made = []
    },
  }
}
