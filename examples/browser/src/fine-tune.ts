/** Fine-tuning of a small BERT on rows in memory. Nothing here needs Node.js, a file or a server. */
import type * as core from '@attune/core'
import { deriveKey, key } from '@attune/core'
import { chain, clipByGlobalNorm } from '@attune/nn'
import { NO_CONSTANTS, compileStep, encodeAll, epochBatches } from '@attune/trainer'
import adamw from '@attune/optimizer-adamw'
import bert from '@attune/model-bert'
import sequenceClassification from '@attune/objective-sequence-classification'
import tfjsCpu from '@attune/engine-tfjs-cpu'
import wordpiece from '@attune/tokenizer-wordpiece'

/** A labelled text. */
export type Row = Readonly<Record<'text' | 'label', string>>

/** A trained classifier with its engine and tokenizer. */
export interface Classifier {
  readonly engine: core.Engine
  readonly model: core.Model
  readonly tokenizer: core.Tokenizer
  readonly objective: core.Objective
  readonly params: core.Params
}

/** Settings of {@link fineTune}. */
export interface FineTuning {
  readonly steps: number
  /** Called after each step with the mean loss of its batch, and awaited before the next step. */
  readonly onStep: (step: number, loss: number) => Promise<void> | void
}

const BATCH_SIZE = 8
const SEED = key(1)
const SHAPE = { hiddenSize: 32, numHiddenLayers: 2, numAttentionHeads: 2, intermediateSize: 64, initializerRange: 0.15 }

/** Creates the components, with vocabulary and labels fitted to the rows. */
async function partsFor(examples: () => AsyncIterable<core.Example>): Promise<Omit<Classifier, 'params'>> {
  const vocabulary = await wordpiece.fit!(wordpiece.options.parse({ vocabularySize: 500 }), examples)
  const tokenizer = wordpiece(vocabulary)
  const model = bert({ ...SHAPE, vocabSize: tokenizer.vocabularySize, maxPositionEmbeddings: 24 })
  const task = await sequenceClassification.fit!(
    sequenceClassification.options.parse({ maximumLength: 24 }),
    examples,
    () => tokenizer,
  )
  const objective = sequenceClassification(task, { model, tokenizer }) as core.Objective
  const engine = tfjsCpu()
  await engine.start()
  return { engine, model, tokenizer, objective }
}

/** Batches of an endless sequence of epochs. */
async function* batchesOf({ objective }: Pick<Classifier, 'objective'>, examples: () => AsyncIterable<core.Example>) {
  for (let epoch = 0; ; epoch++) {
    const { items } = encodeAll(examples(), (example) => objective.encode(example) as core.Encoded)
    const order = { key: deriveKey(SEED, 'epoch', epoch), done: 0, batchSize: BATCH_SIZE, microBatchSize: BATCH_SIZE }
    yield* epochBatches(items, objective, { ...order, shuffleBuffer: 1000 })
  }
}

/** Trains a randomly initialized BERT to classify texts. */
export async function fineTune(rows: readonly Row[], { steps, onStep }: FineTuning): Promise<Classifier> {
  async function* examples() {
    yield* rows
  }
  const parts = await partsFor(examples)
  const { engine, model, objective } = parts
  const optimizer = chain(clipByGlobalNorm(1), adamw())
  const step = compileStep(engine, { model, objective, optimizer })
  const trainable = engine.compile(() => ({
    ...model.init(deriveKey(SEED, 'model')),
    ...objective.init(deriveKey(SEED, 'head')),
  }))()
  let state = { trainable, optimizer: engine.compile(() => optimizer.init(trainable))() }
  const kept = { frozen: {}, constants: NO_CONSTANTS }
  let number = 0
  for await (const batch of batchesOf(parts, examples)) {
    number++
    const inputs = { learningRate: 2e-3, step: number, steps, seed: deriveKey(SEED, 'step', number) }
    const { state: next, ...result } = step.run(state, kept, batch.parts, inputs)
    state = next as typeof state
    const { loss } = await engine.read(result)
    engine.release(result)
    await onStep(number, loss.values[0] as number)
    if (number === steps) break
  }
  step.dispose()
  return { ...parts, params: state.trainable }
}
