// @ts-check
/** Runs the command line under watch, in a project folder of its own. */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** The folder of the repository: the installation. */
export const root = fileURLToPath(new URL('../..', import.meta.url))
const cli = join(root, 'packages/cli/dist/main.js')
const watcher = pathToFileURL(join(import.meta.dirname, 'watch-process.mjs')).href

/** A folder for a case: a home, and a project in it to work in. */
export function makeCase() {
  const home = mkdtempSync(join(tmpdir(), 'attune-attack-'))
  const project = join(home, 'project')
  mkdirSync(project)
  const ran = join(home, 'ran')
  return {
    home,
    project,
    /** The text of a program that leaves a trace of having run, with the token if it can. */
    program: `require('node:fs').appendFileSync(${JSON.stringify(ran)}, 'ran with ' + process.env.HF_TOKEN + '\\n')\n`,
    /** Writes a file of the case. @param {string} path relative to the home @param {string | Uint8Array} content */
    write(path, content) {
      mkdirSync(dirname(join(home, path)), { recursive: true })
      writeFileSync(join(home, path), content)
      return join(home, path)
    },
    hasRun: () => existsSync(ran),
  }
}

/** @typedef {{ code: number | null, out: string, err: string, did: { did: string, what: string }[] }} Outcome */

/**
 * Runs `attune` in a case's project.
 * @param {ReturnType<typeof makeCase>} at @param {string[]} args @param {Record<string, string>} [environment]
 * @returns {Promise<Outcome>}
 */
export function attune(at, args, environment = {}) {
  const log = join(at.home, `watch-${process.hrtime.bigint()}.jsonl`)
  const env = {
    PATH: process.env['PATH'],
    HOME: at.home,
    HF_TOKEN: 'hf_secretsecretsecret',
    ATTUNE_WATCH: log,
    ...environment,
  }
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--import', watcher, cli, ...args], { cwd: at.project, env })
    const said = { out: '', err: '' }
    child.stdout.on('data', (chunk) => (said.out += chunk))
    child.stderr.on('data', (chunk) => (said.err += chunk))
    child.stdin.end()
    child.on('close', (code) => {
      const did = readFileSync(log, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
      resolve({ code, ...said, did })
    })
  })
}

/** What a command did beyond loading modules of the installation. @param {Outcome} outcome @param {string} [endpoint] host and port that may be asked */
export const strayed = ({ did }, endpoint) =>
  did.filter(({ did: kind, what }) => {
    if (kind === 'watched') return false
    if (kind === 'connect') return what !== endpoint
    if (kind !== 'load') return true
    const path = what.startsWith('file:') ? fileURLToPath(what) : what
    return !path.startsWith(root)
  })
