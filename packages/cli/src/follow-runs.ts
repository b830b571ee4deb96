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
}

/**
 * Shows the events of several runs to their end, and prints the result. Ctrl-C stops and saves.
 * @param endingOf the ending of the last event; undefined for all others
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
        release ??= stopOnSignal(commands, 'Finishing the step and saving')
        show(event)
        const ending = endingOf(event)
        if (ending === undefined) return
        clear()
        if (ending.because !== CTRL_C) return void process.stdout.write(`${ending.text}\n`)
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
