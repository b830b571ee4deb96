// @ts-check
/**
 * A headless Chromium: an installed one, or Debian's, which `node tools/browser/chromium.mjs` unpacks into tools/browser/dist
 * (100 MB, no root needed; delete that folder to remove it).
 */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { pathToFileURL } from 'node:url'

const dist = join(import.meta.dirname, 'dist')
const unpacked = join(dist, 'chromium')
const PACKAGE = 'chromium-headless-shell'
const NAMES = ['chromium-headless-shell', 'chromium', 'chromium-browser', 'google-chrome']

/** @typedef {{ program: string, env: NodeJS.ProcessEnv }} Browser */

/** The browser in CHROMIUM, the unpacked one, or an installed one; undefined if there is none. @returns {Browser | undefined} */
export function findChromium() {
  const { CHROMIUM, PATH = '' } = process.env
  const own = join(unpacked, 'usr/lib/chromium/chromium-headless-shell')
  const installed = PATH.split(delimiter).flatMap((folder) => NAMES.map((name) => join(folder, name)))
  const program = [CHROMIUM ?? '', own, ...installed].find((path) => path !== '' && existsSync(path))
  if (program === undefined) return undefined
  const beside = join(unpacked, 'usr/lib/x86_64-linux-gnu')
  const libraries = [beside, join(beside, 'pulseaudio'), process.env.LD_LIBRARY_PATH ?? '']
  return {
    program,
    env: { ...process.env, ...(program === own ? { LD_LIBRARY_PATH: libraries.join(delimiter) } : {}) },
  }
}

/** @param {string} command @param {string[]} args @param {string} cwd */
function run(command, args, cwd) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ${args.slice(0, 3).join(' ')}: ${error?.message ?? stderr}`)
  return stdout
}

/** Unpacks Debian's package and its missing dependencies. */
function unpack() {
  const downloads = join(dist, 'downloads')
  mkdirSync(downloads, { recursive: true })
  try {
    const plan = run('apt-get', ['install', '--simulate', '--no-install-recommends', PACKAGE], dist)
    const names = [...plan.matchAll(/^Inst (\S+)/gm)].map(([, name = '']) => name)
    run('apt-get', ['download', ...names], downloads)
    for (const file of readdirSync(downloads)) run('dpkg', ['-x', file, unpacked], downloads)
  } finally {
    rmSync(downloads, { recursive: true })
  }
}

/**
 * Opens a page and returns the value of an expression, awaiting a promise.
 * @param {Browser} browser @param {string} url @param {string} expression @param {string} [picture] output path of a screenshot (PNG)
 */
export async function evaluateIn({ program, env }, url, expression, picture) {
  const profile = mkdtempSync(join(tmpdir(), 'attune-chromium-'))
  const args = ['--headless', '--no-sandbox', '--disable-gpu', '--remote-debugging-pipe', `--user-data-dir=${profile}`]
  const child = spawn(program, args, { env, stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'] })
  const ended = new Promise((resolve) => child.once('close', resolve))
  try {
    const call = protocol(child)
    const { targetId } = await call('Target.createTarget', { url: 'about:blank' })
    const { sessionId } = await call('Target.attachToTarget', { targetId, flatten: true })
    await call('Page.enable', {}, sessionId)
    const loaded = call.once('Page.loadEventFired')
    await call('Page.navigate', { url }, sessionId)
    await loaded
    const how = { expression, awaitPromise: true, returnByValue: true }
    const { result, exceptionDetails } = await call('Runtime.evaluate', how, sessionId)
    if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails))
    const shot = picture === undefined ? undefined : await call('Page.captureScreenshot', {}, sessionId)
    return { value: result.value, picture: shot?.data }
  } finally {
    child.kill()
    await ended
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** DevTools protocol over a pipe with NUL-terminated messages. @param {import('node:child_process').ChildProcess} child */
function protocol(child) {
  const [, , errors, to, from] =
    /** @type {[null, null, import('node:stream').Readable, import('node:stream').Writable, import('node:stream').Readable]} */ (
      /** @type {unknown} */ (child.stdio)
    )
  /** @type {Map<number | string, { resolve: (value: any) => void, reject: (error: Error) => void }>} */
  const waiting = new Map()
  let [pending, said, number] = ['', '', 0]
  errors.setEncoding('utf8').on('data', (text) => (said = (said + text).slice(-2000)))
  from.setEncoding('utf8').on('data', (text) => {
    const messages = (pending + text).split('\0')
    pending = messages.pop() ?? ''
    for (const { id, method, result, error, params } of messages.map((message) => JSON.parse(message))) {
      const waiter = waiting.get(id ?? method)
      waiting.delete(id ?? method)
      if (error === undefined) waiter?.resolve(result ?? params)
      else waiter?.reject(new Error(error.message))
    }
  })
  to.on('error', () => undefined) // the close event reports the reason
  child.once('close', (code) => {
    for (const { reject } of waiting.values()) reject(new Error(`Chromium ended with ${code}: ${said}`))
  })
  /** @param {number | string} name @returns {Promise<any>} */
  const wait = (name) => new Promise((resolve, reject) => waiting.set(name, { resolve, reject }))
  /** @param {string} method @param {object} params @param {string} [sessionId] */
  const call = (method, params, sessionId) => {
    const id = ++number
    to.write(`${JSON.stringify({ id, method, params, sessionId })}\0`)
    return wait(id)
  }
  return Object.assign(call, { once: wait })
}

if (process.argv[1] !== undefined && pathToFileURL(process.argv[1]).href === import.meta.url) {
  if (findChromium() === undefined) unpack()
  console.log(findChromium()?.program)
}
