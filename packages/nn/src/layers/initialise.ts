import { AttuneError, type Key, type Params, deriveKey, isAttuneError, normals, stream } from '@attune/core'
import { type Tensor, tensor, tidy } from '@tensorflow/tfjs-core'

/** Maximum number of elements of a tensor, which int32 indices address. */
const MAX_ELEMENTS = 2 ** 31 - 1

/** Maximum number of weights of a model, 512 GiB in float32: more than any process can hold. */
const MAX_WEIGHTS = 2 ** 37

const tooLarge = (what: string, most: number, found: string): AttuneError =>
  new AttuneError(
    'MODEL_TOO_LARGE',
    `expected at most ${most.toLocaleString('en')} ${what}, got ${found}`,
    'Correct the sizes in the options of the model, or in its config.json.',
  )

const product = (shape: readonly number[]): number => shape.reduce((all, n) => all * n, 1)

function size(shape: readonly number[]): number {
  const numbers = product(shape)
  if (numbers <= MAX_ELEMENTS) return numbers
  throw tooLarge('elements of a tensor', MAX_ELEMENTS, `shape [${shape.join(', ')}]`)
}

/**
 * Returns the shapes of a model's parameters, by name, after checking them. To be called before any weight is
 * allocated.
 * @throws AttuneError `MODEL_TOO_LARGE` if no memory could hold them
 */
export function requireRepresentableSizes<S extends Readonly<Record<string, readonly number[]>>>(shapes: S): S {
  const total = Object.values(shapes).reduce((sum, shape) => sum + size(shape), 0)
  if (total > MAX_WEIGHTS) throw tooLarge('weights of a model', MAX_WEIGHTS, total.toPrecision(3))
  return shapes
}

/** A weight that is initialised on demand. */
export interface DeferredWeight {
  readonly shape: readonly number[]
  make(): Tensor
}

/** Initialisers of symbolic tensors while weights are deferred; set and unset within one call of `deferredWeights`. */
// eslint-disable-next-line no-restricted-syntax -- functions that `init` of a model calls have no other access to it
let deferring: WeakMap<Tensor, () => Tensor> | undefined

/** Returns the tensor or, while weights are deferred, a symbolic tensor that has only a shape. */
function orDeferred(shape: readonly number[], make: () => Tensor): Tensor {
  size(shape)
  if (deferring === undefined) return make()
  const symbolic = { shape: [...shape] } as Tensor
  deferring.set(symbolic, make)
  return symbolic
}

/**
 * New weights by name, initialised on demand: a checkpoint may replace most of them. Undefined if `init` computes
 * with weights, or creates them with other functions than those of this file.
 * @throws AttuneError `MODEL_TOO_LARGE` if no memory could hold them
 */
export function deferredWeights(init: () => Params): Readonly<Record<string, DeferredWeight>> | undefined {
  const [makers, before] = [new WeakMap<Tensor, () => Tensor>(), deferring]
  deferring = makers
  try {
    const named: [string, Tensor][] = []
    tidy(() => void named.push(...Object.entries(init())))
    const entries = named.map(([name, symbolic]) => [name, symbolic, makers.get(symbolic)] as const)
    if (entries.some(([, , make]) => make === undefined)) return undefined
    return Object.fromEntries(entries.map(([name, { shape }, make]) => [name, { shape, make: make! }]))
  } catch (error) {
    if (isAttuneError(error)) throw error
    return undefined
  } finally {
    deferring = before
  }
}

/**
 * Tensor of normally distributed values with mean 0 and the given standard deviation. Row `zeroRow` is zero, for the
 * embedding of the padding token.
 */
export function normal(key: Key, shape: readonly number[], deviation: number, zeroRow?: number): Tensor {
  return orDeferred(shape, () => {
    const next = normals(stream(key))
    const values = Float32Array.from({ length: size(shape) }, () => deviation * next())
    const width = product(shape.slice(1))
    if (zeroRow !== undefined) values.fill(0, zeroRow * width, (zeroRow + 1) * width)
    return tensor(values, [...shape], 'float32')
  })
}

/** Tensor of uniformly distributed values in (−bound, bound). */
export function uniform(key: Key, shape: readonly number[], bound: number): Tensor {
  return orDeferred(shape, () => {
    const next = stream(key)
    const values = Float32Array.from({ length: size(shape) }, () => bound * (2 * next() - 1))
    return tensor(values, [...shape], 'float32')
  })
}

/** Tensor filled with one value. */
export const filledWith = (shape: readonly number[], value: number): Tensor =>
  orDeferred(shape, () => tensor(new Float32Array(size(shape)).fill(value), [...shape], 'float32'))

/**
 * Initial parameters of a transformer from their shapes: weights are normal with the given standard deviation, each
 * from its own key; norm scales are 1 and biases 0. `paddingRows` names the zero row of a table, by the table's name.
 * @throws AttuneError `MODEL_TOO_LARGE` before any tensor is allocated
 */
export const initialParameters = (
  shapes: Readonly<Record<string, readonly number[]>>,
  key: Key,
  deviation: number,
  paddingRows: Readonly<Record<string, number | undefined>> = {},
): Params =>
  Object.fromEntries(
    Object.entries(requireRepresentableSizes(shapes)).map(([name, shape]): [string, Tensor] => {
      if (/norm\.weight$/i.test(name)) return [name, filledWith(shape, 1)]
      if (name.endsWith('.bias')) return [name, filledWith(shape, 0)]
      return [name, normal(deriveKey(key, name), shape, deviation, paddingRows[name])]
    }),
  )
