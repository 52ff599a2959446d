import type { Store } from '../store.ts'

/** Makes an empty store; the suite closes it. */
export type MakeStore = () => Promise<Store>
