import { EXIT } from './exit-codes.js'
import { buildProgram } from './program.js'
import { describeError } from './report-error.js'

// `attune … | head` closes the pipe early; that ends the command and is not an error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(EXIT.done)
})

const program = buildProgram()
const commands = [program, ...program.commands, ...program.commands.flatMap((command) => command.commands)]
for (const command of commands)
  command.exitOverride().showSuggestionAfterError().showHelpAfterError('Add --help for the usage and examples.')

try {
  await program.parseAsync()
} catch (error) {
  const { code: kind, exitCode } = error as { code?: string; exitCode?: number }
  if (kind?.startsWith('commander.')) process.exitCode = exitCode === 0 ? EXIT.done : EXIT.wrongInput
  else {
    const { text, code } = describeError(error)
    process.stderr.write(`${text}\n`)
    process.exitCode = code
  }
}
