// @ts-check
/** Runs the command line under a monitor, in a separate project folder. */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** The root of the repository, which is the installation. */
export const root = fileURLToPath(new URL('../..', import.meta.url))
const cli = join(root, 'packages/cli/dist/main.js')
const monitor = pathToFileURL(join(import.meta.dirname, 'watch-process.mjs')).href

/** A test folder: a home directory with a project in it. */
export function makeCase() {
  const home = mkdtempSync(join(tmpdir(), 'attune-attack-'))
  const project = join(home, 'project')
  mkdirSync(project)
  const ran = join(home, 'ran')
  return {
    home,
    project,
    /** A program that records that it ran, with the Hub token if it can read it. */
    program: `require('node:fs').appendFileSync(${JSON.stringify(ran)}, 'ran with ' + process.env.HF_TOKEN + '\\n')\n`,
    /** Writes a file. @param {string} path relative to the home directory @param {string | Uint8Array} content */
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
 * Runs `attune` in the project of a test folder.
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
    const child = spawn(process.execPath, ['--import', monitor, cli, ...args], { cwd: at.project, env })
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

/** Recorded actions other than loading modules of the installation. @param {Outcome} outcome @param {string} [endpoint] allowed host and port */
export const violations = ({ did }, endpoint) =>
  did.filter(({ did: kind, what }) => {
    if (kind === 'watched') return false
    if (kind === 'connect') return what !== endpoint
    if (kind !== 'load') return true
    const path = what.startsWith('file:') ? fileURLToPath(what) : what
    return !path.startsWith(root)
  })
