import type { Command } from '@attune/core'
import type { Subject } from 'rxjs'
import { EXIT } from './exit-codes.js'

/** The reason of what a signal stops. */
export const CTRL_C = 'Ctrl-C'

/**
 * Lets the first Ctrl-C give the command to stop, and the second one end the process.
 * @param doing the words for what happens now: `Finishing the step and saving`
 * @returns a function that leaves signals to the system again
 */
export function stopOnSignal(commands: Subject<Command>, doing: string): () => void {
  let asked = false
  const stop = (): void => {
    if (asked) {
      process.stderr.write('\nEnded at once. The last checkpoint stands.\n')
      process.exit(EXIT.interrupted)
    }
    asked = true
    process.stderr.write(`\n${doing}; Ctrl-C again ends at once.\n`)
    commands.next({ type: 'stop', because: CTRL_C })
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, stop)
  return () => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, stop)
  }
}
