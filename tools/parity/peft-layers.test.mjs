// @ts-check
/**
 * Adapters of linear layers against peft (tools/golden/peft_layers.py) and AdapterHub (tools/golden/bottleneck.py) on tiny models, on the
 * compiled engine: logits and losses after loading a saved adapter, gradients, and merged weights. peft loads adapters that Attune saved, if
 * python3 or the Python named by the environment variable PYTHON has it. Every adapter trains on every family that has such layers.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { ADAPTER, ENGINE, key, userSpecifier } from '@attune/core'
import { findPlugin } from '@attune/resolve'
import { lossAndGradients } from '@attune/trainer'
import { readAdapter, requireSaveable, saveAdapter } from '../../packages/trainer/dist/files/saved-adapter.js'
import {
  apart,
  goldenCases,
  gradientDifference,
  hostTree,
  hyperOf,
  logitsOf,
  maximum,
  readCase,
  root,
  tensors,
  withRest,
  mergeOf,
} from './measure-model.mjs'
import { pythonWith } from './python.mjs'

/** @import { Adapted, Engine, HostArray, Params } from '@attune/core' */

const ADAPTERS = ['adalora', 'bottleneck', 'ia3', 'qlora', 'vera']
/** Adapters that peft lacks, whose reference is AdapterHub; they have no merge. */
const NOT_IN_PEFT = ['bottleneck']
/** Families without such layers: they have no attention and no feed-forward blocks, or compute them differently. */
const MAY_LACK = ['graph', 'hierarchical-attention', 'lstm', 'mlp', 'xlnet']

const search = { folders: [root] }
const SEED = { shape: [2], dtype: 'int32', values: Int32Array.of(1, 2) }
const { python, absent } = pythonWith('peft')

const adapterOf = async (/** @type {string} */ name, /** @type {Engine} */ engine, options = {}) =>
  (await findPlugin(ADAPTER, userSpecifier(name), search)).plugin(options, { engine, randomness: key(1) })
const engineOf = async (/** @type {string} */ name) => (await findPlugin(ENGINE, userSpecifier(name), search)).plugin()

/** Loads a saved adapter on the golden case of `golden`; `differs` returns the differences of its logits and losses from peft's. */
async function load(
  /** @type {string} */ name,
  /** @type {Engine} */ engine,
  /** @type {string} */ golden,
  folder = golden,
) {
  const expected = JSON.parse(readFileSync(join(golden, 'golden.json'), 'utf8'))
  const it = await readCase(join(root, expected.case))
  const params = /** @type {Params} */ (engine.put(it.weights))
  const saved = readAdapter(engine, folder, 1e6)
  /** @type {Adapted} */
  const adapted = await (await adapterOf(name, engine)).adapt(it.model, params, { saved })
  const differs = async (/** @type {any} */ model, /** @type {Params} */ all) => {
    const infer = engine.compile((/** @type {any} */ p, /** @type {any} */ batch) =>
      logitsOf({ ...it, model }, p, batch),
    )
    const found = []
    for (const [i, { logits, loss }] of expected.examples.entries()) {
      const batch = engine.put(hostTree(it.golden.examples[i].batch))
      const output = /** @type {any} */ (await engine.read(infer(all, batch)))
      found.push(...apart(output.logits.values, logits.values))
      found.push(Math.abs(output.loss.sum.values[0] / output.loss.weight.values[0] - loss))
    }
    return maximum(found)
  }
  return { it, expected, params, adapted, differs, all: { ...adapted.frozen, ...adapted.trainable } }
}

for (const name of ADAPTERS) {
  const golden = join(root, `plugins/adapter-${name}/golden`)
  describe(`adapter ${name}`, () => {
    const temporary = mkdtempSync(join(tmpdir(), 'attune-peft-'))
    /** @type {Engine} */
    let engine
    before(async () => {
      engine = await engineOf('onnxruntime')
      await engine.start()
    })
    after(async () => {
      await engine.close()
      rmSync(temporary, { recursive: true })
    })

    for (const plugin of readdirSync(golden).filter((each) => !each.includes('.'))) {
      const folder = join(golden, plugin)

      it(`${plugin}: loads a saved adapter and matches logits and losses within 1e-5, also when merged`, async (t) => {
        const { it, params, adapted, differs, all } = await load(name, engine, folder)
        const off = await differs(adapted.model, all)
        assert.ok(off <= 1e-5, `logits differ by ${off}`)
        assert.ok((await differs(it.model, params)) > 1e-2, 'the adapter has no effect')
        if (NOT_IN_PEFT.includes(name)) return t.diagnostic(`logits ${off.toExponential(1)}`)
        const merged = /** @type {Params} */ (engine.compile(mergeOf(adapted))(adapted.trainable, adapted.frozen))
        const mergedOff = await differs(it.model, merged)
        assert.ok(mergedOff <= 1e-5, `logits of the merged model differ by ${mergedOff}`)
        const host = /** @type {any} */ (await engine.read(merged))
        const weights = Object.entries(tensors(join(folder, 'merged.safetensors')))
        const apartBy = maximum(weights.flatMap(([each, { values }]) => apart(host[each].values, values)))
        assert.ok(apartBy <= 1e-6, `merged weights differ by ${apartBy}`)
        t.diagnostic(`logits ${off.toExponential(1)}, merged weights ${apartBy.toExponential(1)}`)
      })

      it(`${plugin}: matches the gradients of the first batch within 2e-5 of their norms`, async (t) => {
        const { it, adapted } = await load(name, engine, folder)
        const differentiate = engine.compile((trainable, frozen, batch, seed) =>
          lossAndGradients({ ...it, model: adapted.model }, { trainable, frozen, batch, hyper: hyperOf(seed) }),
        )
        const batch = engine.put(hostTree(it.golden.examples[0].batch))
        const result = differentiate(adapted.trainable, adapted.frozen, batch, engine.put(/** @type {any} */ (SEED)))
        const grads = /** @type {any} */ (await engine.read(result.grads))
        const expected = tensors(join(folder, 'gradients.safetensors'))
        assert.deepEqual(Object.keys(grads).sort(), Object.keys(expected).sort())
        const off = gradientDifference(grads, expected)
        assert.ok(off <= 2e-5, `gradients differ by ${off}`)
        t.diagnostic(`gradients ${off.toExponential(1)}`)
      })

      it(`${plugin}: adapts the same layers as the reference with the same options`, async () => {
        const { it, expected, adapted, params } = await load(name, engine, folder)
        const own = await (await adapterOf(name, engine, expected.options)).adapt(it.model, params)
        assert.deepEqual(Object.keys(own.trainable).sort(), Object.keys(adapted.trainable).sort())
      })

      it(
        `${plugin}: peft loads an adapter of Attune and matches its logits within 1e-5`,
        { skip: NOT_IN_PEFT.includes(name) ? 'peft has no such adapter' : absent },
        async () => {
          const { adapted, expected } = await load(name, engine, folder)
          const written = join(temporary, plugin)
          const base = join(root, expected.case)
          await saveAdapter(engine, requireSaveable(adapted, name), adapted.trainable, { folder: written, base })
          const script = join(root, 'tools/parity/peft_loads.py')
          const { stdout } = await promisify(execFile)(/** @type {string} */ (python), [script, written, base])
          const { logits, complaints } = JSON.parse(stdout.slice(stdout.indexOf('{"logits"')))
          assert.deepEqual(complaints, [])
          // The script's base model is not quantized: with QLoRA, only the tensors are compared, by the script.
          const comparable = name === 'qlora' ? [] : expected.examples
          for (const [i, { logits: wanted }] of comparable.entries())
            assert.ok(maximum(apart(logits[i].values, wanted.values)) <= 1e-5, `logits of batch ${i}`)
          const again = await load(name, engine, folder, written)
          assert.ok((await again.differs(again.adapted.model, again.all)) <= 1e-5)
        },
      )
    }
  })
}

describe('every family', () => {
  /** @type {Engine} */
  let engine
  before(async () => {
    engine = await engineOf('tfjs-cpu')
    await engine.start()
  })
  for (const folder of goldenCases())
    for (const name of ADAPTERS)
      it(`${relative(root, folder)}: ${name} has gradients`, async () => {
        const it = withRest(await readCase(folder), engine)
        /** @type {Adapted} */
        let adapted
        try {
          adapted = await (await adapterOf(name, engine)).adapt(it.model, engine.put(it.weights))
        } catch (error) {
          assert.equal(/** @type {any} */ (error).code, 'UNKNOWN_TARGET')
          return assert.ok(MAY_LACK.includes(it.golden.plugin), String(error))
        }
        const { model, trainable, frozen } = adapted
        const batch = engine.put(hostTree(it.golden.examples[0].batch))
        const { grads } = engine.compile((t, f, b, seed) =>
          lossAndGradients({ ...it, model }, { trainable: t, frozen: f, batch: b, hyper: hyperOf(seed) }),
        )(trainable, frozen, batch, engine.put(/** @type {any} */ (SEED)))
        const read = /** @type {Record<string, HostArray>} */ (await engine.read(grads))
        assert.ok(Object.values(read).every(({ values }) => values.every(Number.isFinite)))
        assert.ok(Object.values(read).some(({ values }) => values.some((g) => Math.abs(g) > 1e-9)))
      })
})
