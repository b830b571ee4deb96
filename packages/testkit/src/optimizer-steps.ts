import {
  type Closure,
  type Engine,
  type HostArray,
  type Hyper,
  type Optimizer,
  type Params,
  type Tree,
  isTensor,
  key,
  leaves,
  mapParams,
  normals,
  stream,
  treeOf,
} from '@attune/core'
import {
  type Scalar,
  add,
  addN,
  matMul,
  mean,
  mul,
  neg,
  reshape,
  scalar,
  softplus,
  square,
  sub,
  sum,
  tensor1d,
  tensor2d,
  valueAndGrads,
} from '@tensorflow/tfjs-core'

/** Parameters and state after a step. */
export interface Stepped {
  readonly params: Params
  readonly state: Tree
}

type Step = (params: Params, state: Tree, grads: Params, hyper: Hyper) => { params: Params; state: Tree }

/** A float32 array; without a shape, a vector. */
export const array = (values: readonly number[], shape: readonly number[] = [values.length]): HostArray => ({
  shape,
  dtype: 'float32',
  values: Float32Array.from(values),
})

const SEED: HostArray = { shape: [2], dtype: 'int32', values: Int32Array.of(1, 2) }

/** The hyperparameters of a step. */
export const hyperArrays = (learningRate: number, step: number) => ({
  learningRate: array([learningRate], []),
  step: array([step], []),
  steps: array([1000], []),
  seed: SEED,
  scheduled: {},
})

/** Value and gradients of a loss. */
export function evaluate(loss: (params: Params) => Scalar, params: Params): { value: Scalar; grads: Params } {
  const names = Object.keys(params)
  const named = (tensors: readonly Params[string][]): Params =>
    Object.fromEntries(names.map((name, i) => [name, tensors[i]!]))
  const { value, grads } = valueAndGrads((...tensors) => loss(named(tensors)))(Object.values(params))
  return { value, grads: named(grads) }
}

/** The closure for an optimizer that needs one. */
export const closureOf = ({ needsClosure }: Optimizer, loss: (params: Params) => Scalar): Closure | undefined =>
  needsClosure === true
    ? (params) => {
        const { value, grads } = evaluate(loss, params)
        return { loss: value, grads, weight: scalar(1) }
      }
    : undefined

const sumOfSquares = (params: Params): Scalar => addN(Object.values(params).map((p) => sum(square(p)))) as Scalar

/** One step: an update, added to the parameters. An optimizer that needs a closure gets that of the sum of squares. */
export const stepOf =
  (optimizer: Optimizer): Step =>
  (params, state, grads, hyper) => {
    const result = optimizer.update(grads, state, params, hyper, closureOf(optimizer, sumOfSquares))
    return { params: mapParams((p, u) => add(p, u), params, result.updates), state: result.state }
  }

/** Path, dtype and shape of each tensor of a tree. */
export const signature = (tree: Tree): string[] =>
  leaves(tree, isTensor).map(([path, leaf]) => `${path} ${leaf.dtype} [${leaf.shape.join()}]`)

/** The parameters before the first step. */
export const start = { 'a.weight': array([1, -2, 3, -4, 5, -6], [2, 3]), 'a.bias': array([0.5, -0.5, 0.25]) }

/** Returns `count` reproducible gradients for {@link start}. */
export function gradients(count: number): { 'a.weight': HostArray; 'a.bias': HostArray }[] {
  const next = normals(stream(key(11)))
  const sample = (n: number): number[] => Array.from({ length: n }, next)
  return Array.from({ length: count }, () => ({ 'a.weight': array(sample(6), [2, 3]), 'a.bias': array(sample(3)) }))
}

/** Takes one step per gradient; frees the parameters and state it replaces. */
export function train(
  engine: Engine,
  optimizer: Optimizer,
  from: Stepped,
  steps: ReturnType<typeof gradients>,
  first = 1,
): Stepped {
  const step = engine.compile(stepOf(optimizer), { donate: [0, 1, 2, 3] })
  return steps.reduce((now, gradient, i) => {
    const hyper = engine.put(hyperArrays(0.1, first + i))
    return step(now.params, now.state, engine.put(gradient), hyper)
  }, from)
}

/** A function to minimize from zero. */
export interface Task {
  readonly loss: (params: Params) => Scalar
  /** The number of coordinates. */
  readonly size: number
  readonly steps: number
}

/** `(x − target)²`, summed: 14 at zero. */
export const parabola: Task = {
  loss: ({ x }) => sum(square(sub(x!, tensor1d([1, -2, 3])))) as Scalar,
  size: 3,
  steps: 400,
}

/** Rosenbrock function, scaled to a mean so that one learning rate suits. */
export const rosenbrock: Task = {
  loss: ({ x }) => {
    const [a, b] = [x!.slice([0], [1]), x!.slice([1], [1])]
    return mean(add(square(sub(1, a)), mul(100, square(sub(b, square(a)))))) as Scalar
  },
  size: 2,
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
  size: 3,
  steps: 400,
}

/** Minimum of {@link logistic}, computed by tools/golden/optimizers.py with scikit-learn's LogisticRegression. */
export const LOGISTIC_MINIMUM = 0.525766275

/** The functions to minimize, with their titles and minima. */
export const optimizerTasks = {
  parabola: { title: 'parabola', task: parabola, minimum: 0 },
  rosenbrock: { title: 'Rosenbrock function', task: rosenbrock, minimum: 0 },
  logistic: { title: 'logistic regression', task: logistic, minimum: LOGISTIC_MINIMUM },
} as const

/** Name of a function to minimize. */
export type OptimizerTask = keyof typeof optimizerTasks

/** Minimizes a function from zero; returns the loss before each step. */
export async function traceOptimizer(
  engine: Engine,
  optimizer: Optimizer,
  how: { readonly task: OptimizerTask; readonly learningRate: number; readonly steps?: number },
): Promise<number[]> {
  const { task } = optimizerTasks[how.task]
  const step = engine.compile(
    (params: Params, state: Tree, hyper: Hyper) => {
      const { value, grads } = evaluate(task.loss, params)
      const next = optimizer.update(grads, state, params, hyper, closureOf(optimizer, task.loss))
      return { loss: value, params: mapParams((p, u) => add(p, u), params, next.updates), state: next.state }
    },
    { donate: [0, 1, 2] },
  )
  let params: Params = engine.put({ x: array(new Array<number>(task.size).fill(0)) }) as Params
  let state = engine.compile(() => optimizer.init(params))()
  const losses: number[] = []
  for (let i = 1; i <= (how.steps ?? task.steps); i++) {
    const result = step(params, state, engine.put(hyperArrays(how.learningRate, i)))
    losses.push((await engine.read(result.loss)).values[0]!)
    engine.release(result.loss)
    ;({ params, state } = result)
  }
  engine.release(params)
  engine.release(state)
  return losses
}

/** Nested state of a flat record whose names are paths. */
export const nest = (flat: Params): Tree => {
  const entries = Object.entries(flat)
  return entries.length === 0 ? ({} as Tree) : (treeOf(entries) as Tree)
}
