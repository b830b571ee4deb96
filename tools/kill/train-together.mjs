// @ts-check
/**
 * Trains the runs of a folder at the same time in this process, and prints a line for each of their events: its type and the name of the
 * run.
 *
 *     node tools/kill/train-together.mjs FOLDER RUN
 *
 * FOLDER has runs.json, the configuration of each run by name. Each trains in FOLDER/NAME/RUN, or is resumed there.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CALLBACK, definePlugin, on } from '@attune/core'
import { resume, run } from '@attune/trainer/node'
import { map, take } from 'rxjs'
import { z } from 'zod'
import { search } from './run-types.mjs'

const [folder = '', directory = ''] = process.argv.slice(2)

/** @type {[string, any][]} */
const runs = Object.entries(JSON.parse(readFileSync(join(folder, 'runs.json'), 'utf8')))
/** Runs without a checkpoint. */
const before = new Set(runs.map(([name]) => name))
let release = () => {}
const everySaved = new Promise((resolve) => void (release = () => resolve(undefined)))

/** Holds a run at the step after its first checkpoint until all runs have saved one: a fast run may end before that otherwise. */
const hold = definePlugin({
  kind: CALLBACK,
  name: 'hold',
  summary: 'Holds a run after its first checkpoint until all runs have saved one',
  options: z.strictObject({}),
  create: () => {
    /** @type {import('@attune/core').Callback} */
    const callback = (events) =>
      events.pipe(
        on('checkpoint.saved'),
        take(1),
        map(() => /** @type {any} */ ({ type: 'hold', because: 'the first checkpoint is saved' })),
      )
    return Object.assign(callback, { handles: /** @type {{}} */ ({ hold: () => everySaved }) })
  },
})
const options = { baseDirectory: folder, searchPaths: { ...search, registered: [hold] } }

for (const [name, config] of runs) {
  const own = join(folder, name, directory)
  const isResumed = existsSync(join(own, 'config.json'))
  if (isResumed) before.delete(name)
  const callback = [...config.callback, { use: hold }]
  const events = isResumed ? resume(own, options) : run({ ...config, callback, directory: own }, options)
  events.subscribe({
    next({ type }) {
      process.stdout.write(`${type} ${name}\n`)
      if (type === 'checkpoint.saved') before.delete(name)
      if (before.size === 0) release()
    },
    error(error) {
      console.error(`${name}: ${error}`)
      process.exit(2)
    },
  })
}
