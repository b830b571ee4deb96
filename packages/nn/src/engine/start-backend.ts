import { ready, setBackend } from '@tensorflow/tfjs-core'

/**
 * Starts a TF.js backend, unless it has been started, and makes it the current one. Resolves to false if it cannot start. TF.js starts one backend at a time and
 * fails the earlier of two starts: such a start waits for the later one, and tries again.
 */
export async function startBackend(name: string): Promise<boolean> {
  const start = (): Promise<boolean> => setBackend(name).catch(() => false)
  if (await start()) return true
  await ready().catch(() => undefined) // fails if no backend can start
  return start()
}
