import { study } from './study.js'
import { killedConfig } from './tiny.test.fixture.js'

/** Child process that runs or resumes a study and prints the type of each event. */
const [folder = '', directory = '', parallel = '1'] = process.argv.slice(2)
study(killedConfig(directory, Number(parallel)), { baseDirectory: folder }).subscribe({
  next: ({ type }) => process.stdout.write(`${type}\n`),
  error: (error: unknown) => {
    process.stderr.write(`${String(error)}\n`)
    process.exit(2)
  },
})
