// @ts-check
/**
 * The LoRA family on the tiny BERT and the tiny GPT-2 against peft (tools/golden/lora.py), with the trainer's step, on the reference and the
 * compiled engine: logits, losses, gradients, the weights after five steps, and merged weights. Loads adapters that peft saved; peft loads adapters
 * that Attune saved, if python3 or the Python named by the environment variable PYTHON has it.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { ADAPTER, ENGINE, OPTIMIZER, key, userSpecifier } from '@attune/core'
import { findPlugin } from '@attune/resolve'
import { lossAndGradients, trainingStep } from '@attune/trainer'
import { readAdapter, requireSaveable, saveAdapter } from '../../packages/trainer/dist/files/saved-adapter.js'
import {
  hyperOf,
  apart,
  goldenCases,
  gradientDifference,
  maximum,
  hostTree,
  logitsOf,
  readCase,
  root,
  tensors,
  withRest,
  mergeOf,
} from './measure-model.mjs'
import { pythonWith } from './python.mjs'

/** @import { Adapted, Engine, HostArray, Model, Params } from '@attune/core' */

const search = { folders: [root] }
/** Golden cases `[adapter, model plugin]`. */
const CASES = ['lora', 'rslora', 'dora', 'pissa'].flatMap((method) =>
  readdirSync(goldenOf(method)).map((plugin) => /** @type {const} */ ([method, plugin])),
)
/** @param {string} method */
function goldenOf(method) {
  return join(root, `plugins/adapter-${method}/golden`)
}
const scalar = (/** @type {number} */ n) => ({ shape: [], dtype: 'float32', values: Float32Array.of(n) })
const SEED = { shape: [2], dtype: 'int32', values: Int32Array.of(1, 2) }

/** The golden case, and its model with the tensors of peft's adapter. */
async function open(
  /** @type {string} */ method,
  /** @type {string} */ plugin,
  /** @type {Engine} */ engine,
  options = {},
) {
  const folder = join(goldenOf(method), plugin)
  const expected = JSON.parse(readFileSync(join(folder, 'golden.json'), 'utf8'))
  const it = await readCase(join(root, expected.case))
  const adapter = (await findPlugin(ADAPTER, userSpecifier(method), search)).plugin(
    { ...expected.options, ...options },
    { engine, randomness: key(1) },
  )
  /** @type {Adapted} */
  const adapted = await adapter.adapt(it.model, engine.put(it.weights))
  const start = /** @type {Params} */ (engine.put(tensors(join(folder, 'start.safetensors'))))
  const names = Object.keys(adapted.trainable).filter((name) => name.includes('.lora_'))
  const shapes = (/** @type {Params} */ of) => names.sort().map((name) => [name, of[name]?.shape])
  assert.deepEqual(shapes(start), shapes(adapted.trainable))
  assert.deepEqual(Object.keys(start).sort(), names.sort())
  return { expected, it: { ...it, model: adapted.model }, adapted, trainable: { ...adapted.trainable, ...start } }
}

/** Maximum difference of arrays from those in a file; NaN in the file excludes values that depend on rounding. */
const furthest = (/** @type {any} */ found, /** @type {string} */ file) =>
  maximum(
    Object.entries(tensors(file)).flatMap(([name, { values, shape }]) => {
      assert.deepEqual(found[name]?.shape, shape, name)
      return apart(/** @type {HostArray} */ (found[name]).values, values).filter((_, i) => !Number.isNaN(values[i]))
    }),
  )

for (const name of ['tfjs-cpu', 'onnxruntime']) {
  /** @type {Engine} */
  const engine = (await findPlugin(ENGINE, userSpecifier(name), search)).plugin()
  describe(`on engine ${name}`, () => {
    before(() => engine.start())
    after(() => engine.close())
    for (const [method, plugin] of CASES) {
      const folder = join(goldenOf(method), plugin)

      it(`${method}, ${plugin}: matches logits, losses and merged weights within 1e-5, gradients within 1e-4`, async () => {
        const { expected, it, adapted, trainable } = await open(method, plugin, engine)
        const all = { ...adapted.frozen, ...trainable }
        const infer = engine.compile((/** @type {any} */ p, /** @type {any} */ batch) => logitsOf(it, p, batch))
        for (const [i, { logits, loss }] of expected.examples.entries()) {
          const batch = engine.put(hostTree(it.golden.examples[i].batch))
          const found = /** @type {any} */ (await engine.read(infer(all, batch)))
          assert.ok(maximum(apart(found.logits.values, logits.values)) <= 1e-5)
          assert.ok(Math.abs(found.loss.sum.values[0] / found.loss.weight.values[0] - loss) <= 1e-5)
        }
        const differentiate = engine.compile((t, frozen, batch, seed) =>
          lossAndGradients(it, { trainable: t, frozen, batch, hyper: hyperOf(seed) }),
        )
        const batch = engine.put(hostTree(it.golden.examples[0].batch))
        const { grads } = /** @type {any} */ (
          await engine.read(differentiate(trainable, adapted.frozen, batch, engine.put(/** @type {any} */ (SEED))))
        )
        const gradients = tensors(join(folder, 'gradients.safetensors'))
        assert.deepEqual(Object.keys(grads).sort(), Object.keys(gradients).sort())
        const off = gradientDifference(grads, gradients)
        assert.ok(off <= 1e-4, `expected a gradient difference below 1e-4 of its norm, got ${off}`)
        const merged = await engine.read(engine.compile(mergeOf(adapted))(trainable, adapted.frozen))
        assert.ok(furthest(merged, join(folder, 'merged.safetensors')) <= 1e-5)
        assert.deepEqual(Object.keys(merged).sort(), Object.keys(it.weights).sort())
      })

      it(`${method}, ${plugin}: gradient checkpointing with dropout does not change the gradients`, async () => {
        const { it, adapted, trainable } = await open(method, plugin, engine, { dropout: 0.2 })
        const gradients = async (/** @type {boolean} */ gradientCheckpointing) => {
          const differentiate = engine.compile((t, frozen, batch, seed) =>
            lossAndGradients({ ...it, gradientCheckpointing }, { trainable: t, frozen, batch, hyper: hyperOf(seed) }),
          )
          const batch = engine.put(hostTree(it.golden.examples[0].batch))
          const found = differentiate(trainable, adapted.frozen, batch, engine.put(/** @type {any} */ (SEED)))
          return /** @type {any} */ (await engine.read(found.grads))
        }
        const [kept, again] = [await gradients(false), await gradients(true)]
        assert.ok(gradientDifference(again, kept) <= 1e-5)
        assert.ok(
          gradientDifference(kept, tensors(join(folder, 'gradients.safetensors'))) > 1e-2,
          'dropout has no effect',
        )
      })

      it(`${method}, ${plugin}: matches the losses of five steps of AdamW within 1e-4 and the final weights within 5e-5`, async () => {
        const { expected, it, adapted, trainable } = await open(method, plugin, engine)
        const { training } = expected
        const optimizer = (await findPlugin(OPTIMIZER, userSpecifier('adamw'), search)).plugin({
          weightDecay: training.weightDecay,
        })
        const step = engine.compile(trainingStep({ ...it, optimizer }), { donate: [0, 2, 3] })
        let state = { trainable, optimizer: engine.compile(() => optimizer.init(trainable))() }
        for (const [i, learningRate] of training.rates.entries()) {
          const hyper = {
            learningRate: scalar(learningRate),
            step: scalar(i + 1),
            steps: scalar(9),
            seed: SEED,
            scheduled: {},
          }
          const { batch } = it.golden.examples[i % it.golden.examples.length]
          const put = (/** @type {any} */ tree) => /** @type {any} */ (engine.put(tree))
          const result = step(state, adapted.frozen, put(hostTree(batch)), put(hyper))
          const loss = /** @type {any} */ (await engine.read(result.loss)).values[0]
          assert.ok(Math.abs(loss - training.losses[i]) <= 1e-4, `loss of step ${i + 1}: ${loss}`)
          state = /** @type {any} */ (result.state)
        }
        const off = furthest(await engine.read(state.trainable), join(folder, 'trained.safetensors'))
        assert.ok(off <= 5e-5, `expected a weight difference below 5e-5, got ${off}`)
      })
    }
  })
}

/** Folders of adapters that peft saved, with their adapter and model plugin. */
const SAVED = CASES.flatMap(([method, plugin]) =>
  ['saved', 'raw']
    .map((name) => ({ method, plugin, name, from: join(goldenOf(method), plugin, name) }))
    .filter(({ from }) => existsSync(from)),
)
const { python, absent } = pythonWith('peft')

describe('a saved adapter', () => {
  const temporary = mkdtempSync(join(tmpdir(), 'attune-peft-'))
  /** @type {Engine} */
  let engine
  before(async () => {
    engine = (await findPlugin(ENGINE, userSpecifier('onnxruntime'), search)).plugin()
    await engine.start()
  })
  after(async () => {
    await engine.close()
    rmSync(temporary, { recursive: true })
  })

  /** The golden case of `from` with an adapter saved in `folder`; `differs` is the maximum difference of its logits from peft's. */
  async function load(/** @type {{ method: string, from: string }} */ { method, from }, folder = from) {
    const expected = JSON.parse(readFileSync(join(from, 'golden.json'), 'utf8'))
    const it = await readCase(join(root, expected.case))
    const given = { engine, randomness: key(1) }
    const adapter = (await findPlugin(ADAPTER, userSpecifier(method), search)).plugin({}, given)
    const saved = readAdapter(engine, folder, 1e6)
    const params = /** @type {Params} */ (engine.put(it.weights))
    /** @type {Adapted} */
    const adapted = await adapter.adapt(it.model, params, { saved })
    const differs = async (/** @type {Model} */ model, /** @type {Params} */ all) => {
      const infer = engine.compile((/** @type {any} */ p, /** @type {any} */ batch) =>
        logitsOf({ ...it, model }, p, batch),
      )
      const found = []
      for (const [i, { values }] of expected.logits.entries()) {
        const batch = engine.put(hostTree(it.golden.examples[i].batch))
        found.push(...apart(/** @type {any} */ (await engine.read(infer(all, batch))).logits.values, values))
      }
      return maximum(found)
    }
    return { it, params, adapted, expected, differs, all: { ...adapted.frozen, ...adapted.trainable } }
  }

  for (const each of SAVED) {
    const title = `${each.method}, ${each.plugin}, ${each.name}`
    it(`${title}: loads an adapter of peft and matches its logits within 1e-5, also when merged`, async () => {
      const { it, params, adapted, differs, all } = await load(each)
      const off = [await differs(adapted.model, all)]
      const merged = /** @type {Params} */ (engine.compile(mergeOf(adapted))(adapted.trainable, adapted.frozen))
      off.push(await differs(it.model, merged))
      assert.ok(maximum(off) <= 1e-5, `expected logits within 1e-5, adapted and merged, got ${off.join(', ')}`)
      assert.ok((await differs(it.model, params)) > 1e-2, 'the adapter has no effect')
    })

    it(`${title}: peft loads an adapter of Attune and matches its logits within 1e-5`, { skip: absent }, async () => {
      const { adapted, expected } = await load(each)
      const folder = join(temporary, title)
      const base = join(root, expected.case)
      await saveAdapter(engine, requireSaveable(adapted, each.method), adapted.trainable, { folder, base })
      const script = join(root, 'tools/parity/peft_loads.py')
      const { stdout } = await promisify(execFile)(/** @type {string} */ (python), [script, folder, base])
      const { logits, complaints } = JSON.parse(stdout.slice(stdout.indexOf('{"logits"')))
      assert.deepEqual(complaints, [])
      for (const [i, { values }] of expected.logits.entries()) {
        const off = maximum(apart(logits[i].values, values))
        assert.ok(off <= 1e-5, `expected logits of batch ${i} within 1e-5, got ${off}`)
      }
      const again = await load(each, folder)
      assert.ok((await again.differs(again.adapted.model, again.all)) <= 1e-5)
    })
  }
})

/** Architectures that may lack such linear layers: they have no attention, or compute it differently. */
const MAY_LACK = { attention: ['graph', 'lstm', 'mlp', 'xlnet'], 'all-linear': ['lstm'] }

describe('every family', () => {
  /** @type {Engine} */
  let engine
  before(async () => {
    engine = (await findPlugin(ENGINE, userSpecifier('tfjs-cpu'), search)).plugin()
    await engine.start()
  })
  for (const folder of goldenCases())
    for (const targets of /** @type {const} */ (['attention', 'all-linear']))
      it(`${relative(root, folder)}: LoRA on ${targets} has gradients`, async () => {
        const it = withRest(await readCase(folder), engine)
        const given = { engine, randomness: key(1) }
        const adapter = (await findPlugin(ADAPTER, userSpecifier('lora'), search)).plugin({ targets, rank: 1 }, given)
        /** @type {Adapted} */
        let adapted
        try {
          adapted = await adapter.adapt(it.model, engine.put(it.weights))
        } catch (error) {
          assert.equal(/** @type {any} */ (error).code, 'UNKNOWN_TARGET')
          return assert.ok(MAY_LACK[targets].includes(it.golden.plugin), String(error))
        }
        const { model, trainable, frozen } = adapted
        const batch = engine.put(hostTree(it.golden.examples[0].batch))
        const { grads } = engine.compile((t, f, b, seed) =>
          lossAndGradients({ ...it, model }, { trainable: t, frozen: f, batch: b, hyper: hyperOf(seed) }),
        )(trainable, frozen, batch, engine.put(/** @type {any} */ (SEED)))
        const read = /** @type {Record<string, HostArray>} */ (await engine.read(grads))
        const learning = Object.entries(read).filter(([name]) => name.endsWith('.lora_B.weight'))
        const idle = learning.filter(([, { values }]) => values.every((g) => Math.abs(g) < 1e-9))
        assert.deepEqual(
          idle.map(([name]) => name),
          [],
        )
      })
})
