import {
  type CompileOptions,
  ENGINE,
  type Engine,
  type HostArray,
  type PureFunction,
  type Tree,
  definePlugin,
  isHostArray,
  isTensor,
  leaves,
  mapTree,
} from '@attune/core'
import {
  type Tensor,
  copyRegisteredKernels,
  engine as engineOf,
  getKernel,
  registerBackend,
  registerKernel,
  tensor,
  unregisterKernel,
} from '@tensorflow/tfjs-core'
import { eagerEngine } from '@attune/nn'
import { z } from 'zod'
import { describeEngine } from '../describe-engine.js'
import { referenceEngine } from '../reference-engine.js'
import { type Specimen, altered, broken, valid, unchecked, uncheckedFails } from './specimen.test.fixture.js'

/** TF.js in plain JavaScript. */
const plain = definePlugin({
  kind: ENGINE,
  name: 'plain',
  summary: 'TF.js in plain JavaScript',
  options: z.strictObject({ threads: z.int().min(1).max(1).default(1).describe('Number of threads') }),
  create: (): Engine => referenceEngine(),
})

type Run = (...trees: Tree[]) => Tree

const suite = (change: (engine: Engine) => object) => (): void =>
  describeEngine(altered<Engine>(plain, (engine) => ({ ...engine, ...change(engine) })))
/** Suite on an engine whose `compile` differs; `change` gets the compiled function of the valid engine, and the function itself. */
const compiling = (change: (compiled: Run, fn: Run, options: CompileOptions) => Run, dispose = (): void => undefined) =>
  suite((engine) => ({
    compile: (fn: PureFunction, options: CompileOptions = {}) =>
      Object.assign(change(engine.compile(fn, options) as Run, fn as Run, options), { dispose }),
  }))

const device = 'has a device name'
const transfer = 'round-trips trees through the device unchanged'
const copies = 'copies in both directions'
const grows = 'uses no more memory after 400 more steps than after 100'
const holds = 'holds as many tensors after 40 steps as after one, with correct values'
const twice = 'returns separate tensors for identical results, which are donated and freed independently'
const donated = 'keeps a donated argument that is returned or shares memory with a result'
const throws = 'frees intermediate tensors when a function throws, and keeps its arguments'
const turns = 'accepts arguments of changing shapes, and results of its own functions'
const constants = 'follows changes of constant arguments, and keeps them'
const outlive = 'returns results that outlive their compiled function'

const tensorsOf = (tree: unknown): readonly Tensor[] => leaves(tree, isTensor).map(([, each]) => each)

/** Frees all donated tensors, even those it returns. */
const greedy =
  (compiled: Run, _: Run, { donate = [] }: CompileOptions): Run =>
  (...trees) => {
    const result = compiled(...trees)
    for (const each of tensorsOf(
      donate
        .map((at) => [trees[at]])
        .flat()
        .filter((tree) => !isTensor(tree) || tensorsOf(result).includes(tree)),
    ))
      each.dispose()
    return result
  }

/** Frees donated tensors even if the function throws. */
const hasty =
  (compiled: Run, _: Run, { donate = [] }: CompileOptions): Run =>
  (...trees) => {
    try {
      return compiled(...trees)
    } catch (error) {
      for (const at of donate) for (const each of tensorsOf(trees[at])) each.dispose()
      throw error
    }
  }

/** Runs a failing function again outside its scope, and leaks the intermediate tensors. */
const untidy =
  (compiled: Run, fn: Run): Run =>
  (...trees) => {
    try {
      return compiled(...trees)
    } catch {
      return fn(...trees)
    }
  }

/** Uses the constants of the first call in all calls. */
const rigid = (compiled: Run, _: Run, { constant = [] }: CompileOptions): Run => {
  let first: readonly Tree[] | undefined
  return (...trees) => {
    const then = (first ??= trees)
    return compiled(...trees.map((tree, at) => (constant.includes(at) ? then[at]! : tree)))
  }
}

/** Accepts only the shapes of the first call. */
const shaped = (compiled: Run): Run => {
  let first: string | undefined
  return (...trees) => {
    const shapes = tensorsOf(trees)
      .map(({ shape }) => shape.join())
      .join(' ')
    if ((first ??= shapes) !== shapes) throw new Error(`compiled for ${first}`)
    return compiled(...trees)
  }
}

/** Leaks host memory at each call. */
function hoarding() {
  const kept: Float32Array[] = []
  return (compiled: Run): Run =>
    (...trees: Tree[]) => {
      kept.push(new Float32Array(1 << 16).fill(kept.length))
      return compiled(...trees)
    }
}

/** Frees the results of a function with the function. */
const binding = (engine: Engine): object => ({
  compile(fn: PureFunction, options?: CompileOptions) {
    const results: Tree[] = []
    const compiled = engine.compile(fn, options) as Run
    const run = (...trees: Tree[]): Tree => {
      results.push(compiled(...trees))
      return results.at(-1)!
    }
    return Object.assign(run, { dispose: () => results.forEach((result) => engine.release(result)) })
  },
})

/** A backend with an inexact hyperbolic tangent, rounded to three decimals. */
function rough(): Engine {
  const sane = getKernel('Tanh', 'cpu')!
  return eagerEngine({
    backend: 'rough',
    device: 'TF.js, roughly',
    load() {
      registerBackend('rough', engineOf().findBackendFactory('cpu') as never)
      copyRegisteredKernels('cpu', 'rough')
      unregisterKernel('Tanh', 'rough')
      registerKernel({
        ...sane,
        backendName: 'rough',
        kernelFunc(given) {
          const result = sane.kernelFunc(given) as { dataId: object }
          const { data } = given.backend as { data: Map<object, { values: Float32Array }> }
          const stored = data.get(result.dataId)!
          stored.values = stored.values.map((x) => Math.round(x * 1000) / 1000)
          return result as never
        },
      })
      return Promise.resolve()
    },
  })
}

const notCopied = (values: HostArray): Tensor => tensor(values.values, [...values.shape], values.dtype)
const float = (array: HostArray): HostArray =>
  array.dtype === 'int32' ? { ...array, dtype: 'float32', values: Float32Array.from(array.values) } : array

/** Engine specimens. */
export const engines: readonly Specimen[] = [
  valid('plain JavaScript', () => describeEngine(plain)),
  broken(
    'has no device name',
    [device],
    suite(() => ({ device: '' })),
  ),
  broken(
    'does not copy the arrays it receives',
    [copies],
    suite(() => ({ put: (tree: unknown) => mapTree(tree, isHostArray, notCopied) })),
  ),
  broken(
    'returns integers as floats',
    [transfer, 'comparisons, casts and choices'],
    suite(({ read }) => ({ read: async (tree: Tree) => mapTree(await read(tree), isHostArray, float) })),
  ),
  broken(
    'does not free donated tensors',
    [holds, twice],
    suite(({ compile }) => ({ compile: (fn: PureFunction) => compile(fn) })),
  ),
  broken('leaks memory outside TF.js', [grows], compiling(hoarding())),
  broken('frees donated tensors that it returns', [donated], compiling(greedy)),
  broken('frees donated tensors when a function throws', [throws], compiling(hasty)),
  broken('leaks intermediate tensors when a function throws', [throws], compiling(untidy)),
  broken('keeps the constants of the first call', [constants], compiling(rigid)),
  broken('accepts only the shapes of the first call', [turns], compiling(shaped)),
  broken('frees results with their function', [outlive], suite(binding)),
  broken(
    'computes an inexact tanh',
    ['tanh, and its gradient', 'geluTanh, and its gradient', 'gradient checkpointing, and its gradient'],
    () => describeEngine(altered<Engine>(plain, rough)),
  ),
  broken('accepts any options', uncheckedFails(5), () => describeEngine(unchecked(plain))),
]
