import type { Params } from '@attune/core'
import { type BackendValues, type DataId, KernelBackend, type Tensor, engine } from '@tensorflow/tfjs-core'

/** A float32 tensor outside of memory, such as one of a file. */
export interface StoredValues {
  readonly shape: readonly number[]
  /** Reads the values into a new array. */
  read(): Float32Array
}

/**
 * TF.js backend of tensors whose values are still to be read. TF.js moves a tensor to another backend when it is first used there, with
 * values that are read at that moment; reading it on the host reads it again each time.
 */
class LazyBackend extends KernelBackend {
  readonly holdsStoredValues = true
  readonly #pending = new Map<DataId, { readonly stored: StoredValues; references: number }>()
  readonly #close: () => void

  /** @param close called when all values have been moved or disposed */
  constructor(close: () => void) {
    super()
    this.#close = close
  }

  add(stored: StoredValues): DataId {
    const dataId = {}
    this.#pending.set(dataId, { stored, references: 1 })
    return dataId
  }

  override readSync(dataId: DataId): BackendValues {
    return this.#pending.get(dataId)!.stored.read()
  }

  override read(dataId: DataId): Promise<BackendValues> {
    return Promise.resolve(this.readSync(dataId))
  }

  override disposeData(dataId: DataId, force = false): boolean {
    const entry = this.#pending.get(dataId)
    if (entry === undefined) return true
    if (--entry.references > 0 && !force) return false
    this.#pending.delete(dataId)
    if (this.#pending.size === 0) this.#close()
    return true
  }

  override incRef(dataId: DataId): void {
    this.#pending.get(dataId)!.references++
  }

  override refCount(dataId: DataId): number {
    return this.#pending.get(dataId)?.references ?? 0
  }

  override numDataIds(): number {
    return this.#pending.size
  }
}

/** Reads the values of a tensor that is still outside of memory, into a new array; undefined for others. */
export function readStored({ dataId }: Tensor): Float32Array | undefined {
  const owner = engine().state.tensorInfo.get(dataId)?.backend
  return (owner as Partial<LazyBackend>)?.holdsStoredValues === true
    ? (owner!.readSync(dataId) as Float32Array)
    : undefined
}

/**
 * Float32 tensors whose values are read when they are first used, by name. A tensor that is disposed before is never read, and one that is
 * only read on the host (`engine.read`), as by an adapter that replaces it with a quantized one, takes no memory between reads.
 * @param close called once no tensor needs its source any more: each has been moved to the device or disposed
 *
 * @example
 * ```ts
 * import { tfjsCpu } from '@attune/engine-tfjs-cpu'
 * import { lazyTensors } from '@attune/nn'
 * import { add } from '@tensorflow/tfjs-core'
 * const [engine, events] = [tfjsCpu(), [] as string[]]
 * await engine.start()
 * const read = () => (events.push('read'), Float32Array.of(1, 2))
 * const { w } = lazyTensors({ w: { shape: [2], read } }, () => events.push('closed'))
 * console.log(events.length) // 0
 * add(w!, 1)
 * console.log(events) // [ 'read', 'closed' ]
 * ```
 */
export function lazyTensors(stored: Readonly<Record<string, StoredValues>>, close: () => void): Params {
  const backend = new LazyBackend(close)
  if (Object.keys(stored).length === 0) close()
  const tensors = Object.entries(stored).map(([name, each]) => {
    const info = { dataId: backend.add(each), shape: [...each.shape], dtype: 'float32' as const }
    return [name, engine().makeTensorFromTensorInfo(info, backend)] as const
  })
  return Object.fromEntries(tensors)
}
