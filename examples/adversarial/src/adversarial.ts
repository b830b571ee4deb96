/**
 * Domain-adversarial training: a classifier of Debian packages by section whose representation must not reveal if a package is for
 * servers (admin, net, mail, web, database). The adversary learns to predict that from the representation. Its gradient reaches the
 * classifier reversed, with increasing strength. Source: Ganin et al., Domain-Adversarial Training of Neural Networks, 2016.
 */
import * as core from '@attune/core'
import { crossEntropy, linear, normal, stopGradient } from '@attune/nn'
import { NO_CONSTANTS, compileStep } from '@attune/trainer'
import onnxruntime from '@attune/engine-onnxruntime'
import mlp from '@attune/model-mlp'
import sequenceClassification from '@attune/objective-sequence-classification'
import adamw from '@attune/optimizer-adamw'
import jsonl from '@attune/source-jsonl'
import wordpiece from '@attune/tokenizer-wordpiece'
import { add, mul, onesLike, sub, tanh } from '@tensorflow/tfjs-core'
import type { Tensor } from '@tensorflow/tfjs-core'

const [steps, strength, batchSize, seed] = [
  Number(process.argv[2] ?? 60),
  Number(process.argv[3] ?? 1),
  32,
  core.key(1),
]
const data = new URL('../../debian-sections/validation.jsonl.gz', import.meta.url).pathname
const source = jsonl({ path: data })
const examples = () => source.open()
const tokenizer = wordpiece(await wordpiece.fit!(wordpiece.options.parse({ vocabularySize: 2000 }), examples))
const model = mlp({ vocabSize: tokenizer.vocabularySize, dropout: 0 })
const task = await sequenceClassification.fit!(sequenceClassification.options.parse({ maximumLength: 96 }), examples)
const sections = sequenceClassification(task, { model, tokenizer })
const SERVERS = new Set(['admin', 'net', 'mail', 'web', 'database'])
interface Item extends core.Encoded {
  readonly server: number
}
const items: Item[] = []
for await (const example of examples())
  items.push({ ...sections.encode(example), server: SERVERS.has(String(example['label'])) ? 1 : 0 } as Item)

/** Gradient-reversal layer: the identity in the forward pass; the gradient is multiplied by `-scale`. */
const reverseGradient = (x: Tensor, scale: Tensor): Tensor => sub(mul(stopGradient(x), add(1, scale)), mul(x, scale))

/** The adversary: logits of "the package is for servers", `[batch, hidden]` → `[batch, 2]`. */
const adversary = (params: core.Params, x: Tensor): Tensor =>
  linear(params, 'adversary.out', tanh(linear(params, 'adversary.in', x, { bias: false })), { bias: false })

const objective: core.AnyObjective = {
  ...sections,
  init: (key: core.Key) => ({
    ...sections.init(key),
    'adversary.in.weight': normal(core.deriveKey(key, 'in'), [32, model.hiddenSize], 0.1),
    'adversary.out.weight': normal(core.deriveKey(key, 'out'), [2, 32], 0.1),
  }),
  collate: (batch: readonly Item[]) => ({
    ...sections.collate(batch as never),
    server: { shape: [batch.length], dtype: 'int32', values: Int32Array.from(batch, (item) => item.server) },
  }),
  trainingLoss({ params, mode, hyper, forward }: core.TrainingContext, batch: core.OnDevice<core.Batch>) {
    const outputs = forward(batch.inputs as unknown as core.TextInputs)
    const pooled = reverseGradient(outputs.pooled, hyper.scheduled['objective.reversal']!)
    const losses = crossEntropy(adversary(params, pooled), batch['server'] as Tensor)
    const logits = sections.head(params, outputs, mode, batch as never)
    return { section: sections.loss(logits, batch as never), adversary: { losses, weights: onesLike(losses) } }
  },
}

const engine = onnxruntime({})
await engine.start()
const params = engine.compile(() => ({ ...model.init(seed), ...objective.init(core.deriveKey(seed, 'head')) }))()
const optimizer = adamw()
let state = { trainable: params, optimizer: engine.compile(() => optimizer.init(params))() }
const step = compileStep(engine, { model, objective, optimizer })
/** The losses of classifier and adversary on one batch, without training. */
const evaluate = engine.compile((p: core.Params, batch: core.OnDevice<core.Batch>) => {
  const mode = { training: false } as const
  const outputs = model.forward(p, batch.inputs as unknown as core.TextInputs, mode)
  const { losses } = sections.loss(sections.head(p, outputs, mode, batch as never), batch as never)
  return {
    section: losses.mean(),
    adversary: crossEntropy(adversary(p, outputs.pooled), batch['server'] as Tensor).mean(),
  }
})

for (let i = 1; i <= steps; i++) {
  const at = ((i - 1) * batchSize) % (items.length - batchSize)
  const batch = objective.collate(items.slice(at, at + batchSize))
  // The reversal strength follows the paper's schedule, from 0 towards its maximum.
  const reversal = strength * (2 / (1 + Math.exp((-10 * i) / steps)) - 1)
  const inputs = { learningRate: 5e-3, step: i, steps, seed: core.deriveKey(seed, 'step', i) }
  const kept = { frozen: {}, constants: NO_CONSTANTS }
  const result = step.run(state, kept, [batch], { ...inputs, scheduled: { 'objective.reversal': reversal } })
  state = result.state
  if (i % 10 !== 0) continue
  const losses = await engine.read(evaluate(state.trainable, engine.put(batch) as never))
  const format = ({ values }: core.HostArray): string => (values[0] as number).toFixed(3)
  const [section, server] = [format(losses.section), format(losses.adversary)]
  console.log(`step ${i}: section ${section}, adversary ${server}, reversal ${reversal.toFixed(2)}`)
}
await engine.close()
