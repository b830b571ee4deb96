// @ts-check
/** Installs and builds what is missing, and nothing that is there. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder of the repository. */
export const root = join(dirname(fileURLToPath(import.meta.url)), '../..')

/**
 * Runs a program in the repository's folder; ends this one if it fails.
 * @param {string} command @param {string[]} args @param {import('node:child_process').SpawnSyncOptions} [options]
 */
export function must(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options })
  if (status === 0) return
  console.error(`${command} ${args.join(' ')} failed${error ? `: ${error.message}` : ` with exit code ${status}`}.`)
  process.exit(status ?? 1)
}

/** Whether what is installed is what package-lock.json asks for. */
const stamp = join(root, 'node_modules/.attune-installed')
const lock = () =>
  createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')

/** Installs the dependencies unless the lock file is the one they were installed from. */
export function install() {
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock()) return
  console.log('Installing dependencies (npm ci) …')
  must('npm', ['ci', '--no-fund', '--no-audit', '--loglevel=error'])
  writeFileSync(stamp, lock())
}

/** The environment in which Nx runs here: no daemon that outlives the command, no network. */
export const nxEnvironment = { ...process.env, NX_DAEMON: 'false', NX_NO_CLOUD: 'true', NX_TUI: 'false' }

/** The words before Nx's own arguments, after `node`. */
export const nxCommand = [join(root, 'node_modules/nx/dist/bin/nx.js')]
