// @ts-check
/** Reads one input, monitored and measured, and returns its fate. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { isAttuneError } from '@attune/core'
import { hottest, profileOf } from './hot.mjs'
import { encoded } from './input.mjs'
import { isLarge, isSlow, meter } from './measure.mjs'
import { root } from './seeds.mjs'
import { layOut } from './target.mjs'

/** @import { Confinement, Stray } from './confine.mjs' */
/** @import { Input } from './input.mjs' */
/** @import { Cost } from './measure.mjs' */
/** @import { Target } from './target.mjs' */

/** @typedef {'accepted' | 'refused' | 'crashed' | 'strayed'} Fate */
/** @typedef {{ fate: Fate, cost: Cost, error?: unknown, strays: readonly Stray[] }} Attempt */

/** CPU seconds above which an input is read only once. */
const TOO_LONG_TO_REPEAT = 10

/** Error codes that have a page. */
const documented = () =>
  new Set(
    readdirSync(join(root, 'docs/errors'))
      .filter((name) => name.endsWith('.md'))
      .map((name) => name.slice(0, -3)),
  )

/** Errors that no caller received: from streams, timers and unhandled promises. */
function looseErrors() {
  /** @type {{ error: unknown }[]} */
  let errors = []
  const note = (/** @type {unknown} */ error) => void errors.push({ error })
  process.on('uncaughtException', note)
  process.on('unhandledRejection', note)
  return () => {
    const found = errors
    errors = []
    return found
  }
}

/** The first of two attempts, with the lower cost of both. @param {Attempt} first @param {Attempt} second @returns {Attempt} */
const lesser = (first, second) => ({
  ...first,
  cost: {
    ...first.cost,
    seconds: Math.min(first.cost.seconds, second.cost.seconds),
    memory: Math.min(first.cost.memory, second.cost.memory),
  },
})

/**
 * Reads inputs in this process.
 * @param {string} folder where parts are laid out as files @param {Confinement} confinement
 */
export function reader(folder, confinement) {
  const measure = meter()
  const pages = documented()
  const takeLoose = looseErrors()
  /** @param {Target} target @param {Input} input @param {boolean} watched */
  const prepare = (target, input, watched) => {
    const { files = false, mayRead = [], mayLookUp = false, ports = [] } = target
    const parts = encoded(input)
    if (files) layOut(folder, parts)
    target.prepare?.(input, folder)
    if (watched) confinement.begin({ folder, paths: mayRead, lookUp: mayLookUp, ports })
    return [...parts.values()].reduce((sum, part) => sum + part.length, 0)
  }
  /** Reads an input once. @param {Target} target @param {Input} input @param {boolean} [watched] default: true @returns {Promise<Attempt>} */
  const once = async (target, input, watched = true) => {
    const size = prepare(target, input, watched)
    const { failure, ...measured } = await measure(() => target.read(input, folder))
    const strays = confinement.end()
    const cost = { ...measured, bytes: target.bytes?.() ?? size }
    const failed = failure ?? takeLoose()[0]
    takeLoose()
    if (strays.length > 0) return { fate: 'strayed', cost, strays, error: failed?.error }
    if (failed === undefined) return { fate: 'accepted', cost, strays }
    const { error } = failed
    const isRefusal = isAttuneError(error) && pages.has(error.code)
    return { fate: isRefusal ? 'refused' : 'crashed', cost, strays, error }
  }
  /** Reads an input again unless that takes too long, and keeps the lower cost. @param {Target} target @param {Input} input @param {Attempt} first */
  const repeat = async (target, input, first) =>
    first.cost.seconds > TOO_LONG_TO_REPEAT ? first : lesser(first, await once(target, input))
  return {
    once,
    repeat,
    /** Reads an input, and again if it took too long or too much memory. @param {Target} target @param {Input} input @returns {Promise<Attempt>} */
    async attempt(target, input) {
      const first = await once(target, input)
      return isSlow(first.cost) || isLarge(first.cost) ? repeat(target, input, first) : first
    },
    /** Reads an input again and returns the function with the most CPU time. @param {Target} target @param {Input} input */
    async hot(target, input) {
      prepare(target, input, true)
      const profile = await profileOf(() => target.read(input, folder))
      confinement.end()
      takeLoose()
      return profile === undefined ? undefined : hottest(profile)
    },
  }
}

/** @typedef {ReturnType<typeof reader>} Reader */
