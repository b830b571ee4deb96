/**
 * A custom training loop with curriculum learning: short texts before long ones. The components come from the container. The loop, the
 * order of the examples and the parameter update are written here; evaluation and saving use the trainer's functions.
 */
import * as core from '@attune/core'
import { type StepInputs, encodeAll, inference, lossAndGradients, score, stepInputs } from '@attune/trainer'
import { saveModel } from '@attune/trainer/node'
import adamw from '@attune/optimizer-adamw'
import bert from '@attune/model-bert'
import jsonl from '@attune/source-jsonl'
import sequenceClassification from '@attune/objective-sequence-classification'
import tfjsWasm from '@attune/engine-tfjs-wasm'
import wordpiece from '@attune/tokenizer-wordpiece'
import { add } from '@tensorflow/tfjs-core'

const [steps, batchSize, seed] = [Number(process.argv[2] ?? 20), 16, core.key(1)]
const data = new URL('../../debian-sections/validation.jsonl.gz', import.meta.url).pathname
const scope = core.createScope()
core.provide(scope, jsonl, { path: data })
const [source] = core.getAll(scope, core.SOURCE)
const examples = () => source!.open()

// The vocabulary and the labels are fitted to the data before the components are created.
core.provide(scope, wordpiece, await wordpiece.fit!(wordpiece.options.parse({ vocabularySize: 2000 }), examples))
const shape = { hiddenSize: 64, numHiddenLayers: 2, numAttentionHeads: 2, intermediateSize: 256 }
core.provide(scope, bert, { ...shape, vocabSize: core.get(scope, core.TOKENIZER).vocabularySize })
const task = sequenceClassification.options.parse({ maximumLength: 64 })
core.provide(scope, sequenceClassification, await sequenceClassification.fit!(task, examples))
core.provide(scope, adamw)
core.provide(scope, tfjsWasm)

const [engine, model, objective] = [
  core.get(scope, core.ENGINE),
  core.get(scope, core.MODEL),
  core.get(scope, core.OBJECTIVE),
]
const [optimizer] = core.getAll(scope, core.OPTIMIZER)
await engine.start()

interface State extends Record<string, core.Tree> {
  readonly params: core.Params
  readonly optimizer: core.Tree
}
const step = engine.compile(
  (state: State, batch: core.OnDevice<core.Batch>, hyper: StepInputs) => {
    const evaluation = { trainable: state.params, frozen: {}, batch, hyper }
    const { loss, grads } = lossAndGradients({ model, objective }, evaluation)
    const { updates, state: moments } = optimizer!.update(grads, state.optimizer, state.params, hyper)
    const params = core.mapParams((p, update) => add(p, update), state.params, updates)
    return { loss, state: { params, optimizer: moments } }
  },
  { donate: [0, 1, 2] },
)

// The curriculum: all examples, sorted by length.
const items: core.Encoded[] = []
const encoded = () => encodeAll(examples(), (example) => objective.encode(example)).items
for await (const item of encoded()) items.push(item)
items.sort((a, b) => a.length - b.length)

const params = engine.compile(() => ({ ...model.init(seed), ...objective.init(core.deriveKey(seed, 'head')) }))()
let state: State = { params, optimizer: engine.compile(() => optimizer!.init(params))() }
for (let i = 1; i <= steps; i++) {
  const at = ((i - 1) * batchSize) % (items.length - batchSize)
  const batch = engine.put(objective.collate(items.slice(at, at + batchSize)) as core.Batch)
  const inputs = stepInputs({ learningRate: 1e-3, step: i, steps, seed: core.deriveKey(seed, 'step', i) })
  const result = step(state, batch, engine.put(inputs))
  state = result.state
  const { values } = await engine.read(result.loss)
  engine.release(result.loss)
  console.log(`step ${i}: texts of ${items[at]!.length} tokens, loss ${values[0]!.toFixed(3)}`)
}

const forward = inference(engine, model, objective, { batchSize: 32 })
const { scores } = await score(forward, objective, [], state.params, encoded())
console.log(`loss on all examples: ${scores['loss']!.value.toFixed(3)}`)
const folder = process.argv[3]
const parts = { engine, model, objective, tokenizer: core.get(scope, core.TOKENIZER) }
if (folder !== undefined) console.log(`saved: ${await saveModel(folder, parts, state.params)}`)
await core.closeScope(scope)
