import type { Batch, Compiled, Engine, HostArray, Model, OnDevice, Params, TextInputs } from '@attune/core'
import { hookOf } from '@attune/nn'
import type { Tensor } from '@tensorflow/tfjs-core'
import type { RowStore } from '../files/row-store.js'
import { type InputRow, inputRows, notCacheable } from './input-rows.js'
import { type HostOutputs, type OutputLayout, packRow, unpackRows } from './output-layout.js'

/** Outputs of a frozen model, computed once per text. */
export interface OutputCache {
  /** Number of rows of all examples. */
  readonly rows: number
  /** Size of their outputs in bytes. */
  readonly bytes: number
  /** One batch of each group of examples. */
  readonly samples: readonly Batch[]
  /** `memory`, or the path of a file. */
  readonly location: string
  /**
   * Returns a batch with the outputs of the model among its inputs, for {@link cachedModel}. If the outputs of a row are not stored, those
   * of the whole batch are computed, and stay unstored, so that a result depends on the batch alone and not on earlier ones.
   */
  complete(batch: Batch): Promise<Batch>
  /** Computes and stores the outputs of the rows of a batch, unless all are stored. */
  store(batch: Batch): Promise<void>
  /** Frees the outputs, and removes their file. */
  close(): void
}

/** Name of the outputs among the inputs of a batch. */
const OUTPUTS = 'cachedOutputs'

/**
 * A model that returns the cached outputs among its inputs, and computes nothing.
 * @throws AttuneError `NOT_CACHEABLE`, from `forward`, if a regularizer changes the layers or the inputs of the model
 */
export const cachedModel = (model: Model): Model => ({
  ...model,
  forward(params, inputs) {
    const outputs = inputs[OUTPUTS]
    if (outputs === undefined || hookOf(params) !== undefined)
      throw notCacheable('a regularizer changes the layers or the inputs of the model, whose outputs are fixed')
    return outputs as ReturnType<Model['forward']>
  },
})

/** Computes outputs of a frozen model, in inference mode. */
type Forward = Compiled<(frozen: Params, inputs: OnDevice<Batch>['inputs']) => Readonly<Record<string, Tensor>>>

/** Compiles the forward pass of a frozen model up to the outputs that a head reads. */
function compileForward(engine: Engine, model: Model, layouts: readonly OutputLayout[]): Forward {
  const mode = { training: false, launchBound: engine.launchBound ?? false } as const
  const forward = (frozen: Params, inputs: OnDevice<Batch>['inputs']) => {
    const outputs = model.forward(frozen, inputs as unknown as TextInputs, mode)
    return Object.fromEntries(layouts.map(({ name }) => [name, outputs[name] as Tensor]))
  }
  return engine.compile(forward, { donate: [1], constant: [0] }) as unknown as Forward
}

/** Inputs of {@link outputCache}. */
interface CacheInputs extends Pick<OutputCache, 'rows' | 'bytes' | 'samples'> {
  readonly store: RowStore
}

/** Creates a cache of the outputs of a frozen model in inference mode: without dropout. */
export function outputCache(
  { engine, model, frozen }: { readonly engine: Engine; readonly model: Model; readonly frozen: Params },
  layouts: readonly OutputLayout[],
  { store, ...sizes }: CacheInputs,
): OutputCache {
  const forward = compileForward(engine, model, layouts)
  const compute = async (batch: Batch): Promise<HostOutputs> => {
    const outputs = forward(frozen, engine.put(batch.inputs) as never)
    const read = await engine.read(outputs)
    engine.release(outputs)
    return read as HostOutputs
  }
  const isStored = ({ key }: InputRow): boolean => store.has(key)
  return {
    ...sizes,
    location: store.location,
    async complete(batch) {
      const rows = inputRows(batch.inputs)
      const length = (batch.inputs['inputIds'] as HostArray).shape[1]!
      const outputs = rows.every(isStored) ? unpackRows(layouts, rows, length, store.read) : await compute(batch)
      return { ...batch, inputs: { ...batch.inputs, [OUTPUTS]: outputs } }
    },
    async store(batch) {
      const rows = inputRows(batch.inputs)
      if (rows.every(isStored)) return
      const outputs = await compute(batch)
      for (const [i, row] of rows.entries())
        if (!store.has(row.key)) store.write(row.key, packRow(layouts, outputs, row, i))
    },
    close() {
      forward.dispose()
      store.close()
    },
  }
}
