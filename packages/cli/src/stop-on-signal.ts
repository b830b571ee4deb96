import type { Command } from '@attune/core'
import type { Subject } from 'rxjs'
import { EXIT } from './exit-codes.js'

/** Reason recorded for a run that a signal stopped. */
export const CTRL_C = 'Ctrl-C'

/**
 * Makes the first Ctrl-C send the stop command, and the second one end the process.
 * @param doing description of the current work: `Finishing the step and saving`
 * @returns a function that restores the default handling of signals
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
