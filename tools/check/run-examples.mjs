// @ts-check
/**
 * Runs compiled examples one after the other in this process, and prints a JSON line for each that throws or prints something other
 * than its comments say. Arguments: a JSON file with the examples, and a module that prepares the working directory, if any.
 */
import { readFileSync, writeSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { format } from 'node:util'
import { missingOutput } from './examples.mjs'

/** Time for output after an example has been evaluated, such as events of a stream. */
const TIMEOUT_MILLISECONDS = 60_000

/** @type {{ at: string, file: string, expected: string[] }[]} */
const examples = JSON.parse(readFileSync(String(process.argv[2]), 'utf8'))
let output = ''
console.log = (...values) => void (output += `${format(...values)}\n`)

/** @param {string} problem */
const report = (problem) => writeSync(1, `${JSON.stringify(problem)}\n`)

/** Waits until the expected output is there, or the time is over. @param {string[]} expected */
async function missing(expected) {
  const end = Date.now() + TIMEOUT_MILLISECONDS
  while (missingOutput(expected, output).length > 0 && Date.now() < end) await setTimeout(20)
  return missingOutput(expected, output)
}

const setup = process.argv[3]
if (setup !== undefined) await import(pathToFileURL(setup).href)
for (const { at, file, expected } of examples) {
  output = ''
  try {
    await import(pathToFileURL(file).href)
    for (const text of await missing(expected)) report(`${at}: expected the output ${text}, got ${output.trim()}`)
  } catch (error) {
    report(`${at}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
  }
}
// A loaded engine may keep the process alive.
process.exit()
