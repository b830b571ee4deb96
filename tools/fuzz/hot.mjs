// @ts-check
/** Finds the function in which a reader spends its time. */
import { existsSync, readFileSync } from 'node:fs'
import { Session } from 'node:inspector'
import { SourceMap } from 'node:module'
import { fileURLToPath } from 'node:url'
import { Script } from 'node:vm'
import { root } from './seeds.mjs'

/** @import { Profiler } from 'node:inspector' */

/** Longest profile, in seconds: an endless reading is ended then. */
const LONGEST = 10

/** A script has no other way to what it is to call. */
const ACT = Symbol.for('attune:fuzz:act')

/** Where a line of a built module comes from, as `packages/text/src/x.ts:12`. @param {string} url @param {number} line from 1 @param {number} column from 1 */
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

/** A stack, whose frames in built modules are those of their sources. @param {string} stack */
export const withSources = (stack) =>
  stack.replace(/(file:\/\/\/\S+?):(\d+):(\d+)/g, (_, url, line, column) => sourceOf(url, Number(line), Number(column)))

/** The function of a module with the most samples in it and in what it calls of JavaScript itself, as `name (file:line)`. @param {Profiler.Profile} profile */
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

/** Does something and returns a profile of it. Ends what is synchronous and takes too long. @param {() => unknown} act @returns {Promise<Profiler.Profile | undefined>} */
export async function profileOf(act) {
  const session = new Session()
  session.connect()
  const post = (/** @type {'Profiler.enable' | 'Profiler.start'} */ method) =>
    new Promise((done) => session.post(method, () => done(undefined)))
  await post('Profiler.enable')
  await post('Profiler.start')
  try {
    // The only way to end a loop from within: JavaScript itself is ended after the time.
    Object.defineProperty(globalThis, ACT, { value: act, configurable: true })
    await new Script(`globalThis[Symbol.for('${ACT.description}')]()`).runInThisContext({ timeout: 1000 * LONGEST })
  } catch {
    // How it ends is known; where it spends its time is the question.
  }
  /** @type {Profiler.Profile | undefined} */
  const profile = await new Promise((done) => session.post('Profiler.stop', (_, result) => done(result?.profile)))
  session.disconnect()
  return profile
}
