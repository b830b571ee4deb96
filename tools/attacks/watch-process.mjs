// @ts-check
/**
 * Preloaded with `node --import`. Appends one JSON object per line to the file $ATTUNE_WATCH for everything the process does that could
 * execute code or contact another machine: loaded modules, child processes, connections, native addons.
 */
import childProcess from 'node:child_process'
import { appendFileSync } from 'node:fs'
import Module, { register, syncBuiltinESMExports } from 'node:module'
import net from 'node:net'
import { fileURLToPath } from 'node:url'

const file = process.env['ATTUNE_WATCH'] ?? ''
const note = (/** @type {string} */ did, /** @type {string} */ what) =>
  appendFileSync(file, `${JSON.stringify({ did, what })}\n`)

// Modules loaded with `import`: hooks run in a separate thread.
register(
  `data:text/javascript,${encodeURIComponent(`
    import { appendFileSync } from 'node:fs'
    export async function load(url, context, next) {
      if (!url.startsWith('node:')) appendFileSync(${JSON.stringify(file)}, JSON.stringify({ did: 'load', what: url }) + '\\n')
      return next(url, context)
    }`)}`,
)
// Modules loaded with `require`.
const loader = /** @type {any} */ (Module)
for (const [extension, load] of Object.entries(loader._extensions))
  loader._extensions[extension] = (/** @type {any} */ module, /** @type {string} */ path) => {
    note('load', path)
    return /** @type {any} */ (load)(module, path)
  }
for (const name of /** @type {const} */ ([
  'spawn',
  'spawnSync',
  'exec',
  'execSync',
  'execFile',
  'execFileSync',
  'fork',
])) {
  const original = /** @type {any} */ (childProcess[name])
  Object.assign(childProcess, {
    [name]: (/** @type {any[]} */ ...given) => {
      note('spawn', String(given[0]))
      return original(...given)
    },
  })
}
const { connect } = net.Socket.prototype
net.Socket.prototype.connect = /** @type {any} */ (
  function (/** @type {any[]} */ ...given) {
    const [options] = /** @type {any[]} */ (given[0] ?? [])
    note('connect', `${options?.host ?? 'localhost'}:${options?.port ?? options?.path}`)
    // @ts-expect-error -- the socket that is connected
    return connect.apply(this, given)
  }
)
syncBuiltinESMExports()
note('watched', fileURLToPath(import.meta.url))
