// @ts-check
/** Finds the function in which a reader spends most of its time. */
import { existsSync, readFileSync } from 'node:fs'
import { Session } from 'node:inspector'
import { SourceMap } from 'node:module'
import { fileURLToPath } from 'node:url'
import { Script } from 'node:vm'
import { root } from './seeds.mjs'

/** @import { Profiler } from 'node:inspector' */

/** Maximum duration of a profile in seconds; an endless read is ended then. */
const LONGEST = 10

/** Passes the function to the script, which has no other access to it. */
const ACT = Symbol.for('attune:fuzz:act')

/** Source position of a position in a built module, as `packages/text/src/x.ts:12`. @param {string} url @param {number} line from 1 @param {number} column from 1 */
export function sourceOf(url, line, column) {
  if (!url.startsWith('file:')) return `${url}:${line}`
  const file = fileURLToPath(url)
  const here = `${file.replace(root, '')}:${line}`
  if (!existsSync(`${file}.map`)) return here
  const entry = new SourceMap(JSON.parse(readFileSync(`${file}.map`, 'utf8'))).findEntry(line - 1, column - 1)
  if (!('originalSource' in entry)) return here
  const source = fileURLToPath(new URL(entry.originalSource, url))
  return `${source.replace(root, '')}:${entry.originalLine + 1}`
}

/** Maps the frames of a stack in built modules to their sources. @param {string} stack */
export const withSources = (stack) =>
  stack.replace(/(file:\/\/\/\S+?):(\d+):(\d+)/g, (_, url, line, column) => sourceOf(url, Number(line), Number(column)))

/** The module function with the most samples, including calls into JavaScript built-ins, as `name (file:line)`. @param {Profiler.Profile} profile */
export function hottest({ nodes }) {
  /** @type {Map<number, Profiler.ProfileNode>} */
  const parents = new Map()
  for (const node of nodes) for (const child of node.children ?? []) parents.set(child, node)
  /** @type {Map<string, number>} */
  const hits = new Map()
  for (const node of nodes) {
    let at = /** @type {Profiler.ProfileNode | undefined} */ (node)
    while (at !== undefined && !/^file:|\/node_modules\//.test(at.callFrame.url)) at = parents.get(at.id)
    if (at === undefined || at.callFrame.url === import.meta.url) continue
    const { functionName, url, lineNumber, columnNumber } = at.callFrame
    const address = url.startsWith('file:') ? url : `file://${url}`
    const name = `${functionName || 'a function'} (${sourceOf(address, lineNumber + 1, columnNumber + 1)})`
    hits.set(name, (hits.get(name) ?? 0) + (node.hitCount ?? 0))
  }
  const [first] = [...hits].sort(([, a], [, b]) => b - a)
  return first?.[0]
}

/** Profiles a call. Ends a synchronous call that takes too long. @param {() => unknown} act @returns {Promise<Profiler.Profile | undefined>} */
export async function profileOf(act) {
  const session = new Session()
  session.connect()
  const post = (/** @type {'Profiler.enable' | 'Profiler.start'} */ method) =>
    new Promise((done) => session.post(method, () => done(undefined)))
  await post('Profiler.enable')
  await post('Profiler.start')
  try {
    // The only way to interrupt a loop from within: a timeout of the vm.
    Object.defineProperty(globalThis, ACT, { value: act, configurable: true })
    await new Script(`globalThis[Symbol.for('${ACT.description}')]()`).runInThisContext({ timeout: 1000 * LONGEST })
  } catch {
    // The outcome is already known; only the profile matters.
  }
  /** @type {Profiler.Profile | undefined} */
  const profile = await new Promise((done) => session.post('Profiler.stop', (_, result) => done(result?.profile)))
  session.disconnect()
  return profile
}
