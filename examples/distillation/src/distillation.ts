/**
 * Mutual (online) distillation: a large and a small network train together, each on the labels and on the other's predictions. The
 * student learns from a teacher that is itself still training. Source: Zhang et al., Deep Mutual Learning, 2018.
 */
import * as core from '@attune/core'
import { gradients, stopGradient } from '@attune/nn'
import { lossFunction, stepInputs } from '@attune/trainer'
import onnxruntime from '@attune/engine-onnxruntime'
import bert from '@attune/model-bert'
import mlp from '@attune/model-mlp'
import sequenceClassification from '@attune/objective-sequence-classification'
import adamw from '@attune/optimizer-adamw'
import jsonl from '@attune/source-jsonl'
import wordpiece from '@attune/tokenizer-wordpiece'
import { add, addN, div, exp, logSoftmax, mul, sub, sum } from '@tensorflow/tfjs-core'
import type { Tensor } from '@tensorflow/tfjs-core'

const [steps, batchSize, seed] = [Number(process.argv[2] ?? 60), 16, core.key(1)]
const data = new URL('../../debian-sections/validation.jsonl.gz', import.meta.url).pathname
const source = jsonl({ path: data })
const examples = () => source.open()
const tokenizer = wordpiece(await wordpiece.fit!(wordpiece.options.parse({ vocabularySize: 2000 }), examples))
const { vocabularySize: vocabSize } = tokenizer
const shape = { hiddenSize: 64, numHiddenLayers: 2, numAttentionHeads: 2, intermediateSize: 256 }
const task = await sequenceClassification.fit!(sequenceClassification.options.parse({ maximumLength: 64 }), examples)

/** Both networks, each with its objective and the name of its parameters. */
const networks = Object.entries({ teacher: bert({ ...shape, vocabSize }), student: mlp({ vocabSize }) }).map(
  ([name, model]) => ({ name, model, objective: sequenceClassification(task, { model, tokenizer }) as core.Objective }),
)
const engine = onnxruntime({})
await engine.start()

/** KL divergence from the peer's predictions `p`, without gradient, to the predictions `q`: `Σ p·(ln p − ln q)`, summed over the batch. */
const divergence = (logits: Tensor, peer: Tensor): Tensor => {
  const [q, p] = [logSoftmax(logits), stopGradient(logSoftmax(peer))]
  return sum(mul(exp(p), sub(p, q)))
}

const optimizer = adamw()
interface State extends Record<string, core.Tree> {
  readonly params: Readonly<Record<string, core.Params>>
  readonly optimizer: Readonly<Record<string, core.Tree>>
}

/** A training step of both networks, each with the gradient of its own loss: cross-entropy plus divergence from the peer. */
const step = engine.compile(
  (state: State, batch: core.OnDevice<core.Batch>, hyper: core.Hyper) => {
    const mode = { training: true, key: { seed: hyper.seed, stream: 0 } } as const
    const evaluate = ({ name, ...parts }: (typeof networks)[number]) =>
      lossFunction(parts)({ trainable: state.params[name]!, frozen: {}, batch, mode, hyper })
    const peers = networks.map((network) => stopGradient(evaluate(network).head as Tensor))
    const updated = networks.map((network, i) => {
      const params = state.params[network.name]!
      let distance = peers[i]!
      const { value, grads } = gradients(() => {
        const { head, sum: total, weight } = evaluate(network)
        distance = core.isTensor(head) ? divergence(head, peers[1 - i]!) : distance
        return div(add(total, distance), weight)
      }, params)
      const result = optimizer.update(grads, state.optimizer[network.name]!, params, hyper)
      const next = core.mapParams((p, update) => add(p, update), params, result.updates)
      return [network.name, { value, params: next, optimizer: result.state }] as const
    })
    const byName = <T>(of: (each: (typeof updated)[number][1]) => T): Record<string, T> =>
      Object.fromEntries(updated.map(([name, each]) => [name, of(each)]))
    const distance = div(addN([divergence(peers[1]!, peers[0]!)]), peers[0]!.shape[0]!)
    return {
      state: { params: byName((each) => each.params), optimizer: byName((each) => each.optimizer) },
      losses: byName((each) => each.value),
      distance,
    }
  },
  { donate: [0, 1, 2] },
)

const start = networks.map(({ name, model, objective }) => {
  const init = () => ({ ...model.init(seed), ...objective.init(core.deriveKey(seed, name)) })
  return [name, engine.compile(init)()] as const
})
const params = Object.fromEntries(start)
const moments = start.map(([name, own]) => [name, engine.compile(() => optimizer.init(own))()] as const)
let state: State = { params, optimizer: Object.fromEntries(moments) }
const items: core.Encoded[] = []
for await (const example of examples()) items.push(networks[0]!.objective.encode(example))
for (let i = 1; i <= steps; i++) {
  const at = ((i - 1) * batchSize) % (items.length - batchSize)
  const batch = engine.put(networks[0]!.objective.collate(items.slice(at, at + batchSize)))
  const inputs = stepInputs({ learningRate: 2e-3, step: i, steps, seed: core.deriveKey(seed, 'step', i) })
  const result = step(state, batch, engine.put(inputs))
  state = result.state
  const { losses, distance } = await engine.read({ losses: result.losses, distance: result.distance })
  const loss = (name: string): string => (losses[name]!.values[0] as number).toFixed(3)
  const kl = (distance.values[0] as number).toFixed(3)
  console.log(`step ${i}: teacher ${loss('teacher')}, student ${loss('student')}, divergence ${kl}`)
}
await engine.close()
