import { AttuneError } from '@attune/core'
import {
  type BackendValues,
  type DataId,
  DataStorage,
  type DataType,
  KernelBackend,
  type TensorInfo,
  engine,
  findBackend,
  registerBackend,
} from '@tensorflow/tfjs-core'
import { type Builder, SMALL, builder } from './builder.js'
import type { ElementType, Value, Values } from './graph.js'

/** The name under which TF.js knows the backend that records graphs and holds what they computed. */
export const BACKEND = 'attune-jit'

/** What stands behind a tensor: numbers, or, while a function is recorded, a value of its graph. */
type Entry = ({ readonly values: Values } | { readonly value: Value; readonly of: Recording }) & { references: number }

/** A function being recorded, and the inputs that are computed on the host each time it runs. */
export interface Recording {
  readonly builder: Builder
  readonly hosted: Hosted[]
}

/** An input of a graph whose numbers the host computes from other inputs before each run. */
export interface Hosted {
  readonly value: Value
  /** The kernel and its attributes: where they and the inputs are the same, so are the numbers. */
  readonly what: string
  readonly from: readonly Value[]
  /** Writes the numbers. */
  compute(into: Float32Array, ...from: readonly Values[]): void
  readonly allocate?: ((sizes: readonly number[]) => readonly Float32Array[]) | undefined
}

const TYPES = ['float32', 'int32', 'bool'] as const

/** The type of a TF.js tensor. @throws AttuneError `UNSUPPORTED_TYPE` for complex numbers and text. */
export function elementType(dtype: DataType): ElementType {
  const found = TYPES.find((type) => type === dtype)
  if (found !== undefined) return found
  throw new AttuneError(
    'UNSUPPORTED_TYPE',
    `tensors of type ${dtype} cannot be compiled`,
    `Use one of ${TYPES.join(', ')}.`,
  )
}

/**
 * The TF.js backend whose kernels compute nothing: while a function is recorded they add nodes to its graph. Between
 * recordings it only holds the numbers of tensors.
 */
export class GraphBackend extends KernelBackend {
  // Asked for a tensor of another backend, it has TF.js move it here, and back when it is next used there.
  readonly #entries = new DataStorage<Entry>(this, engine())
  #recording: Recording | undefined

  /** Runs a function while what it calls is recorded. */
  record<T>(run: (recording: Recording) => T): T {
    const outer = this.#recording
    const recording: Recording = { builder: builder(), hosted: [] }
    this.#recording = recording
    try {
      return run(recording)
    } finally {
      this.#recording = outer
    }
  }

  get recording(): Recording | undefined {
    return this.#recording
  }

  #add(entry: Entry): DataId {
    const dataId = {}
    this.#entries.set(dataId, entry)
    return dataId
  }

  /** Makes a tensor of a value of the graph that is recorded. */
  symbol(value: Value, of: Recording): TensorInfo {
    return { dataId: this.#add({ value, of, references: 1 }), shape: [...value.shape], dtype: value.dtype as DataType }
  }

  /** Makes a tensor of numbers, which are not copied. */
  hold(values: Values, shape: readonly number[], dtype: ElementType): TensorInfo {
    return { dataId: this.#add({ values, references: 1 }), shape: [...shape], dtype: dtype as DataType }
  }

  /** The value behind a tensor in the graph that is recorded; a tensor that holds numbers becomes a constant. */
  override valueOf({ dataId, shape, dtype }: TensorInfo, recording: Recording): Value {
    const entry = this.#entries.get(dataId)
    if ('values' in entry)
      return entry.values.length > SMALL
        ? recording.builder.array(elementType(dtype), entry.values, shape)
        : recording.builder.constant(elementType(dtype), Array.from(entry.values as Float32Array), shape)
    if (entry.of === recording) return entry.value
    throw new AttuneError(
      'ESCAPED_TENSOR',
      'a tensor made while one function was compiled is used in another',
      'Return it from the first function and pass it to the second.',
    )
  }

  /** Whether nothing but one tensor refers to the numbers, and they are here: only then may they be overwritten. */
  isSole(dataId: DataId): boolean {
    return this.#entries.has(dataId) && this.#entries.get(dataId).references === 1
  }

  /** The numbers behind a tensor themselves, or nothing if they are on another backend. */
  held(dataId: DataId): Values | undefined {
    if (!this.#entries.has(dataId)) return undefined
    const entry = this.#entries.get(dataId)
    return 'values' in entry ? entry.values : undefined
  }

  override write(values: BackendValues, _shape: number[], dtype: DataType): DataId {
    const type = elementType(dtype)
    const given = values as unknown as Values | number[]
    const exact = type === 'float32' ? Float32Array : type === 'int32' ? Int32Array : Uint8Array
    const typed =
      ArrayBuffer.isView(given) && given.constructor.name === exact.name ? given : exact.from(given as number[])
    return this.#add({ values: typed, references: 1 })
  }

  override move(dataId: DataId, values: BackendValues, _shape: number[], _dtype: DataType, references: number): void {
    this.#entries.set(dataId, { values: values as unknown as Values, references })
  }

  override readSync(dataId: DataId): BackendValues {
    const entry = this.#entries.get(dataId)
    const values = 'values' in entry ? entry.values : entry.value.constant
    if (values !== undefined) return values.slice() as unknown as BackendValues
    throw new AttuneError(
      'READS_TENSOR',
      'the function reads the numbers of a tensor (dataSync, arraySync, data, …) while it is compiled, when there are none',
      'Compute with tensor operations only (`where` instead of `if`), or return the tensor and read it outside.',
    )
  }

  override async read(dataId: DataId): Promise<BackendValues> {
    return Promise.resolve(this.readSync(dataId))
  }

  override disposeData(dataId: DataId, force = false): boolean {
    if (!this.#entries.has(dataId)) return true
    const entry = this.#entries.get(dataId)
    if (--entry.references > 0 && !force) return false
    this.#entries.delete(dataId)
    return true
  }

  override incRef(dataId: DataId): void {
    this.#entries.get(dataId).references++
  }

  decRef(dataId: DataId): void {
    this.#entries.get(dataId).references--
  }

  override refCount(dataId: DataId): number {
    return this.#entries.has(dataId) ? this.#entries.get(dataId).references : 0
  }

  override numDataIds(): number {
    return this.#entries.numDataIds()
  }

  override memory(): { unreliable: boolean } {
    return { unreliable: false }
  }

  override timerAvailable(): boolean {
    return false
  }

  override floatPrecision(): 16 | 32 {
    return 32
  }

  override epsilon(): number {
    return 1e-7
  }

  override dispose(): void {
    // Entries go with the tensors that refer to them.
  }
}

/** The backend of this process, registered when it is first asked for. */
export function graphBackend(): GraphBackend {
  const found = findBackend(BACKEND) as GraphBackend | null
  if (found === null) registerBackend(BACKEND, () => new GraphBackend())
  return found ?? (findBackend(BACKEND) as GraphBackend)
}
