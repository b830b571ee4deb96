import {
  type AnyPlugin,
  type Closure,
  type Engine,
  type HostArray,
  type Hyper,
  type Optimizer,
  type Params,
  type Tree,
  mapParams,
} from '@attune/core'
import { chain, crossEntropy, scaleByLearningRate } from '@attune/nn'
import {
  type Scalar,
  type Tensor,
  add,
  matMul,
  mean,
  mul,
  scalar,
  square,
  sub,
  sum,
  reshape,
  softplus,
  tensor1d,
  tensor2d,
  neg,
} from '@tensorflow/tfjs-core'
import { largestDifference } from './expect-close.js'
import { integers } from './host-array.js'
import { array, evaluate, hyperArrays, stepOf } from './optimizer-steps.js'

type Values = Readonly<Record<string, readonly number[]>>

/**
 * A regression with the parameter `weight`: the mean of `log(1 + exp(−y · x·w))` with targets ±1, of `(x·w − y)² / 2`, or the mean
 * cross-entropy of `softmax(W·x)` with class ids as targets, plus `l2 / 2 · ‖w‖²`. The weight is `[features]`, of softmax `[classes, features]`.
 */
export interface RegressionProblem {
  readonly kind: 'logistic' | 'least-squares' | 'softmax'
  readonly features: readonly (readonly number[])[]
  readonly targets: readonly number[]
  readonly l2: number
}

/** Steps of another library from the same parameters, with the same gradients or on the same problem. */
export interface OptimizerGoldenCase {
  readonly options: Readonly<Record<string, unknown>>
  readonly learningRates: readonly number[]
  readonly initial: Readonly<Record<string, { readonly shape: readonly number[]; readonly values: readonly number[] }>>
  /** The gradients of each step; absent if they are those of `problem`. */
  readonly gradients?: readonly Values[]
  /** The problem whose loss the closure evaluates. */
  readonly problem?: RegressionProblem
  /** Class ids in place of sampled labels at each step of a softmax problem, for an optimizer that samples labels. */
  readonly samples?: readonly (readonly number[])[]
  /** The parameters after each step. */
  readonly expected: readonly Values[]
  /** The evaluation parameters after each step. */
  readonly evaluated?: readonly Values[]
}

/** Parameters, gradients, and the parameters after each step, computed by another library. */
export interface OptimizerGolden {
  readonly source: string
  /** The plugin is one link of a chain with plain SGD: before or after it. */
  readonly link?: 'before' | 'after'
  /** Name prefixes of the layers of the model, for a plugin that needs a model. */
  readonly layers?: readonly string[]
  readonly cases: readonly OptimizerGoldenCase[]
}

/** Creates a plugin's instance; a plugin that needs a model gets one with the layers of the golden file. */
export const instanceOf = (
  plugin: AnyPlugin,
  options: Readonly<Record<string, unknown>>,
  { layers }: Pick<OptimizerGolden, 'layers'>,
): Optimizer =>
  (layers === undefined
    ? plugin(options)
    : plugin(options, { model: { layers: layers.map((name) => ({ name, prefixes: [name] })) } })) as Optimizer

/** The optimizer that is tested: the plugin, or its chain with plain SGD. */
export function chained(plugin: Optimizer, link: OptimizerGolden['link']): Optimizer {
  if (link === undefined) return plugin
  return link === 'before' ? chain(plugin, scaleByLearningRate()) : chain(scaleByLearningRate(), plugin)
}

/** Loss of a regression problem on its own targets, or on `targets`, `[examples]`. */
export const regressionLoss =
  ({ kind, features, targets, l2 }: RegressionProblem, given?: Tensor) =>
  (params: Params): Scalar => {
    const w = params['weight']!
    const x = tensor2d(features.map((row) => [...row]))
    const y = given ?? tensor1d([...targets], kind === 'softmax' ? 'int32' : 'float32')
    const decay = mul(l2 / 2, sum(square(w)))
    if (kind === 'softmax') return add(mean(crossEntropy(matMul(x, w, false, true), y)), decay) as Scalar
    const predicted = reshape(matMul(x, reshape(w, [-1, 1])), [-1])
    const losses = kind === 'logistic' ? softplus(neg(mul(y, predicted))) : mul(0.5, square(sub(predicted, y)))
    return add(mean(losses), decay) as Scalar
  }

/** One step on a problem: its gradient, the update and the new parameters. `sampled` are the labels of a closure on sampled labels. */
const problemStep = (optimizer: Optimizer, problem: RegressionProblem) => {
  const loss = regressionLoss(problem)
  return (params: Params, state: Tree, hyper: Hyper, sampled?: Tensor): { params: Params; state: Tree } => {
    const { grads } = evaluate(loss, params)
    const closure: Closure = (at, labels) => {
      const { value, grads: own } = evaluate(labels === 'sampled' ? regressionLoss(problem, sampled) : loss, at)
      return { loss: value, grads: own, weight: scalar(problem.targets.length) }
    }
    const { updates, state: next } = optimizer.update(grads, state, params, hyper, closure)
    return { params: mapParams((p, u) => add(p, u), params, updates), state: next }
  }
}

/** Found and expected parameters after a step; with a path `evaluated/…` for evaluation parameters. */
export interface GoldenStep {
  readonly found: Readonly<Record<string, HostArray>>
  readonly expected: Readonly<Record<string, HostArray>>
}

/** Takes the steps of a golden case on an engine and yields the parameters after each. */
export async function* goldenSteps(
  engine: Engine,
  optimizer: Optimizer,
  example: OptimizerGoldenCase,
): AsyncGenerator<GoldenStep> {
  const { initial, gradients, problem, samples, expected, evaluated, learningRates } = example
  const arrays = (values: Values, prefix = ''): Record<string, HostArray> =>
    Object.fromEntries(Object.entries(values).map(([n, v]) => [prefix + n, array(v, initial[n]!.shape)]))
  const withGradients = engine.compile(stepOf(optimizer))
  const onProblem = problem && engine.compile(problemStep(optimizer, problem))
  const evaluate = engine.compile((s: Tree, p: Params) => optimizer.evaluationParams!(s, p))
  let params = engine.put(arrays(mapParams(({ values }) => values, initial))) as Params
  let state = engine.compile(() => optimizer.init(params))()
  for (const [t, values] of expected.entries()) {
    const hyper: Hyper = engine.put(hyperArrays(learningRates[t]!, t + 1))
    const grads = (): Params => engine.put(arrays(gradients![t]!)) as unknown as Params
    const sampled = samples === undefined ? [] : [engine.put(integers(samples[t]!, [samples[t]!.length]))]
    ;({ params, state } = onProblem?.(params, state, hyper, ...sampled) ?? withGradients(params, state, grads(), hyper))
    const found = (await engine.read(params)) as Record<string, HostArray>
    if (evaluated === undefined) yield { found, expected: arrays(values) }
    else {
      const averages = (await engine.read(evaluate(state, params))) as Record<string, HostArray>
      const prefixed = Object.fromEntries(Object.entries(averages).map(([n, a]) => [`evaluated ${n}`, a]))
      yield {
        found: { ...found, ...prefixed },
        expected: { ...arrays(values), ...arrays(evaluated[t]!, 'evaluated ') },
      }
    }
  }
}

/** Largest deviation of an optimizer from the steps of a golden case: absolute, and relative for values above 1. */
export async function goldenDeviation(
  engine: Engine,
  plugin: AnyPlugin,
  golden: OptimizerGolden,
  example: OptimizerGoldenCase,
): Promise<number> {
  const optimizer = chained(instanceOf(plugin, example.options, golden), golden.link)
  let largest = 0
  for await (const { found, expected } of goldenSteps(engine, optimizer, example))
    for (const [name, { values }] of Object.entries(expected))
      largest = Math.max(largest, largestDifference(found[name]!.values, values))
  return largest
}
