// @ts-check
/** Installs and builds whatever is missing. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The root of the repository. */
export const root = join(dirname(fileURLToPath(import.meta.url)), '../..')

/**
 * Runs a program in the root of the repository; exits if it fails.
 * @param {string} command @param {string[]} args @param {import('node:child_process').SpawnSyncOptions} [options]
 */
export function must(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options })
  if (status === 0) return
  console.error(`${command} ${args.join(' ')} failed${error ? `: ${error.message}` : ` with exit code ${status}`}.`)
  process.exit(status ?? 1)
}

/** True if the installed packages match package-lock.json. */
const stamp = join(root, 'node_modules/.attune-installed')
const lock = () =>
  createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')

/** Installs the dependencies unless they match the lock file. */
export function install() {
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock()) return
  console.log('Installing dependencies (npm ci) …')
  must('npm', ['ci', '--no-fund', '--no-audit', '--loglevel=error'])
  writeFileSync(stamp, lock())
}

/** Environment for Nx: no daemon that outlives the command, no network. */
export const nxEnvironment = { ...process.env, NX_DAEMON: 'false', NX_NO_CLOUD: 'true', NX_TUI: 'false' }

/** Arguments of `node` that start Nx. */
export const nxCommand = [join(root, 'node_modules/nx/dist/bin/nx.js')]
