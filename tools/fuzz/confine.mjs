// @ts-check
/**
 * Monitors everything a reader does in addition to computing: modules it loads or resolves, files and folders it opens, processes, threads
 * and sockets, and reading the Hub token from the environment. Forbidden actions are recorded and prevented.
 */
import childProcess from 'node:child_process'
import dgram from 'node:dgram'
import dns from 'node:dns'
import fs from 'node:fs'
import Module, { register, syncBuiltinESMExports } from 'node:module'
import net from 'node:net'
import { basename, dirname, join, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import workerThreads, { MessageChannel, receiveMessageOnPort } from 'node:worker_threads'

/** A forbidden action of a reader. @typedef {{ kind: 'import' | 'file' | 'process' | 'thread' | 'socket' | 'environment', what: string }} Stray */

/**
 * @typedef {object} Allowed
 * @property {string} folder files in this folder may be opened
 * @property {readonly RegExp[]} paths patterns of further files and folders that may be opened
 * @property {boolean} lookUp true if modules may be resolved, but not loaded
 * @property {readonly number[]} ports local ports that may be connected to
 */

/** The error that a forbidden action throws. */
export class StrayError extends Error {
  /** @override */
  name = 'StrayError'
}

const realPath = fs.realpathSync.native

/** Resolves all links in a path, even if the file does not exist yet. @param {string} path */
function followed(path) {
  const whole = resolve(path)
  try {
    return realPath(whole)
  } catch {
    try {
      return join(realPath(dirname(whole)), basename(whole))
    } catch {
      return whole
    }
  }
}

/** @param {unknown} given a path, a URL or a file descriptor @returns {string | undefined} */
const pathOf = (given) =>
  typeof given === 'string'
    ? given
    : Buffer.isBuffer(given)
      ? given.toString()
      : given instanceof URL
        ? fileURLToPath(given)
        : undefined

/** Functions of `fs` that open, list or change files, with the number of leading path arguments. */
const PATHS = {
  open: 1,
  readFile: 1,
  writeFile: 1,
  appendFile: 1,
  createReadStream: 1,
  createWriteStream: 1,
  readdir: 1,
  opendir: 1,
  mkdir: 1,
  mkdtemp: 1,
  rm: 1,
  rmdir: 1,
  unlink: 1,
  truncate: 1,
  chmod: 1,
  chown: 1,
  watch: 1,
  watchFile: 1,
  rename: 2,
  link: 2,
  copyFile: 2,
  cp: 2,
}

/** Wraps methods with a check. @param {any} object @param {readonly string[]} names @param {(name: string, args: any[]) => void} check */
function wrap(object, names, check) {
  for (const name of names) {
    const original = object[name]
    if (typeof original !== 'function') continue
    const checked = /** @this {any} */ function (/** @type {any[]} */ ...args) {
      check(name, args)
      return new.target === undefined
        ? Reflect.apply(original, this, args)
        : Reflect.construct(original, args, new.target)
    }
    Object.defineProperties(checked, Object.getOwnPropertyDescriptors(original))
    object[name] = checked
  }
}

/** @typedef {(kind: Stray['kind'], what: string) => void} Note records and throws while a reader is monitored */

/** @param {Note} note @param {(path: string) => boolean} isAllowed */
function watchFiles(note, isAllowed) {
  const check = (/** @type {string} */ name, /** @type {any[]} */ args) => {
    const count = PATHS[/** @type {keyof typeof PATHS} */ (name.replace(/Sync$/, ''))]
    for (const given of args.slice(0, count)) {
      const path = pathOf(given)
      if (path !== undefined && !isAllowed(path)) note('file', `${name} ${path}`)
    }
  }
  const names = Object.keys(PATHS)
  wrap(fs, [...names, ...names.map((name) => `${name}Sync`)], check)
  wrap(fs.promises, names, check)
}

/** @param {Note} note */
function watchProcesses(note) {
  const check = (/** @type {string} */ name, /** @type {any[]} */ [command]) =>
    note('process', `${name} ${typeof command === 'string' ? command : (command?.file ?? '')}`)
  wrap(childProcess, ['spawn', 'spawnSync', 'exec', 'execSync', 'execFile', 'execFileSync', 'fork'], check)
  wrap(childProcess.ChildProcess.prototype, ['spawn'], check)
  wrap(workerThreads, ['Worker'], (_, [file]) => note('thread', String(file)))
}

/** @param {Note} note @param {(port: number) => boolean} isAllowed */
function watchSockets(note, isAllowed) {
  wrap(net.Socket.prototype, ['connect'], (_, args) => {
    const first = Array.isArray(args[0]) ? args[0][0] : args[0]
    const {
      port,
      host = args[1],
      path,
    } = typeof first === 'object' ? first : { port: first, host: args[1], path: undefined }
    const here = path == null && (host == null || typeof host !== 'string' || /^(127\.0\.0\.1|localhost)$/.test(host))
    if (!here || !isAllowed(Number(port))) note('socket', `connect ${path ?? `${host ?? ''}:${port}`}`)
  })
  const socket = (/** @type {string} */ name, /** @type {any[]} */ [first]) =>
    note('socket', `${name} ${String(first)}`)
  wrap(net.Server.prototype, ['listen'], socket)
  wrap(dgram.Socket.prototype, ['bind', 'connect', 'send'], socket)
  for (const object of [dns, dns.promises])
    wrap(
      object,
      Object.keys(object).filter((name) => /^(lookup|resolve|reverse)/.test(name)),
      socket,
    )
}

/** @param {Note} note @param {() => boolean} isWatched @param {() => boolean} mayLookUp */
function watchModules(note, isWatched, mayLookUp) {
  const internal = /** @type {any} */ (Module)
  const known = new Set()
  const { _resolveFilename: lookUp } = internal
  internal._resolveFilename = (/** @type {string} */ request, /** @type {any[]} */ ...rest) => {
    if (isWatched() && !mayLookUp() && !known.has(request) && !Module.isBuiltin(request))
      note('import', `look up ${request}`)
    known.add(request)
    return lookUp(request, ...rest)
  }
  const { _load: load } = internal
  internal._load = (/** @type {string} */ request, /** @type {any} */ parent, /** @type {boolean} */ isMain) => {
    if (isWatched() && !Module.isBuiltin(request) && !(lookUp(request, parent, isMain) in internal._cache))
      note('import', request)
    return load(request, parent, isMain)
  }
  wrap(process, ['dlopen'], (_, [, file]) => note('import', `load ${String(file)}`))
}

/** @param {Note} note */
function watchEnvironment(note) {
  process.env = new Proxy(process.env, {
    get(target, name) {
      if (/^(HF_TOKEN|HUGGING_FACE_HUB_TOKEN)$/.test(String(name))) note('environment', String(name))
      return target[/** @type {string} */ (name)]
    },
  })
}

/**
 * Installs the monitor, which is inactive until {@link Confinement.begin}. Call it before the first module of a reader is imported: modules
 * that are already loaded may be imported again.
 */
export function installConfinement() {
  // The loader, in a separate thread, also monitors between reads: an import may come after its read has ended.
  const loaderWatches = new Int32Array(new SharedArrayBuffer(4))
  let isWatched = false
  let pings = 0
  const { port1: port, port2 } = new MessageChannel()
  register('./loader.mjs', import.meta.url, { data: { watched: loaderWatches, port: port2 }, transferList: [port2] })
  port.unref()
  /** @type {Stray[]} */
  let strays = []
  /** @type {Allowed} */
  let allowed = { folder: '', paths: [], lookUp: true, ports: [] }
  /** @type {Note} */
  const note = (kind, what) => {
    if (!isWatched) return
    strays.push({ kind, what })
    throw new StrayError(`${kind}: ${what}`)
  }
  const isInside = (/** @type {string} */ path) => {
    if (!isWatched) return true
    const real = followed(path)
    const { folder, paths } = allowed
    return real === folder || real.startsWith(folder + sep) || paths.some((pattern) => pattern.test(real))
  }
  watchFiles(note, isInside)
  watchProcesses(note)
  watchSockets(note, (number) => allowed.ports.includes(number))
  watchModules(
    note,
    () => isWatched,
    () => allowed.lookUp,
  )
  watchEnvironment(note)
  syncBuiltinESMExports()
  return {
    /** Starts monitoring. @param {Allowed} now */
    begin(now) {
      allowed = { ...now, folder: followed(now.folder) }
      isWatched = true
      loaderWatches[0] = 1
    },
    /** Stops monitoring and returns the forbidden actions; an import that is not awaited may come later. */
    end() {
      isWatched = false
      for (let message = receiveMessageOnPort(port); message !== undefined; message = receiveMessageOnPort(port))
        strays.push(message.message)
      const found = strays
      strays = []
      return found
    },
    /** Waits until the loader has processed all imports so far. */
    async settle() {
      for (let i = 0; i < 3; i++) await import(`attune:fuzz:ping-${pings++}`)
    },
    /** Allows loading modules again. */
    release: () => void (loaderWatches[0] = 0),
  }
}

/** @typedef {ReturnType<typeof installConfinement>} Confinement */
