// @ts-check
/**
 * Runs compiled programs one after the other in this process, each in its folder and until it has nothing left to do, and prints a JSON
 * line for each. Argument: a JSON file with the programs.
 */
import { readFileSync, writeSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { prepare } from './compile-and-run.mjs'

/** A program that has ended: its errors, and whether it printed anything. @typedef {{ errors: string[], printed: boolean }} Ended */

/** @type {{ cwd: string, file: string, files: Record<string, string> }[]} */
const waiting = JSON.parse(readFileSync(String(process.argv[2]), 'utf8'))
/** @type {Ended | undefined} */
let current

for (const stream of [process.stdout, process.stderr])
  stream.write = (/** @type {unknown} */ text, /** @type {unknown[]} */ ...rest) => {
    if (current !== undefined && String(text).trim() !== '') current.printed = true
    for (const done of rest) if (typeof done === 'function') done()
    return true
  }

/** @param {unknown} error */
const failed = (error) =>
  void current?.errors.push(error instanceof Error ? (error.stack ?? error.message) : String(error))

/** Reports the program that has ended, and starts the next one. */
function next() {
  if (process.exitCode) failed(`exit code ${process.exitCode}`)
  process.exitCode = 0
  if (current !== undefined) writeSync(1, `${JSON.stringify(current)}\n`)
  const program = waiting.shift()
  current = program && { errors: [], printed: false }
  if (program === undefined) return
  prepare(program.cwd, program.files)
  process.chdir(program.cwd)
  import(pathToFileURL(program.file).href).catch(failed)
}

process.on('uncaughtException', failed)
// Emitted whenever nothing is left to do, where a process that runs one program would end.
process.on('beforeExit', next)
