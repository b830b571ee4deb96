import type { Command as RunCommand } from '@attune/core'
import type { Observable, Subject } from 'rxjs'
import { EXIT } from './exit-codes.js'
import { CTRL_C, stopOnSignal } from './stop-on-signal.js'
import { commandLine } from './study-text.js'

/** Display of the events of several runs. */
export interface Display<E> {
  readonly show: (event: E) => void
  /** Removes the live part. */
  readonly clear: () => void
}

/** The end of several runs: the reason, and the text to print. */
export interface Ending {
  readonly because: string
  readonly text: string
  /** True if the text is complete enough to print also after Ctrl-C. Default: false. */
  readonly whenStopped?: boolean
}

/**
 * Shows the events of several runs to their end, and prints the result. Ctrl-C stops and saves.
 * @param endingOf receives every event; returns the ending of the last one, and undefined for all others
 * @returns the exit code
 */
export function followRuns<E>(
  events: Observable<E>,
  commands: Subject<RunCommand>,
  { show, clear }: Display<E>,
  endingOf: (event: E) => Ending | undefined,
): Promise<number> {
  let release: (() => void) | undefined
  let code: number = EXIT.done
  return new Promise<number>((done, failed) => {
    events.subscribe({
      next(event) {
        release ??= stopOnSignal(commands, 'Finishing the current steps and saving')
        show(event)
        const ending = endingOf(event)
        if (ending === undefined) return
        clear()
        const isStopped = ending.because === CTRL_C
        if (!isStopped || ending.whenStopped === true) process.stdout.write(`${ending.text}\n`)
        if (!isStopped) return
        code = EXIT.interrupted
        process.stderr.write(
          `Stopped and saved. Resume with: ${commandLine(['npx', 'attune', ...process.argv.slice(2)])}\n`,
        )
      },
      error: failed,
      complete: () => done(code),
    })
  }).finally(() => {
    clear()
    release?.()
  })
}
