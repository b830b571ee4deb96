// @ts-check
/**
 * Adapters with virtual tokens on tiny models against peft (tools/golden/virtual_tokens.py), on the reference and the compiled engine:
 * logits and losses of adapters that peft saved, gradients of the first step, and generation with a KV cache. peft loads adapters that
 * Attune saved, if python3 or the Python named by the environment variable PYTHON has it.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { ADAPTER, ENGINE, key, userSpecifier } from '@attune/core'
import { generator } from '@attune/generate'
import { headFor, tokenLogits } from '@attune/nn'
import { findPlugin } from '@attune/resolve'
import { lossAndGradients } from '@attune/trainer'
import { readAdapter, requireSaveable, saveAdapter } from '../../packages/trainer/dist/files/saved-adapter.js'
import { lastValueFrom, toArray } from 'rxjs'
import {
  apart,
  gradientDifference,
  hostTree,
  hyperOf,
  logitsOf,
  maximum,
  readCase,
  root,
  tensors,
} from './measure-model.mjs'
import { pythonWith } from './python.mjs'

/** @import { Adapted, Engine, Params } from '@attune/core' */

const search = { folders: [root] }
const SEED = { shape: [2], dtype: 'int32', values: Int32Array.of(1, 2) }
const folders = ['prompt-tuning', 'p-tuning', 'prefix-tuning'].flatMap((adapter) => {
  const golden = join(root, `plugins/adapter-${adapter}/golden`)
  return readdirSync(golden).map((name) => ({ adapter, name, folder: join(golden, name) }))
})

/** The golden case, and its model with a new adapter, or with the one that peft saved. */
async function open(
  /** @type {(typeof folders)[number]} */ { adapter: name, folder },
  /** @type {Engine} */ engine,
  isSaved = false,
) {
  const expected = JSON.parse(readFileSync(join(folder, 'golden.json'), 'utf8'))
  const it = await readCase(join(root, expected.case))
  const plugin = (await findPlugin(ADAPTER, userSpecifier(name), search)).plugin
  const tokenizer = { encode: () => ({ ids: [1] }) }
  const adapter = plugin(isSaved ? {} : expected.options, { engine, randomness: key(1), tokenizer })
  const saved = isSaved ? readAdapter(engine, join(folder, 'saved'), 1e6) : undefined
  /** @type {Adapted} */
  const adapted = await adapter.adapt(it.model, engine.put(it.weights), saved === undefined ? {} : { saved })
  return { expected, it: { ...it, model: adapted.model }, adapted }
}

for (const name of ['tfjs-cpu', 'onnxruntime']) {
  /** @type {Engine} */
  const engine = (await findPlugin(ENGINE, userSpecifier(name), search)).plugin()
  describe(`on engine ${name}`, () => {
    before(() => engine.start())
    after(() => engine.close())
    for (const each of folders) {
      const title = `${each.adapter} on ${each.name}`

      it(`${title}: matches the logits of the adapter that peft saved within 1e-5, and losses`, async () => {
        const { expected, it, adapted } = await open(each, engine, true)
        const all = { ...adapted.frozen, ...adapted.trainable }
        const infer = engine.compile((/** @type {any} */ p, /** @type {any} */ batch) => logitsOf(it, p, batch))
        for (const [i, { logits, loss }] of expected.examples.entries()) {
          const batch = engine.put(hostTree(it.golden.examples[i].batch))
          const found = /** @type {any} */ (await engine.read(infer(all, batch)))
          const off = maximum(apart(found.logits.values, logits.values))
          assert.ok(off <= 1e-5, `expected logits within 1e-5, got ${off}`)
          const mean = found.loss.sum.values[0] / found.loss.weight.values[0]
          assert.ok(Math.abs(mean - loss) <= 1e-5, `expected the loss ${loss}, got ${mean}`)
        }
      })

      it(`${title}: matches the gradients of the first step within 1e-5 of their norms`, async () => {
        const { it, adapted } = await open(each, engine)
        const start = tensors(join(each.folder, 'start.safetensors'))
        const own = Object.keys(adapted.trainable).filter((parameter) => parameter.startsWith('prompt_'))
        assert.deepEqual(own.sort(), Object.keys(start).sort())
        const trainable = { ...adapted.trainable, .../** @type {Params} */ (engine.put(start)) }
        const differentiate = engine.compile((t, frozen, batch, seed) =>
          lossAndGradients(it, { trainable: t, frozen, batch, hyper: hyperOf(seed) }),
        )
        const batch = engine.put(hostTree(it.golden.examples[0].batch))
        const found = differentiate(trainable, adapted.frozen, batch, engine.put(/** @type {any} */ (SEED)))
        const { grads } = /** @type {any} */ (await engine.read(found))
        const gradients = tensors(join(each.folder, 'gradients.safetensors'))
        assert.deepEqual(Object.keys(grads).sort(), Object.keys(gradients).sort())
        const off = gradientDifference(grads, gradients)
        assert.ok(off <= 1e-5, `expected a gradient difference below 1e-5 of its norm, got ${off}`)
      })

      it(`${title}: generates with the KV cache what the whole text predicts`, async () => {
        const { it, adapted } = await open(each, engine, true)
        if (it.model.cache === undefined) return
        const params = { ...adapted.frozen, ...adapted.trainable }
        const logits = engine.compile((/** @type {any} */ p, /** @type {any} */ inputs) => ({
          logits: tokenLogits(
            it.model,
            headFor(it.model, 'causal-language-modeling'),
            p,
            it.model.forward(p, inputs, { training: false }).lastHiddenState,
          ),
        }))
        const row = (/** @type {readonly number[]} */ values) => ({
          shape: [1, values.length],
          dtype: 'int32',
          values: Int32Array.from(values),
        })
        const prompts = [
          [5, 9, 4],
          [7, 3, 8, 11, 6],
        ]
        const expected = []
        for (const prompt of prompts) {
          const ids = [...prompt]
          for (let i = 0; i < 4; i++) {
            const ones = row(ids.map(() => 1))
            const inputs = { inputIds: row(ids), attentionMask: ones, tokenTypeIds: row(ids.map(() => 0)) }
            const found = /** @type {any} */ (
              await engine.read(logits(params, engine.put(/** @type {any} */ (inputs))))
            )
            const { values, shape } = found.logits
            const last = [...values.subarray(values.length - shape[2])]
            ids.push(last.indexOf(Math.max(...last)))
          }
          expected.push(ids.slice(prompt.length))
        }
        const tokenizer = /** @type {any} */ ({ decode: () => '', special: {}, vocabularySize: it.config.vocab_size })
        const writer = generator({ engine, model: it.model, params, tokenizer })
        const options = { maximumNewTokens: 4, minimumNewTokens: 4, temperature: 0 }
        const events = await lastValueFrom(writer.generate(prompts, options).pipe(toArray()))
        writer.close()
        const ids = prompts.map(
          (_, at) => events.flatMap((e) => (e.type === 'finished' && e.row === at ? [e.ids] : []))[0],
        )
        assert.deepEqual(ids, expected)
      })
    }
  })
}

const { python, absent } = pythonWith('peft')

/** Logits without those of virtual tokens, which peft's language models return: the last rows of each text. */
function ofText(/** @type {any} */ { values, shape }, /** @type {readonly number[]} */ wanted) {
  const [own, text] = [shape, wanted].map((of) =>
    of.slice(1).reduce((/** @type {number} */ a, /** @type {number} */ b) => a * b, 1),
  )
  return Array.from({ length: shape[0] }, (_, row) => values.slice((row + 1) * own - text, (row + 1) * own)).flat()
}

describe('a saved adapter', () => {
  const temporary = mkdtempSync(join(tmpdir(), 'attune-prompts-'))
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
  for (const each of folders)
    it(`${each.adapter} on ${each.name}: peft matches its logits within 1e-5`, { skip: absent }, async () => {
      const { adapted, expected } = await open(each, engine, true)
      const [folder, base] = [join(temporary, `${each.adapter}-${each.name}`), join(root, expected.case)]
      await saveAdapter(engine, requireSaveable(adapted, each.adapter), adapted.trainable, { folder, base })
      const script = join(root, 'tools/parity/peft_loads.py')
      const { stdout } = await promisify(execFile)(/** @type {string} */ (python), [script, folder, base])
      const { logits, complaints } = JSON.parse(stdout.slice(stdout.indexOf('{"logits"')))
      assert.deepEqual(complaints, [])
      for (const [i, { logits: wanted }] of expected.examples.entries()) {
        const off = maximum(apart(ofText(logits[i], wanted.shape), wanted.values))
        assert.ok(off <= 1e-5, `expected logits within 1e-5, got ${off}`)
      }
    })
})
