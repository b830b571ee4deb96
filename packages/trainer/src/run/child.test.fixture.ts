import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { isAttuneError } from '@attune/core'
import { resume, run } from './run.js'
import { toyConfig, toyPlugins } from './toy.test.fixture.js'

/** Child process that starts or resumes a toy run in a folder and prints one line per step. */
const [directory = '', epochs = '6', width = '8'] = process.argv.slice(2)
const config = toyConfig(directory)
const options = { searchPaths: { folders: ['.'], registered: toyPlugins } }
const begun = existsSync(join(directory, 'config.json'))
const events = begun
  ? resume(directory, options)
  : run(
      {
        ...config,
        model: { ...config.model, width: Number(width) },
        training: { ...config.training, epochs: Number(epochs) },
      },
      options,
    )
events.subscribe({
  next: (event) => {
    if (event.type === 'step.completed') process.stdout.write(`${event.step}\n`)
  },
  error: (error: unknown) => {
    process.stdout.write(isAttuneError(error) ? `${error.code}: ${error.problem}\n` : `${String(error)}\n`)
    process.exit(2)
  },
})
