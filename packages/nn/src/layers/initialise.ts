import { AttuneError, type Key, type Params, deriveKey, isAttuneError, normals, stream } from '@attune/core'
import { type Tensor, tensor, tidy } from '@tensorflow/tfjs-core'

/** The most numbers of a tensor: its places are counted in int32. */
const MOST_NUMBERS = 2 ** 31 - 1

/** The most numbers of all weights of a model, 512 GiB of them: no process holds more. */
const MOST_WEIGHTS = 2 ** 37

const tooLarge = (what: string, most: number, found: string): AttuneError =>
  new AttuneError(
    'MODEL_TOO_LARGE',
    `${what} has at most ${most.toLocaleString('en')} numbers, and ${found}`,
    'Correct the sizes in the options of the model, or in the config.json that they come from.',
  )

const product = (shape: readonly number[]): number => shape.reduce((all, n) => all * n, 1)

function size(shape: readonly number[]): number {
  const numbers = product(shape)
  if (numbers <= MOST_NUMBERS) return numbers
  throw tooLarge('a tensor', MOST_NUMBERS, `one of shape [${shape.join(', ')}] has more`)
}

/**
 * The shapes of a model's parameters, by name, as they are; to be asked before any weight is made.
 * @throws AttuneError `MODEL_TOO_LARGE` if no memory could hold them.
 */
export function requireRepresentableSizes<S extends Readonly<Record<string, readonly number[]>>>(shapes: S): S {
  const total = Object.values(shapes).reduce((sum, shape) => sum + size(shape), 0)
  if (total > MOST_WEIGHTS) throw tooLarge('a model', MOST_WEIGHTS, `this one has ${total.toPrecision(3)}`)
  return shapes
}

/** A weight that is made when it is asked for. */
export interface DeferredWeight {
  readonly shape: readonly number[]
  make(): Tensor
}

/** How to make what stands for weights, while they are deferred: set and unset within one call of `deferredWeights`. */
// eslint-disable-next-line no-restricted-syntax -- what `init` of a model calls has no other way to know
let deferring: WeakMap<Tensor, () => Tensor> | undefined

/** The tensor, or what stands for it while weights are deferred: it has a shape and nothing else. */
function orLater(shape: readonly number[], make: () => Tensor): Tensor {
  size(shape)
  if (deferring === undefined) return make()
  const standIn = { shape: [...shape] } as Tensor
  deferring.set(standIn, make)
  return standIn
}

/**
 * New weights by name, none of which is made yet: a checkpoint may have most of them. Nothing where `init` computes with weights,
 * or makes them otherwise than with the functions here: then they are not to be had one by one.
 * @throws AttuneError `MODEL_TOO_LARGE`
 */
export function deferredWeights(init: () => Params): Readonly<Record<string, DeferredWeight>> | undefined {
  const [makers, before] = [new WeakMap<Tensor, () => Tensor>(), deferring]
  deferring = makers
  try {
    const named: [string, Tensor][] = []
    tidy(() => void named.push(...Object.entries(init())))
    const entries = named.map(([name, standIn]) => [name, standIn, makers.get(standIn)] as const)
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
 * A tensor of normal numbers with mean 0 and the given standard deviation. `zeroRow` is a row that is zero instead: the
 * embedding of padding.
 */
export function normal(key: Key, shape: readonly number[], deviation: number, zeroRow?: number): Tensor {
  return orLater(shape, () => {
    const next = normals(stream(key))
    const values = Float32Array.from({ length: size(shape) }, () => deviation * next())
    const width = product(shape.slice(1))
    if (zeroRow !== undefined) values.fill(0, zeroRow * width, (zeroRow + 1) * width)
    return tensor(values, [...shape], 'float32')
  })
}

/** A tensor of numbers evenly spread in (−bound, bound). */
export function uniform(key: Key, shape: readonly number[], bound: number): Tensor {
  return orLater(shape, () => {
    const next = stream(key)
    const values = Float32Array.from({ length: size(shape) }, () => bound * (2 * next() - 1))
    return tensor(values, [...shape], 'float32')
  })
}

/** A tensor filled with one number. */
export const filledWith = (shape: readonly number[], value: number): Tensor =>
  orLater(shape, () => tensor(new Float32Array(size(shape)).fill(value), [...shape], 'float32'))

/**
 * New parameters of a transformer by their shapes: weights normal with the given deviation, each from a key of its own, norms
 * 1 and biases 0. `paddingRows` says which row of a table is zero, by the table's name.
 * @throws AttuneError `MODEL_TOO_LARGE` before any is made.
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
