import { EXIT } from './exit-codes.js'
import { runCommand } from './run-command.js'

// `attune … | head` closes the pipe early; that ends the command and is not an error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(EXIT.done)
})

process.exitCode = await runCommand(process.argv.slice(2))
