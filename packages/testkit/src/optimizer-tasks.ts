import {
  type Engine,
  type HostArray,
  type Hyper,
  type Optimizer,
  type Params,
  type Tree,
  mapParams,
} from '@attune/core'
import {
  type Scalar,
  add,
  matMul,
  mean,
  mul,
  neg,
  reshape,
  softplus,
  square,
  sub,
  sum,
  tensor1d,
  tensor2d,
} from '@tensorflow/tfjs-core'
import { array, closureOf, evaluate, hyperArrays } from './optimizer-steps.js'

/** A function to minimize. */
export interface Task {
  readonly loss: (params: Params) => Scalar
  /** The parameter `x` before the first step. */
  readonly start: HostArray
  readonly steps: number
}

/** `(x − target)²`, summed: 14 at zero. */
export const parabola: Task = {
  loss: ({ x }) => sum(square(sub(x!, tensor1d([1, -2, 3])))) as Scalar,
  start: array([0, 0, 0]),
  steps: 400,
}

/** Rosenbrock function, scaled to a mean so that one learning rate suits. */
export const rosenbrock: Task = {
  loss: ({ x }) => {
    const [a, b] = [x!.slice([0], [1]), x!.slice([1], [1])]
    return mean(add(square(sub(1, a)), mul(100, square(sub(b, square(a)))))) as Scalar
  },
  start: array([0, 0]),
  steps: 1500,
}

/** Features of ten examples, the last one constant, times their classes ±1; not separable. */
const EXAMPLES = [
  [0.5, -1.2, 1],
  [1.5, 0.3, 1],
  [0.7, -0.8, -1],
  [-0.2, -1.9, -1],
  [-1.4, -0.6, 1],
  [2.1, -0.4, 1],
  [0.3, 1.7, -1],
  [-0.9, -1.1, -1],
  [1.8, -0.1, -1],
  [1.2, 0.7, 1],
]

/** Logistic regression of ten examples with an L2 penalty of 0.05: log 2 at zero. */
export const logistic: Task = {
  loss: ({ x }) =>
    add(mean(softplus(neg(matMul(tensor2d(EXAMPLES), reshape(x!, [3, 1]))))), mul(0.025, sum(square(x!)))) as Scalar,
  start: array([0, 0, 0]),
  steps: 400,
}

/** Minimum of {@link logistic}, computed by tools/golden/optimizers.py with scikit-learn's LogisticRegression. */
export const LOGISTIC_MINIMUM = 0.525766275

/** Inputs of five examples, and the matrix that maps them to their targets. */
const INPUTS = [
  [1, 0.5, -0.5],
  [-0.5, 1, 0],
  [0.5, -1, 1],
  [0, 0.5, 1],
  [-1, -0.5, 0.5],
]
const SOLUTION = [
  [1, -0.5],
  [-1.5, 0.5],
  [0.5, 1],
]

/** Linear least squares for a matrix, half the squared error summed over outputs and averaged over examples: 0 at {@link SOLUTION}, which fits exactly. */
export const leastSquares: Task = {
  loss: ({ x }) =>
    mul(0.5 / INPUTS.length, sum(square(matMul(tensor2d(INPUTS), sub(x!, tensor2d(SOLUTION)))))) as Scalar,
  start: array([0.5, 0.5, 0.5, -0.5, -0.5, -0.5], [3, 2]),
  steps: 400,
}

/** The functions to minimize, with their titles and minima; a loss within `tolerance` of the minimum reaches it. */
export const optimizerTasks = {
  parabola: { title: 'parabola', task: parabola, minimum: 0, tolerance: 1e-6 },
  rosenbrock: { title: 'Rosenbrock function', task: rosenbrock, minimum: 0, tolerance: 1e-3 },
  logistic: { title: 'logistic regression', task: logistic, minimum: LOGISTIC_MINIMUM, tolerance: 1e-4 },
  leastSquares: { title: 'least squares for a matrix', task: leastSquares, minimum: 0, tolerance: 1e-6 },
} as const

/** Name of a function to minimize. */
export type OptimizerTask = keyof typeof optimizerTasks

/** Parameters of {@link traceOptimizer}. */
export interface TraceOptions {
  readonly task: OptimizerTask
  readonly learningRate: number
  /** Default: 400 to 1500, by task. */
  readonly steps?: number
  /** Decays the learning rate linearly to 0. Default: false. */
  readonly decay?: boolean
}

/** Minimizes a function from its start; returns the loss before each step. */
export async function traceOptimizer(
  engine: Engine,
  optimizer: Optimizer,
  { task: name, learningRate, decay = false, steps }: TraceOptions,
): Promise<number[]> {
  const { task } = optimizerTasks[name]
  const step = engine.compile(
    (params: Params, state: Tree, hyper: Hyper) => {
      const { value, grads } = evaluate(task.loss, params)
      const next = optimizer.update(grads, state, params, hyper, closureOf(optimizer, task.loss))
      return { loss: value, params: mapParams((p, u) => add(p, u), params, next.updates), state: next.state }
    },
    { donate: [0, 1, 2] },
  )
  let params: Params = engine.put({ x: task.start }) as Params
  let state = engine.compile(() => optimizer.init(params))()
  const losses: number[] = []
  const count = steps ?? task.steps
  for (let i = 1; i <= count; i++) {
    const rate = decay ? learningRate * (1 - (i - 1) / count) : learningRate
    const result = step(params, state, engine.put(hyperArrays(rate, i)))
    losses.push((await engine.read(result.loss)).values[0]!)
    engine.release(result.loss)
    ;({ params, state } = result)
  }
  engine.release(params)
  engine.release(state)
  return losses
}
