// @ts-check
/** Runs the compiled examples of a package in one process. */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './packages.mjs'

const RUNNER = join(root, 'tools/check/run-examples.mjs')
/** Modules that prepare the folder of a package's examples. */
const SETUPS = join(root, 'tools/check/example-setup')
const TIMEOUT_SECONDS = 1800

/**
 * @param {string} folder @param {{ folder: string, examples: import('./examples.mjs').Example[] }} group
 * @returns {Promise<string[]>} problems
 */
export const runExamples = (folder, group) =>
  new Promise((resolve) => {
    const cwd = join(folder, group.folder)
    const compiled = group.examples.map(({ at, expected, runs }, i) => ({
      at,
      expected,
      runs,
      file: join(cwd, `example-${i}.js`),
    }))
    const list = compiled.filter(({ runs }) => runs)
    if (list.length === 0) return resolve([])
    mkdirSync(cwd, { recursive: true })
    writeFileSync(join(cwd, 'examples.json'), JSON.stringify(list))
    const setup = join(SETUPS, `${group.folder.replace(/^examples-/, '')}.mjs`)
    const args = ['--no-warnings', RUNNER, join(cwd, 'examples.json'), ...(existsSync(setup) ? [setup] : [])]
    const child = spawn(process.execPath, args, {
      cwd,
      timeout: 1000 * TIMEOUT_SECONDS,
    })
    const output = { stdout: '', stderr: '' }
    child.stdout.on('data', (chunk) => void (output.stdout += chunk))
    child.stderr.on('data', (chunk) => void (output.stderr += chunk))
    child.on('close', (status) => {
      const problems = output.stdout
        .split('\n')
        .filter((line) => line.startsWith('"'))
        .map((line) => String(JSON.parse(line)))
      resolve(status === 0 ? problems : [...problems, `${group.folder}: exit code ${status}\n${output.stderr.trim()}`])
    })
  })
