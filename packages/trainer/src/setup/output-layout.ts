import type {
  Batch,
  EncoderOutputs,
  Engine,
  HostArray,
  Model,
  Objective,
  OnDevice,
  Params,
  TextInputs,
} from '@attune/core'
import { type Tensor, zeros } from '@tensorflow/tfjs-core'
import { type InputRow, notCacheable } from './input-rows.js'

/** An output of the model that a head reads: `[batch, width]`, or `[batch, length, width]` if it is per token. */
export interface OutputLayout {
  readonly name: string
  readonly width: number
  readonly isPerToken: boolean
}

/** Outputs of the model by name, on the host. */
export type HostOutputs = Readonly<Record<string, HostArray>>

const isCached = (name: string): boolean => name === 'pooled' || name === 'lastHiddenState'

/** Wraps outputs so that reading one is noted. */
const noting = (outputs: EncoderOutputs, note: (name: string) => void): EncoderOutputs =>
  new Proxy(outputs, {
    get(target, name, receiver) {
      const value: unknown = Reflect.get(target, name, receiver)
      if (typeof name === 'string' && value !== undefined) note(name)
      return value
    },
  })

function layoutOf(name: string, { shape }: Tensor, [rows, length]: readonly number[]): OutputLayout {
  const isPerToken = shape.length === 3
  if (shape[0] !== rows || (isPerToken && shape[1] !== length))
    throw notCacheable(`expected ${name} of ${rows} rows and ${length} tokens, got ${String(shape)}`)
  return { name, width: shape.at(-1) as number, isPerToken }
}

/**
 * Finds the outputs of the model that the objective's head reads, by tracing the head once.
 * @throws AttuneError `NOT_CACHEABLE` if it reads others than `pooled` and `lastHiddenState`
 */
export function readOutputs(
  engine: Engine,
  { model, objective }: { readonly model: Model; readonly objective: Objective },
  params: Params,
  batch: Batch,
): readonly OutputLayout[] {
  const found = new Map<string, OutputLayout>()
  const [mode, { shape }] = [{ training: false } as const, batch.inputs['inputIds'] as HostArray]
  const probe = engine.compile(
    (given: Params, at: OnDevice<Batch>) => {
      const outputs = model.forward(given, at.inputs as unknown as TextInputs, mode)
      const note = (name: string): void => {
        if (!isCached(name)) throw notCacheable(`the head reads ${name}; pooled and lastHiddenState can be cached`)
        found.set(name, layoutOf(name, outputs[name] as Tensor, shape))
      }
      objective.head(given, noting(outputs, note), mode, at)
      return { done: zeros([1]) }
    },
    { donate: [1] },
  )
  engine.release(probe(params, engine.put(batch) as never))
  probe.dispose()
  return [...found.values()]
}

/** Number of cached values of a row. */
export const rowSize = (layouts: readonly OutputLayout[], { start, end }: InputRow): number =>
  layouts.reduce((sum, { width, isPerToken }) => sum + width * (isPerToken ? end - start : 1), 0)

/** Values of row `i` in an output. */
function valuesOf(
  { values, shape }: HostArray,
  { isPerToken, width }: OutputLayout,
  { start, end }: InputRow,
  i: number,
) {
  const from = isPerToken ? (i * shape[1]! + start) * width : i * width
  return values.subarray(from, from + width * (isPerToken ? end - start : 1)) as Float32Array
}

/** Copies the outputs of row `i` of a batch into one array. */
export function packRow(
  layouts: readonly OutputLayout[],
  outputs: HostOutputs,
  row: InputRow,
  i: number,
): Float32Array {
  const packed = new Float32Array(rowSize(layouts, row))
  let at = 0
  for (const layout of layouts) {
    const values = valuesOf(outputs[layout.name]!, layout, row, i)
    packed.set(values, at)
    at += values.length
  }
  return packed
}

/** Inverse of {@link packRow} for a whole batch of `length` tokens; the outputs of padding are 0. */
export function unpackRows(
  layouts: readonly OutputLayout[],
  rows: readonly InputRow[],
  length: number,
  read: (key: string) => Float32Array,
): HostOutputs {
  const outputs = Object.fromEntries(
    layouts.map(({ name, width, isPerToken }): [string, HostArray] => {
      const shape = isPerToken ? [rows.length, length, width] : [rows.length, width]
      const values = new Float32Array(shape.reduce((product, size) => product * size, 1))
      return [name, { shape, dtype: 'float32', values }]
    }),
  )
  for (const [i, row] of rows.entries()) {
    const packed = read(row.key)
    let at = 0
    for (const layout of layouts) {
      const into = valuesOf(outputs[layout.name]!, layout, row, i)
      into.set(packed.subarray(at, at + into.length))
      at += into.length
    }
  }
  return outputs
}
