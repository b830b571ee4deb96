/**
 * A training loop of one's own: curriculum learning, in which the model sees short texts before long ones. The parts come
 * from the container; the loop, the order of the examples and the update are written here.
 */
import {
  type Batch,
  ENGINE,
  type Encoded,
  type HostArray,
  MODEL,
  OBJECTIVE,
  OPTIMIZER,
  type OnDevice,
  type Params,
  SOURCE,
  TOKENIZER,
  type Tree,
  closeScope,
  createScope,
  fold,
  get,
  getAll,
  key,
  mapParams,
  provide,
} from '@attune/core'
import { type StepInputs, lossAndGradients } from '@attune/trainer'
import adamw from '@attune/optimizer-adamw'
import bert from '@attune/model-bert'
import jsonl from '@attune/source-jsonl'
import sequenceClassification from '@attune/objective-sequence-classification'
import tfjsWasm from '@attune/engine-tfjs-wasm'
import wordpiece from '@attune/tokenizer-wordpiece'
import { add } from '@tensorflow/tfjs-core'

const [steps, batchSize, seed] = [Number(process.argv[2] ?? 20), 16, key(1)]
const data = new URL('../../debian-sections/validation.jsonl.gz', import.meta.url).pathname
const scope = createScope()
provide(scope, jsonl, { path: data })
const [source] = getAll(scope, SOURCE)
const examples = () => source!.open()

// What has to be learned from the data is learned before the parts are made.
provide(scope, wordpiece, await wordpiece.fit!(wordpiece.options.parse({ vocabularySize: 2000 }), examples))
const shape = { hiddenSize: 64, numHiddenLayers: 2, numAttentionHeads: 2, intermediateSize: 256 }
provide(scope, bert, { ...shape, vocabSize: get(scope, TOKENIZER).vocabularySize })
const task = sequenceClassification.options.parse({ maximumLength: 64 })
provide(scope, sequenceClassification, await sequenceClassification.fit!(task, examples))
provide(scope, adamw)
provide(scope, tfjsWasm)

const [engine, model, objective] = [get(scope, ENGINE), get(scope, MODEL), get(scope, OBJECTIVE)]
const [optimizer] = getAll(scope, OPTIMIZER)
await engine.start()

interface State extends Record<string, Tree> {
  readonly params: Params
  readonly optimizer: Tree
}
const step = engine.compile(
  (state: State, batch: OnDevice<Batch>, inputs: StepInputs) => {
    const { loss, grads } = lossAndGradients({ model, objective }, state.params, {}, batch, inputs.seed)
    const { updates, state: moments } = optimizer!.update(grads, state.optimizer, state.params, inputs)
    const params = mapParams((p, update) => add(p, update), state.params, updates)
    return { loss, state: { params, optimizer: moments } }
  },
  { donate: [0, 1, 2] },
)

// The curriculum: all examples, shortest first.
const items: Encoded[] = []
for await (const example of examples()) items.push(objective.encode(example))
items.sort((a, b) => a.length - b.length)

const params = engine.compile(() => ({ ...model.init(seed), ...objective.init(fold(seed, 'head')) }))()
let state: State = { params, optimizer: engine.compile(() => optimizer!.init(params))() }
const number = (value: number): HostArray => ({ shape: [], dtype: 'float32', values: Float32Array.of(value) })
const words = (values: readonly number[]): HostArray => ({
  shape: [2],
  dtype: 'int32',
  values: Int32Array.from(values),
})
for (let i = 1; i <= steps; i++) {
  const at = ((i - 1) * batchSize) % (items.length - batchSize)
  const batch = engine.put(objective.collate(items.slice(at, at + batchSize)))
  const inputs = engine.put({ learningRate: number(1e-3), step: number(i), seed: words(fold(seed, 'step', i)) })
  const result = step(state, batch, inputs)
  state = result.state
  const { values } = await engine.read(result.loss)
  engine.release(result.loss)
  console.log(`step ${i}: texts of ${items[at]!.length} tokens, loss ${values[0]!.toFixed(3)}`)
}
await closeScope(scope)
