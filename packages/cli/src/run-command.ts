import { EXIT } from './exit-codes.js'
import { buildProgram } from './program.js'
import { describeError } from './report-error.js'

/**
 * Runs one command line. Errors are printed to stderr, not thrown.
 * @param args the words after `attune`
 * @returns the exit code
 */
export async function runCommand(args: readonly string[]): Promise<number> {
  const program = buildProgram()
  const commands = [program, ...program.commands, ...program.commands.flatMap((command) => command.commands)]
  for (const command of commands)
    command.exitOverride().showSuggestionAfterError().showHelpAfterError('Add --help for the usage and examples.')
  try {
    await program.parseAsync(args, { from: 'user' })
    return Number(process.exitCode ?? EXIT.done)
  } catch (error) {
    const { code: kind, exitCode } = error as { code?: string; exitCode?: number }
    if (kind?.startsWith('commander.') === true) return exitCode === 0 ? EXIT.done : EXIT.wrongInput
    const { text, code } = describeError(error)
    process.stderr.write(`${text}\n`)
    return code
  }
}
