import { inProcessFanOut } from '#cloud/platform/fanout/in-process.ts'
import { fanOutContract } from './contract.ts'

fanOutContract('the process itself', async () => {
  const one = inProcessFanOut()
  return { one, other: one, close: () => one.close() }
})
