// @ts-check
/**
 * Adapters that choose weights by a score, on the tiny BERT and the tiny GPT-2, against PyTorch (tools/golden/masks.py): the sums of
 * statistics over the batches of the golden case, and the masks, on the reference and the compiled engine.
 */
import assert from 'node:assert/strict'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { after, before, describe, it } from 'node:test'
import { ADAPTER, ENGINE, userSpecifier } from '@attune/core'
import { sumOverPass } from '@attune/nn'
import { findPlugin } from '@attune/resolve'
import { dataPass } from '@attune/trainer'
import { mul, neg, square } from '@tensorflow/tfjs-core'
import { apart, hostTree, maximum, readCase, root, tensors } from './measure-model.mjs'

/** @import { Adapted, Engine, HostArray, Params } from '@attune/core' */

const search = { folders: [root] }
const ADAPTERS = readdirSync(join(root, 'plugins')).filter((name) =>
  ['bert', 'gpt2'].every((model) => existsSync(join(root, 'plugins', name, 'golden', model, 'masks.safetensors'))),
)
/** @type {Record<string, Parameters<typeof sumOverPass>[2]>} */
const STATISTICS = {
  fisher: (_, gradient) => square(gradient),
  gradient: (_, gradient) => gradient,
  movement: (weight, gradient) => neg(mul(weight, gradient)),
}

/** A pass over the batches of a golden case, one at a time. */
async function open(/** @type {Engine} */ engine, /** @type {string} */ folder) {
  const golden = JSON.parse(readFileSync(join(folder, 'golden.json'), 'utf8'))
  const { model, objective, weights, golden: examples } = await readCase(join(root, golden.case))
  const params = /** @type {Params} */ (engine.put(weights))
  const batches = examples.examples.map((/** @type {any} */ each) => hostTree(each.batch))
  const pass = dataPass({
    engine,
    model,
    objective: { ...objective, collate: ([index]) => batches[/** @type {any} */ (index).length] },
    trainable: params,
    frozen: {},
    items: () => Readable.from(batches.keys()).map((length) => ({ length })),
    batchSize: 1,
  })
  return { golden, model, params, pass }
}

/** @type {(mask: HostArray, size: number) => number[]} */
const unpacked = ({ values }, size) =>
  Array.from({ length: size }, (_, i) => /** @type {number} */ (values[i >> 3] >> (7 - (i & 7))) & 1)

for (const plugin of ['tfjs-cpu', 'onnxruntime'])
  describe(`masks on ${plugin}`, () => {
    /** @type {Engine} */
    let engine
    before(async () => {
      engine = (await findPlugin(ENGINE, userSpecifier(plugin), search)).plugin()
      await engine.start()
    })
    after(() => engine.close())

    it('covers every adapter that chooses weights', () => assert.equal(ADAPTERS.length, 6))

    for (const adapter of ADAPTERS)
      for (const name of ['bert', 'gpt2']) {
        const folder = join(root, 'plugins', adapter, 'golden', name)

        it(`${adapter} of ${name}: chooses the same weights as PyTorch`, async () => {
          const { golden, model, params, pass } = await open(engine, folder)
          const expected = tensors(join(folder, 'masks.safetensors'))
          const { plugin: make } = await findPlugin(ADAPTER, userSpecifier(adapter.replace('adapter-', '')), search)
          for (const [i, options] of golden.choices.entries()) {
            const all =
              adapter === 'adapter-attention-statistics' || adapter === 'adapter-token-rows'
                ? {}
                : { targets: 'all-linear' }
            /** @type {Adapted} */
            const { trainable, masks = {} } = await make({ ...all, ...options }, { engine }).adapt(model, params, {
              pass,
            })
            const found = /** @type {Record<string, HostArray>} */ (/** @type {unknown} */ (await engine.read(masks)))
            const names = Object.keys(expected).filter((each) => each.startsWith(`${i}/`))
            assert.ok(names.length > 0)
            for (const each of names) {
              const own = each.slice(`${i}/`.length)
              const size = /** @type {any} */ (params[own]).size
              const values = found[own]?.values ?? new Array(size).fill(trainable[own] === undefined ? 0 : 1)
              assert.deepEqual([own, [...values]], [own, unpacked(/** @type {HostArray} */ (expected[each]), size)])
            }
            assert.deepEqual(
              Object.keys(masks).filter((each) => !names.includes(`${i}/${each}`)),
              [],
            )
          }
        })

        if (!existsSync(join(folder, 'scores.safetensors'))) continue
        it(`${adapter} of ${name}: sums the same statistics as PyTorch within 1e-4 of the largest`, async () => {
          const { pass } = await open(engine, folder)
          const expected = tensors(join(folder, 'scores.safetensors'))
          const kinds = new Set(Object.keys(expected).map((each) => /** @type {string} */ (each.split('/')[0])))
          for (const kind of kinds) {
            const names = Object.keys(expected).filter((each) => each.startsWith(`${kind}/`))
            const own = names.map((each) => each.slice(kind.length + 1))
            const found = await sumOverPass(pass, own, /** @type {any} */ (STATISTICS[kind]), {})
            const largest = maximum(
              names.flatMap((each) => Array.from(/** @type {any} */ (expected[each]).values, Math.abs)),
            )
            const differs = own.map((each) =>
              maximum(
                apart(/** @type {any} */ (found[each]).values, /** @type {any} */ (expected[`${kind}/${each}`]).values),
              ),
            )
            const relative = maximum(differs) / largest
            console.log(`${adapter} ${name} ${kind}: ${relative.toExponential(1)}`)
            assert.ok(relative < 1e-4, `${kind} differs by ${relative} of ${largest}`)
          }
        })
      }
  })
