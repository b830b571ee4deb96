import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import {
  type AnyPlugin,
  type Engine,
  type HostArray,
  type Hyper,
  type Optimizer,
  type Params,
  type Tree,
  isHostArray,
  isTensor,
  key,
  leaves,
  mapParams,
  normals,
  stream,
  treeOf,
} from '@attune/core'
import { decodeSafetensors, encodeSafetensors } from '@attune/weights'
import { type Scalar, add, mean, mul, square, sub, sum, tensor1d, valueAndGrads } from '@tensorflow/tfjs-core'
import { describeOptions } from './describe-options.js'
import { expectClose } from './expect-close.js'
import { onlyTensors } from './only-tensors.js'
import { referenceEngine } from './reference-engine.js'

/** Parameters, gradients, and the parameters after each step, computed by another library. */
export interface OptimizerGolden {
  readonly source: string
  readonly cases: readonly {
    readonly options: Readonly<Record<string, unknown>>
    readonly learningRates: readonly number[]
    readonly initial: Readonly<
      Record<string, { readonly shape: readonly number[]; readonly values: readonly number[] }>
    >
    readonly gradients: readonly Readonly<Record<string, readonly number[]>>[]
    readonly expected: readonly Readonly<Record<string, readonly number[]>>[]
  }[]
}

type Step = (
  params: Params,
  state: Tree,
  grads: Params,
  hyper: Hyper,
) => {
  params: Params
  state: Tree
}

const array = (values: readonly number[], shape: readonly number[] = [values.length]): HostArray => ({
  shape,
  dtype: 'float32',
  values: Float32Array.from(values),
})

const SEED: HostArray = { shape: [2], dtype: 'int32', values: Int32Array.of(1, 2) }

const hyperArrays = (learningRate: number, step: number) => ({
  learningRate: array([learningRate], []),
  step: array([step], []),
  steps: array([1000], []),
  seed: SEED,
  scheduled: {},
})

const stepOf =
  (optimizer: Optimizer): Step =>
  (params, state, grads, hyper) => {
    const result = optimizer.update(grads, state, params, hyper)
    return { params: mapParams((p, u) => add(p, u), params, result.updates), state: result.state }
  }

const signature = (tree: Tree): string[] =>
  leaves(tree, isTensor).map(([path, leaf]) => `${path} ${leaf.dtype} [${leaf.shape.join()}]`)

const start = { 'a.weight': array([1, -2, 3, -4, 5, -6], [2, 3]), 'a.bias': array([0.5, -0.5, 0.25]) }

/** Returns `count` reproducible gradients for {@link start}. */
function gradients(count: number): { 'a.weight': HostArray; 'a.bias': HostArray }[] {
  const next = normals(stream(key(11)))
  const sample = (n: number): number[] => Array.from({ length: n }, next)
  return Array.from({ length: count }, () => ({ 'a.weight': array(sample(6), [2, 3]), 'a.bias': array(sample(3)) }))
}

/** Takes one step per gradient; frees the parameters and state it replaces. */
function train(
  engine: Engine,
  optimizer: Optimizer,
  from: { params: Params; state: Tree },
  steps: ReturnType<typeof gradients>,
  first = 1,
) {
  const step = engine.compile(stepOf(optimizer), { donate: [0, 1, 2, 3] })
  return steps.reduce((now, gradient, i) => {
    const hyper = engine.put(hyperArrays(0.1, first + i))
    return step(now.params, now.state, engine.put(gradient), hyper)
  }, from)
}

/** Minimizes `loss` from zero for `steps` steps; returns the last value. */
async function minimise(
  engine: Engine,
  optimizer: Optimizer,
  loss: (x: Params) => Scalar,
  size: number,
  steps: number,
  learningRate: number,
) {
  const step = engine.compile(
    (params: Params, state: Tree, hyper: Hyper) => {
      const { value, grads } = valueAndGrads((x) => loss({ x }))([params['x']!])
      const next = optimizer.update({ x: grads[0]! }, state, params, hyper)
      return { loss: value, params: mapParams((p, u) => add(p, u), params, next.updates), state: next.state }
    },
    { donate: [0, 1, 2] },
  )
  let params: Params = engine.put({ x: array(new Array<number>(size).fill(0)) }) as Params
  let state = engine.compile(() => optimizer.init(params))()
  let last = Number.NaN
  for (let i = 1; i <= steps; i++) {
    const hyper = engine.put(hyperArrays(learningRate, i))
    const result = step(params, state, hyper)
    last = (await engine.read(result.loss)).values[0]!
    engine.release(result.loss)
    ;({ params, state } = result)
  }
  engine.release(params)
  engine.release(state)
  return last
}

/** Returns `(x − target)²`, summed. */
const parabola = ({ x }: Params): Scalar => sum(square(sub(x!, tensor1d([1, -2, 3])))) as Scalar

/** Rosenbrock function, scaled to a mean so that one learning rate suits. */
const rosenbrock = ({ x }: Params): Scalar => {
  const [a, b] = [x!.slice([0], [1]), x!.slice([1], [1])]
  return mean(add(square(sub(1, a)), mul(100, square(sub(b, square(a)))))) as Scalar
}

/**
 * Contract of an optimizer. `golden` holds the parameters after each step, computed by another library; `learningRates` are those at
 * which the parabola and the Rosenbrock function should be minimized (default 0.05 and 0.001). A technique that cannot minimize them
 * states `exceptions: { parabola | rosenbrock: reason }` in its manifest.
 *
 * @example
 * ```ts no-run
 * import { sgd } from '@attune/optimizer-sgd'
 * import { describeOptimizer } from '@attune/testkit'
 * describeOptimizer(sgd, { options: { momentum: 0.9 } })
 * ```
 */
export function describeOptimizer(
  plugin: AnyPlugin,
  {
    options = {},
    golden,
    learningRates = { parabola: 0.05, rosenbrock: 0.001 },
  }: {
    readonly options?: Readonly<Record<string, unknown>>
    readonly golden?: OptimizerGolden
    readonly learningRates?: { readonly parabola: number; readonly rosenbrock: number }
  } = {},
): void {
  describe(`optimizer ${plugin.name}`, () => {
    const engine = referenceEngine()
    const make = (given = options): Optimizer => plugin(given) as Optimizer
    const begin = (optimizer: Optimizer) => {
      const params = engine.put(start) as Params
      return { params, state: engine.compile(() => optimizer.init(params))() }
    }
    beforeAll(() => engine.start())
    afterAll(() => engine.close())
    describeOptions(plugin, options)

    it('keeps the keys, shapes and dtypes of its state', () => {
      const begun = begin(make())
      const before = signature(begun.state)
      const after = train(engine, make(), begun, gradients(3))
      expect(signature(after.state)).toEqual(before)
      engine.release(after.params)
      engine.release(after.state)
    })

    it('keys its state by parameter name', () => {
      const { params, state } = begin(make())
      const outside = leaves(state, isTensor).filter(
        ([path]) => !Object.keys(start).some((name) => path.split('/').includes(name)),
      )
      expect(outside.map(([path]) => path)).toEqual([])
      engine.release(params)
      engine.release(state)
    })

    it('is pure: returns the same bits for the same input and does not modify it', async () => {
      const begun = begin(make())
      const [gradient] = gradients(1)
      const grads = engine.put(gradient!) as unknown as Params
      const hyper: Hyper = engine.put(hyperArrays(0.1, 1))
      const step = engine.compile(stepOf(make()))
      const once = await engine.read(step(begun.params, begun.state, grads, hyper))
      const twice = await engine.read(step(begun.params, begun.state, grads, hyper))
      expect(twice).toEqual(once)
      expectClose(await engine.read(begun.params), start, 0)
      expectClose(await engine.read(grads), gradient, 0)
    })

    it('reads the learning rate as an input, not as a compiled-in constant', async () => {
      const optimizer = make()
      const step = engine.compile(stepOf(optimizer))
      const begun = begin(optimizer)
      const grads = engine.put(gradients(1)[0]!) as unknown as Params
      const after = async (learningRate: number) => {
        const hyper = engine.put(hyperArrays(learningRate, 1))
        const result = onlyTensors(() => step(begun.params, begun.state, grads, hyper))
        return ((await engine.read(result)) as { params: Record<string, HostArray> }).params
      }
      expectClose(await after(0), start, 0)
      expect(await after(0.1)).not.toEqual(await after(0.2))
    })

    it('resumes from a saved state with the same bits', async () => {
      const steps = gradients(6)
      const through = train(engine, make(), begin(make()), steps)
      const half = train(engine, make(), begin(make()), steps.slice(0, 3))
      const saved = encodeSafetensors(
        Object.fromEntries(leaves(await engine.read({ p: half.params, s: half.state } as Tree), isHostArray)),
      )
      const names = Object.entries(decodeSafetensors(saved, 'memory').tensors)
      const part = (prefix: string): Params =>
        engine.put(
          Object.fromEntries(names.filter(([n]) => n.startsWith(prefix)).map(([n, v]) => [n.slice(2), v])),
        ) as Params
      const state = nest(part('s/'))
      const resumed = train(engine, make(), { params: part('p/'), state }, steps.slice(3), 4)
      expect(await engine.read(resumed.params)).toEqual(await engine.read(through.params))
      expect(await engine.read(resumed.state)).toEqual(await engine.read(through.state))
    })

    it('frees all intermediate tensors', () => {
      let now = begin(make())
      now = train(engine, make(), now, gradients(2))
      const before = engine.live()
      now = train(engine, make(), now, gradients(20), 3)
      expect(engine.live()).toBe(before)
      engine.release(now.params)
      engine.release(now.state)
    })

    const descends = (
      name: string,
      loss: (x: Params) => Scalar,
      size: number,
      steps: number,
      rate: number,
      below: number,
    ): void => {
      const reason = plugin.exceptions?.[name]
      it(reason === undefined ? `descends ${name}` : `does not descend ${name}: ${reason}`, async () => {
        const last = await minimise(engine, make(), loss, size, steps, rate)
        if (reason === undefined) expect(last).toBeLessThan(below)
        else expect(last).not.toBeLessThan(below)
      })
    }
    descends('parabola', parabola, 3, 400, learningRates.parabola, 0.05)
    descends('rosenbrock', rosenbrock, 2, 1500, learningRates.rosenbrock, 0.7)

    for (const [i, example] of (golden?.cases ?? []).entries())
      it(`agrees with ${golden!.source}, case ${i + 1}: ${JSON.stringify(example.options)}`, async () => {
        const optimizer = make(example.options)
        const shapes = Object.fromEntries(Object.entries(example.initial).map(([n, { shape }]) => [n, shape]))
        const put = (values: Readonly<Record<string, readonly number[]>>): Params =>
          engine.put(Object.fromEntries(Object.entries(values).map(([n, v]) => [n, array(v, shapes[n])]))) as Params
        const step = engine.compile(stepOf(optimizer))
        let params = engine.put(
          Object.fromEntries(
            Object.entries(example.initial).map(([n, { shape, values }]) => [n, array(values, shape)]),
          ),
        ) as Params
        let state = engine.compile(() => optimizer.init(params))()
        for (const [t, expected] of example.expected.entries()) {
          const hyper = engine.put(hyperArrays(example.learningRates[t]!, t + 1))
          ;({ params, state } = step(params, state, put(example.gradients[t]!), hyper))
          const wanted = Object.fromEntries(Object.entries(expected).map(([n, v]) => [n, array(v, shapes[n])]))
          expectClose(await engine.read(params), wanted, 1e-5)
        }
      })
  })
}

/** Nested state of a flat record whose names are paths. */
const nest = (flat: Params): Tree => {
  const entries = Object.entries(flat)
  return entries.length === 0 ? ({} as Tree) : (treeOf(entries) as Tree)
}
