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
import { type Specimen, altered, broken, sound, unchecked, uncheckedFails } from './specimen.test.fixture.js'

/** TF.js in plain JavaScript. */
const plain = definePlugin({
  kind: ENGINE,
  name: 'plain',
  summary: 'TF.js in plain JavaScript',
  options: z.strictObject({ threads: z.int().min(1).max(1).default(1).describe('How many threads compute') }),
  create: (): Engine => referenceEngine(),
})

type Run = (...trees: Tree[]) => Tree

const suite = (change: (engine: Engine) => object) => (): void =>
  describeEngine(altered<Engine>(plain, (engine) => ({ ...engine, ...change(engine) })))
/** An engine that compiles to other functions; `change` gets what the sound one compiles, and the function itself. */
const compiling = (change: (compiled: Run, fn: Run, options: CompileOptions) => Run, dispose = (): void => undefined) =>
  suite((engine) => ({
    compile: (fn: PureFunction, options: CompileOptions = {}) =>
      Object.assign(change(engine.compile(fn, options) as Run, fn as Run, options), { dispose }),
  }))

const device = 'names its device'
const border = 'brings trees to the device and back as they were'
const copies = 'copies both ways'
const grows = 'takes no more memory after 400 more steps than after 100'
const holds = 'holds after 40 steps what it held after one, and gives the same numbers as before a step was compiled'
const twice = 'gives two results where two are computed alike, which are given up and freed apart'
const donated = 'keeps a donated argument that is a result, or whose memory a result shares'
const throws = 'leaves nothing behind when a function throws, and keeps what it was given'
const turns = 'takes arguments of other shapes by turns, and results from its own functions'
const constants = 'follows constant arguments when they change, and keeps them'
const outlive = 'has compiled functions whose results outlive them'

const tensorsOf = (tree: unknown): readonly Tensor[] => leaves(tree, isTensor).map(([, each]) => each)

/** Frees all that was given up, also what it gives back. */
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

/** Frees what was given up before it knows that the function ends well. */
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

/** Computes a failure again, and keeps what came of it. */
const untidy =
  (compiled: Run, fn: Run): Run =>
  (...trees) => {
    try {
      return compiled(...trees)
    } catch {
      return fn(...trees)
    }
  }

/** Goes on with the constants that it was first given. */
const rigid = (compiled: Run, _: Run, { constant = [] }: CompileOptions): Run => {
  let first: readonly Tree[] | undefined
  return (...trees) => {
    const then = (first ??= trees)
    return compiled(...trees.map((tree, at) => (constant.includes(at) ? then[at]! : tree)))
  }
}

/** Takes only what is shaped as it was the first time. */
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

/** Keeps an array at each call. */
function hoarding() {
  const kept: Float32Array[] = []
  return (compiled: Run): Run =>
    (...trees: Tree[]) => {
      kept.push(new Float32Array(1 << 16).fill(kept.length))
      return compiled(...trees)
    }
}

/** An engine whose functions take their results with them. */
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

/** A backend with a hyperbolic tangent that is right to three digits. */
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

/** Engines. */
export const engines: readonly Specimen[] = [
  sound('plain JavaScript', () => describeEngine(plain)),
  broken(
    'no name of a device',
    [device],
    suite(() => ({ device: '' })),
  ),
  broken(
    'works on the arrays it is given',
    [copies],
    suite(() => ({ put: (tree: unknown) => mapTree(tree, isHostArray, notCopied) })),
  ),
  broken(
    'brings integers back as floats',
    [border, 'comparisons, casts and choices'],
    suite(({ read }) => ({ read: async (tree: Tree) => mapTree(await read(tree), isHostArray, float) })),
  ),
  broken(
    'does not free what is given up',
    [holds, twice],
    suite(({ compile }) => ({ compile: (fn: PureFunction) => compile(fn) })),
  ),
  broken('keeps numbers that TF.js does not know of', [grows], compiling(hoarding())),
  broken('frees what it gives back', [donated], compiling(greedy)),
  broken('frees what is given up although it fails', [throws], compiling(hasty)),
  broken('leaves what it made when it fails', [throws], compiling(untidy)),
  broken('keeps the first constants', [constants], compiling(rigid)),
  broken('takes the shapes of the first call only', [turns], compiling(shaped)),
  broken('has results that end with their functions', [outlive], suite(binding)),
  broken(
    'computes a tangent roughly',
    ['tanh, and its gradient', 'geluTanh, and its gradient', 'layers computed again, and its gradient'],
    () => describeEngine(altered<Engine>(plain, rough)),
  ),
  broken('any options will do', uncheckedFails(5), () => describeEngine(unchecked(plain))),
]
