// @ts-check
/**
 * Peak memory of fine-tuning a Llama of 135 M parameters (the sizes of SmolLM) with LoRA, with QLoRA, and with QLoRA whose option
 * `quantizeEmbeddings` is set, without and with gradient checkpointing, one process each: `node tools/bench/quantized.mjs`. Only those with
 * checkpointing: `node tools/bench/quantized.mjs checkpointing`; one alone: `node tools/bench/quantized.mjs qlora-embeddings [checkpointing]`. The
 * checkpoint has random weights, rounded to bfloat16 as those of SmolLM, and is loaded as in a run, tensor by tensor when they are used. Prints
 * the peak of the whole process and that of loading, the seconds of loading and of the last step, and the ratios of the peaks to LoRA's.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as core from '@attune/core'
import lora from '@attune/adapter-lora'
import qlora from '@attune/adapter-qlora'
import onnxruntime from '@attune/engine-onnxruntime'
import llama from '@attune/model-llama'
import causal from '@attune/objective-causal-language-modeling'
import adamw from '@attune/optimizer-adamw'
import { lazyTensors } from '@attune/nn'
import { optionsFromConfig, streamSafetensors } from '@attune/weights'
import { openWeights } from '@attune/weights/node'
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
const llamaModel = () => /** @type {core.Model} */ (llama(optionsFromConfig(llama.options, SMOLLM)))

/** Rounds numbers to bfloat16 in place, to nearest, ties to even. @param {Float32Array} values */
function roundToBfloat16(values) {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length)
  for (let i = 0; i < bits.length; i++) {
    const word = bits[i] ?? 0
    bits[i] = (word + 0x7fff + ((word >>> 16) & 1)) & 0xffff0000
  }
  return values
}

/** Writes a checkpoint of random weights to a file. @param {string} file */
async function writeCheckpoint(file) {
  const engine = onnxruntime()
  await engine.start()
  const stored = Object.entries(llamaModel().init(core.key(1))).map(([name, tensor]) => {
    const values = async () => roundToBfloat16(/** @type {any} */ (await engine.read(tensor)).values)
    return [name, { shape: tensor.shape, dtype: /** @type {const} */ ('float32'), values }]
  })
  await writeFile(file, streamSafetensors(Object.fromEntries(stored)))
  await engine.close()
}

/** Parameters of a checkpoint, read when they are used, as a run loads them. @param {string} file */
function parametersOf(file) {
  const reader = openWeights(file)
  const stored = [...reader.tensors].map(([name, { shape }]) => {
    const read = () => /** @type {Float32Array} */ (reader.read(name).values)
    return [name, { shape, read }]
  })
  return lazyTensors(Object.fromEntries(stored), () => reader.close())
}

/** Trains a few steps and prints the peaks. @param {string} name @param {string} file @param {boolean} gradientCheckpointing */
async function train(name, file, gradientCheckpointing) {
  const engine = onnxruntime()
  await engine.start()
  const model = llamaModel()
  const objective = causal({}, { model, tokenizer: /** @type {any} */ ({ vocabularySize: 49152, special: {} }) })
  const given = { engine, randomness: core.key(3) }
  const options = { rank: 8, targets: /** @type {const} */ ('all-linear') }
  const adapter =
    name === 'lora' ? lora(options, given) : qlora({ ...options, quantizeEmbeddings: name !== 'qlora' }, given)
  const begun = performance.now()
  const params = parametersOf(file)
  const { model: adapted, trainable, frozen } = await adapter.adapt(model, params)
  const kept = new Set(Object.values(frozen))
  engine.release(Object.fromEntries(Object.entries(params).filter(([, tensor]) => !kept.has(tensor))))
  const [loading, loadingSeconds] = [peak(), (performance.now() - begun) / 1000]
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
  console.log(JSON.stringify({ name, peak: peak(), loading, frozen: bytes, losses, loadingSeconds, seconds }))
}

const [name = '', ...rest] = process.argv.slice(2)
const inMb = (/** @type {number} */ bytes) => `${(bytes / 1e6).toFixed()} MB`

/** Runs methods on a checkpoint, one process each. @param {readonly string[]} methods @param {string[]} settings @param {string} file */
function measure(methods, settings, file) {
  return methods.map((method) => {
    const args = [import.meta.filename, 'train', method, file, ...settings]
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
    if (status !== 0) throw new Error(stderr)
    console.log([stdout.trim(), ...settings].join(' '))
    return JSON.parse(stdout)
  })
}

/** Measures all methods with the same settings and prints a table. @param {string[]} settings @param {string} file */
function compare(settings, file) {
  const rows = measure(METHODS, settings, file)
  for (const { name: method, peak: bytes } of rows) {
    const ratio = bytes / rows[0].peak
    const judged = method === 'lora' ? '' : ratio <= BAR ? `within the bar of ${BAR}` : `above the bar of ${BAR}`
    console.log([[method, ...settings].join(' with ').padEnd(40), inMb(bytes), ratio.toFixed(2), judged].join('  '))
  }
}

/** Calls `run` with a checkpoint, which is removed afterwards. @param {(file: string) => void} run */
async function withCheckpoint(run) {
  const folder = mkdtempSync(join(tmpdir(), 'attune-quantized-'))
  const file = join(folder, 'model.safetensors')
  try {
    await writeCheckpoint(file)
    run(file)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

if (name === 'train') await train(rest[0] ?? '', rest[1] ?? '', rest.includes('checkpointing'))
else if (METHODS.includes(name)) await withCheckpoint((file) => measure([name], rest, file))
else
  await withCheckpoint((file) => {
    for (const settings of name === '' ? [[], ['checkpointing']] : [[name]]) compare(settings, file)
  })
