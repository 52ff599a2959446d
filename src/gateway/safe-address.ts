export * from '../network/safe-address.ts'
