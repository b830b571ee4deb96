import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CALLBACK, type Callback, type Command, definePlugin } from '@attune/core'
import { mergeMap } from 'rxjs'
import { z } from 'zod'
import { resume, run } from './run.js'
import { toyConfig, toyPlugins } from './toy.test.fixture.js'

/**
 * A third-party callback that counts steps: every third step it records the count, and every seventh, by a custom command, the number of
 * trainable tensors. Its count depends on its own recorded events, so a resumed run is only correct if they are replayed.
 */
export const counting = definePlugin({
  kind: CALLBACK,
  name: 'counting',
  summary: 'Counts in custom events',
  options: z.strictObject({}),
  create: (): Callback => {
    const callback = (events: Parameters<Callback>[0]) => {
      let recorded = 0
      return events.pipe(
        mergeMap((event): Command[] => {
          const { type } = event as { type: string }
          if (type === 'counting.counted') recorded++
          if (event.type !== 'step.completed') return []
          const commands: unknown[] = []
          if (event.step % 3 === 0)
            commands.push({
              type: 'record',
              because: 'third step',
              event: { type: 'counting.counted', step: event.step, recorded },
            })
          if (event.step % 7 === 0) commands.push({ type: 'counting.measure', because: 'seventh step' })
          return commands as Command[]
        }),
      )
    }
    const measure = (_: unknown, host: { step: number; trainable: object; record(event: never): void }) =>
      host.record({ type: 'counting.measured', step: host.step, tensors: Object.keys(host.trainable).length } as never)
    return Object.assign(callback, { handles: { 'counting.measure': measure } }) as Callback
  },
})

/** The toy configuration with the counting callback added. */
export const countingConfig = (directory: string) => {
  const config = toyConfig(directory)
  return { ...config, callback: [config.callback, counting] }
}

/** Search locations with the plugins. */
export const countingPlaces = { folders: ['.'], registered: [...toyPlugins, counting] }

// As a program: starts or resumes the run in a folder and prints one line per step.
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const directory = process.argv[2]!
  const options = { searchPaths: countingPlaces }
  const isThere = existsSync(join(directory, 'config.json'))
  const events = isThere ? resume(directory, options) : run(countingConfig(directory), options)
  events.subscribe((event) => {
    if (event.type === 'step.completed') process.stdout.write(`${event.step}\n`)
  })
}
