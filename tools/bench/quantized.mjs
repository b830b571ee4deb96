// @ts-check
/**
 * Peak memory of training a Llama of 135 M parameters (the sizes of SmolLM, random weights) with LoRA, with QLoRA, and with QLoRA whose
 * option `quantizeEmbeddings` is set, one process each: `node tools/bench/quantized.mjs`, with gradient checkpointing
 * `node tools/bench/quantized.mjs checkpointing`, one alone `node tools/bench/quantized.mjs qlora-embeddings`. All weights are made in
 * float32 first; with QLoRA they are freed after quantization. Prints the peak while the model is prepared and that of the steps alone, the
 * seconds of the last step, and the ratios of the peaks of the steps to LoRA's.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import * as core from '@attune/core'
import lora from '@attune/adapter-lora'
import qlora from '@attune/adapter-qlora'
import onnxruntime from '@attune/engine-onnxruntime'
import llama from '@attune/model-llama'
import causal from '@attune/objective-causal-language-modeling'
import adamw from '@attune/optimizer-adamw'
import { optionsFromConfig } from '@attune/weights'
import { trainingStep } from '@attune/trainer'

const SMOLLM = {
  model_type: 'llama',
  vocab_size: 49152,
  hidden_size: 576,
  intermediate_size: 1536,
  num_hidden_layers: 30,
  num_attention_heads: 9,
  num_key_value_heads: 3,
  max_position_embeddings: 2048,
  tie_word_embeddings: true,
}
const [BATCH, LENGTH, STEPS] = [1, 64, 2]
const BAR = 0.5
const METHODS = ['lora', 'qlora', 'qlora-embeddings']

const peak = () => Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) * 1024
const collect = () => /** @type {any} */ (globalThis).gc?.()

/** Trains a few steps and prints the peaks. @param {string} name @param {boolean} gradientCheckpointing */
async function train(name, gradientCheckpointing) {
  const engine = onnxruntime()
  await engine.start()
  /** @type {core.Model} */
  const model = llama(optionsFromConfig(llama.options, SMOLLM))
  const objective = causal({}, { model, tokenizer: /** @type {any} */ ({ vocabularySize: 49152, special: {} }) })
  const given = { engine, randomness: core.key(3) }
  const options = { rank: 8, targets: /** @type {const} */ ('all-linear') }
  const adapter =
    name === 'lora' ? lora(options, given) : qlora({ ...options, quantizeEmbeddings: name !== 'qlora' }, given)
  const params = model.init(core.key(1))
  const { model: adapted, trainable, frozen } = await adapter.adapt(model, params)
  const kept = new Set(Object.values(frozen))
  engine.release(Object.fromEntries(Object.entries(params).filter(([, tensor]) => !kept.has(tensor))))
  for (let i = 0; i < 3; i++) {
    collect()
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  const loading = peak()
  writeFileSync('/proc/self/clear_refs', '5') // resets the peak
  const before = peak()
  const optimizer = adamw({ weightDecay: 0 })
  const step = engine.compile(trainingStep({ model: adapted, objective, optimizer, gradientCheckpointing }), {
    donate: [0, 2, 3],
  })
  /** @type {any} */
  let state = { trainable, optimizer: engine.compile(() => optimizer.init(trainable))() }
  const losses = []
  let seconds = 0
  for (let i = 0; i < STEPS; i++) {
    const started = performance.now()
    const scalar = (/** @type {number} */ n) => ({ shape: [], dtype: 'float32', values: Float32Array.of(n) })
    const ints = (/** @type {(j: number) => number} */ f) => ({
      shape: [BATCH, LENGTH],
      dtype: 'int32',
      values: Int32Array.from({ length: BATCH * LENGTH }, (_, j) => f(j)),
    })
    const token = (/** @type {number} */ j) => 1 + ((7919 * j) % 49151)
    const inputs = { inputIds: ints(token), attentionMask: ints(() => 1), tokenTypeIds: ints(() => 0) }
    const weights = { shape: [BATCH, LENGTH], dtype: 'float32', values: new Float32Array(BATCH * LENGTH).fill(1) }
    const batch = { inputs, targets: ints((j) => token(j + 1)), weights }
    const seed = { shape: [2], dtype: 'int32', values: Int32Array.of(1, i) }
    const hyper = { learningRate: scalar(1e-3), step: scalar(i + 1), steps: scalar(9), seed, scheduled: {} }
    const put = (/** @type {any} */ tree) => /** @type {any} */ (engine.put(tree))
    const result = /** @type {any} */ (step(state, frozen, put(batch), put(hyper)))
    losses.push(/** @type {any} */ (await engine.read(result.loss)).values[0])
    state = result.state
    seconds = (performance.now() - started) / 1000
  }
  const bytes = Object.values(frozen).reduce((sum, { size }) => sum + 4 * size, 0)
  console.log(JSON.stringify({ name, loading, before, steps: peak(), frozen: bytes, losses, seconds }))
}

const [name = '', ...rest] = process.argv.slice(2)
const inMb = (/** @type {number} */ bytes) => `${(bytes / 1e6).toFixed()} MB`
if (METHODS.includes(name)) await train(name, rest.includes('checkpointing'))
else {
  const [base, ...others] = METHODS.map((method) => {
    const args = ['--expose-gc', import.meta.filename, method, name]
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
    if (status !== 0) throw new Error(stderr)
    console.log(stdout.trim())
    return JSON.parse(stdout)
  })
  console.log(`peak memory of training with lora: ${inMb(base.steps)}`)
  for (const { name: method, steps } of others) {
    const ratio = steps / base.steps
    const judged = ratio <= BAR ? 'within' : 'above'
    console.log(`with ${method}: ${inMb(steps)}, a ratio of ${ratio.toFixed(2)}, ${judged} the bar of ${BAR}`)
  }
}
