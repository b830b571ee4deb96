/**
 * Mutual (online) distillation: a large and a small network train together, each on the labels and on the other's predictions. The
 * small one learns from a teacher that is still learning itself. Source: Zhang et al., Deep Mutual Learning, 2018.
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

/** Each network with the objective on it, and its parameters under a name of its own. */
const networks = Object.entries({ teacher: bert({ ...shape, vocabSize }), student: mlp({ vocabSize }) }).map(
  ([name, model]) => ({ name, model, objective: sequenceClassification(task, { model, tokenizer }) as core.Objective }),
)
const engine = onnxruntime({})
await engine.start()

/** The KL divergence of predictions from those of the peer, which are constants here: `Σ p·(ln p − ln q)`, `p` the peer's. */
const divergence = (logits: Tensor, peer: Tensor): Tensor => {
  const [q, p] = [logSoftmax(logits), stopGradient(logSoftmax(peer))]
  return sum(mul(exp(p), sub(p, q)))
}

const optimizer = adamw()
interface State extends Record<string, core.Tree> {
  readonly params: Readonly<Record<string, core.Params>>
  readonly optimizer: Readonly<Record<string, core.Tree>>
}

/** One step of both networks: labels and the peer's predictions, gradients of each by its own parameters. */
const step = engine.compile(
  (state: State, batch: core.OnDevice<core.Batch>, hyper: core.Hyper) => {
    const mode = { training: true, key: { seed: hyper.seed, stream: 0 } } as const
    const evaluate = ({ name, ...parts }: (typeof networks)[number]) =>
      lossFunction(parts)({ trainable: state.params[name]!, frozen: {}, batch, mode, hyper })
    const peers = networks.map((network) => stopGradient(evaluate(network).head as Tensor))
    const moved = networks.map((network, i) => {
      const params = state.params[network.name]!
      let apart = peers[i]!
      const { value, grads } = gradients(() => {
        const { head, sum: total, weight } = evaluate(network)
        apart = core.isTensor(head) ? divergence(head, peers[1 - i]!) : apart
        return div(add(total, apart), weight)
      }, params)
      const result = optimizer.update(grads, state.optimizer[network.name]!, params, hyper)
      const next = core.mapParams((p, update) => add(p, update), params, result.updates)
      return [network.name, { value, params: next, optimizer: result.state }] as const
    })
    const part = <T>(of: (each: (typeof moved)[number][1]) => T): Record<string, T> =>
      Object.fromEntries(moved.map(([name, each]) => [name, of(each)]))
    const apart = div(addN([divergence(peers[1]!, peers[0]!)]), peers[0]!.shape[0]!)
    return {
      state: { params: part((each) => each.params), optimizer: part((each) => each.optimizer) },
      losses: part((each) => each.value),
      apart,
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
  const { losses, apart } = await engine.read({ losses: result.losses, apart: result.apart })
  const of = (name: string): string => (losses[name]!.values[0] as number).toFixed(3)
  console.log(`step ${i}: teacher ${of('teacher')}, student ${of('student')}, apart ${apart.values[0]!.toFixed(3)}`)
}
await engine.close()
