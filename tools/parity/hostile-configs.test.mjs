// @ts-check
/**
 * No `config.json` makes a model plugin hang, exhaust memory or fail with an unspecific error: it creates a model or throws an AttuneError,
 * within ten seconds of CPU time (one second on an idle machine). The configurations are those of the golden cases with changed values.
 */
import assert from 'node:assert/strict'
import { relative } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { ENGINE, MODEL, isAttuneError, key, userSpecifier } from '@attune/core'
import { findPlugin } from '@attune/resolve'
import { configFromOptions, optionsFromConfig } from '@attune/weights'
import { goldenCases, readCase, root } from './measure-model.mjs'

/** @import { AnyPlugin, Engine, HostArray, Model } from '@attune/core' */

/** Limit of CPU time, which does not include other load on the machine; generous for slow machines. */
const LIMIT_IN_SECONDS = 10
/** @type {unknown[]} */
const STRANGE = /** @type {unknown[][]} */ ([
  [1e9, -1, -1e9, 0, 0.5, -0.5, 2 ** 31, 2 ** 53, 1e308, -1e308, Number.NaN, Infinity, -Infinity],
  ['', '16', 'NaN', 'x'.repeat(100_000), '__proto__', true, null],
  [[], {}, [[]], Array.from({ length: 100_000 }, () => 1), { length: 1e9 }, { __proto__: null, toString: 1 }],
]).flat()
const LAYERS = /(^|_)(num|n)_(.*_)?layers?$|^layers$|^num_hidden_groups$/

const named = (/** @type {unknown} */ value) => (JSON.stringify(value) ?? String(value)).slice(0, 40)

/** Returns the result or error of a call, and asserts its time limit. */
function outcome(/** @type {() => unknown} */ call, /** @type {string} */ of) {
  const begun = process.cpuUsage()
  let thrown
  try {
    call()
  } catch (error) {
    thrown = /** @type {any} */ (error)
  }
  const { user, system } = process.cpuUsage(begun)
  const seconds = (user + system) / 1e6
  assert.ok(
    seconds < LIMIT_IN_SECONDS,
    `${of}: expected less than ${LIMIT_IN_SECONDS} s of CPU time, got ${seconds.toFixed(1)} s`,
  )
  assert.ok(thrown === undefined || isAttuneError(thrown), `${of}: ${String(thrown).slice(0, 200)}`)
  return thrown?.code
}

/** @type {Engine} */
const engine = (await findPlugin(ENGINE, userSpecifier('tfjs-cpu'), { folders: [root] })).plugin()

describe('a malformed config.json', () => {
  before(() => engine.start())
  after(() => engine.close())
  for (const folder of goldenCases())
    describe(relative(root, folder), () => {
      /** @type {AnyPlugin} */
      let plugin
      /** @type {Record<string, unknown>} */
      let config
      /** Shape of the word embeddings, and the hidden size. @type {number[]} */
      let table
      const make = (/** @type {object} */ changed) =>
        plugin(optionsFromConfig(plugin.options, { ...config, ...changed }))
      const rejects = (/** @type {Record<string, unknown>} */ changed) => {
        const begin = () => engine.release(engine.compile(() => /** @type {Model} */ (make(changed)).init(key(1)))())
        const code = outcome(begin, named(changed))
        assert.match(String(code), /^(BAD_OPTIONS|MODEL_TOO_LARGE)$/, `${named(changed)} is not rejected`)
      }
      before(async () => {
        const it = await readCase(folder)
        plugin = (await findPlugin(MODEL, userSpecifier(it.golden.plugin), { folders: [root] })).plugin
        config = configFromOptions(optionsFromConfig(plugin.options, it.config))
        const words = /** @type {HostArray} */ (it.weights[it.model.wordEmbeddings])
        table = [...words.shape, it.model.hiddenSize]
      })
      /** @param {(value: number, name: string) => boolean} which @param {number} value */
      const where = (which, value) =>
        Object.fromEntries(
          Object.entries(config).flatMap(([name, old]) =>
            which(/** @type {number} */ (old), name) ? [[name, value]] : [],
          ),
        )

      it('creates a model or throws an AttuneError for any single changed value', () => {
        for (const name of Object.keys(config))
          for (const value of STRANGE) outcome(() => make({ [name]: value }), `${name}: ${named(value)}`)
      })

      it('rejects sizes that are below one, not integers, or not numbers', () => {
        for (const name of Object.keys(where((old) => table.includes(old), 1)))
          for (const value of [0, -1, -16, 0.5, 16.5, Number.NaN, Infinity, '16', [16]]) rejects({ [name]: value })
      })

      it('rejects a billion layers', () => {
        const stacks = where((_, name) => LAYERS.test(name), 1e9)
        for (const [name, value] of Object.entries(stacks)) rejects({ [name]: value })
      })

      it('rejects embedding tables that exceed memory', () => {
        assert.equal(table.length, 3)
        for (const huge of [2 ** 19, 999_936, 9_999_936]) rejects(where((old) => table.includes(old), huge))
      })

      it('rejects combinations of depth and width that exceed memory', () => {
        const wide = where((old) => Number.isInteger(old) && old >= 8, 2 ** 15)
        const deep = where((_, name) => LAYERS.test(name), 1000)
        if (Object.keys(deep).length > 0) rejects({ ...wide, ...deep, layer_types: null })
      })
    })
})
