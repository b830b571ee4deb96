// @ts-check
/** Compiles packages in dependency order, several at once. */
import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** @typedef {{ success: boolean, text: string, status?: 'skipped' }} Outcome */

const root = join(import.meta.dirname, '../..')
const compiler = pathToFileURL(join(root, 'node_modules/typescript-native/lib/getExePath.js')).href

/** @param {string} program @param {string} cwd @returns {Promise<Outcome>} */
const compile = (program, cwd) =>
  new Promise((resolve, reject) => {
    // The compiler does not delete output of sources that no longer exist, including tests.
    rmSync(join(cwd, 'dist'), { recursive: true, force: true })
    const child = spawn(program, ['-p', '.'], { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
    let text = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => void (text += chunk))
    child.on('error', reject).on('close', (code) => resolve({ success: code === 0, text }))
  })

/**
 * Result of each package, in order; dependents of a failed package are skipped.
 * @param {{ folder: string, needs: number[] }[]} works absolute paths, and which of the works must be done first @returns {Promise<Outcome[]>}
 */
export async function runTsc(works) {
  const { default: programOf } = await import(compiler)
  const program = programOf()
  /** @type {(Outcome | undefined)[]} */
  const outcomes = works.map(() => undefined)
  const waiting = new Set(works.keys())
  /** @type {Map<number, Promise<void>>} */
  const running = new Map()
  const begin = (/** @type {number} */ index, /** @type {string} */ folder) =>
    compile(program, folder).then((outcome) => {
      outcomes[index] = outcome
      running.delete(index)
    })
  while (waiting.size + running.size > 0) {
    for (const index of waiting) {
      const { folder, needs } = works[index] ?? { folder: '', needs: [] }
      if (needs.some((need) => outcomes[need]?.success === false)) {
        outcomes[index] = { success: false, status: 'skipped', text: '' }
        waiting.delete(index)
      } else if (running.size < availableParallelism() && needs.every((need) => outcomes[need]?.success)) {
        waiting.delete(index)
        running.set(index, begin(index, folder))
      }
    }
    if (running.size > 0) await Promise.race(running.values())
  }
  return /** @type {Outcome[]} */ (outcomes)
}
