import { describeStore } from '../store.contract.ts'
import { memoryStore } from './memory-store.ts'

describeStore('the ledger in memory', async () => memoryStore())
