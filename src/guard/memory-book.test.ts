import { memoryBook } from './memory-book.ts'
import { describeReservationBook } from './reservation-book.contract.ts'

describeReservationBook('memory', async () => ({
  create: async () => memoryBook(),
  reopen: { keepsNothing: 'it is for tests and for ledgers in memory, whose spending is gone with the process as well' },
}))
