// @ts-check
/** Module loader hooks: record and refuse modules that were not loaded before monitoring started, and count budgets. */

/** @import { InitializeHook, LoadHook, ResolveHook } from 'node:module' */
/** @import { MessagePort } from 'node:worker_threads' */

const BUDGET = /\/packages\/core\/dist\/budget\.js$/
/** Prefix of specifiers of empty modules: awaiting one waits for all imports before it. */
const PING = 'attune:fuzz:ping'
const COUNTED = new URL('counted-budget.mjs', import.meta.url).href

/** @type {{ watched: Int32Array, port: MessagePort } | undefined} */
let shared
const loaded = new Set()

/** @type {InitializeHook<{ watched: Int32Array, port: MessagePort }>} */
export const initialize = (given) => {
  shared = given
}

/** @param {string} what @returns {never} */
function refuse(what) {
  shared?.port.postMessage({ kind: 'import', what })
  throw new Error(`import: ${what}`)
}

/** @type {ResolveHook} */
export const resolve = async (specifier, context, next) => {
  if (specifier.startsWith(PING)) return { url: 'node:process', shortCircuit: true }
  const isWatched = shared !== undefined && Atomics.load(shared.watched, 0) === 1
  const found = await Promise.resolve(next(specifier, context)).catch((error) => {
    if (isWatched) refuse(specifier)
    throw error
  })
  if (isWatched && !loaded.has(found.url)) refuse(found.url)
  return BUDGET.test(found.url) && context.parentURL !== COUNTED ? { ...found, url: COUNTED } : found
}

/** @type {LoadHook} */
export const load = (url, context, next) => {
  loaded.add(url)
  return next(url, context)
}
