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
import { elementType, typedValues } from './element-type.js'
import { cast, reshape } from './lower/lowering.js'

/** TF.js name of the backend that traces functions and holds their results. */
export const BACKEND = 'attune-jit'

/** Data of a tensor: values or, while a function is traced, a symbolic value of its graph. */
type Entry = ({ readonly values: Values } | { readonly value: Value; readonly of: Trace }) & { references: number }

/** A function being traced, the inputs that the host computes before each run, and those that are views of others. */
export interface Trace {
  readonly builder: Builder
  readonly hosted: HostedInput[]
  /** True for the step of a loop. */
  readonly isStep: boolean
  readonly views: ViewedInput[]
}

/** Graph input with the memory of an int32 input or constant as another type, such as four uint8 per integer, little-endian, not copied. */
export interface ViewedInput {
  readonly value: Value
  readonly of: Value
}

/** Graph input whose values the host computes from other inputs before each run. */
export interface HostedInput {
  readonly value: Value
  /** Kernel and attributes; equal ones with equal inputs yield equal values. */
  readonly what: string
  readonly from: readonly Value[]
  /** Writes the values. */
  compute(into: Float32Array, ...from: readonly Values[]): void
  readonly allocate?: ((sizes: readonly number[]) => readonly Float32Array[]) | undefined
}

/**
 * TF.js backend whose kernels compute nothing: while a function is traced, they add nodes to its graph. Outside of
 * traces it only holds the values of tensors.
 */
export class GraphBackend extends KernelBackend {
  // TF.js moves tensors of other backends here on access, and back when they are next used there.
  readonly #entries = new DataStorage<Entry>(this, engine())
  #active: Trace | undefined

  /** Runs a function and traces the operations that it calls. */
  trace<T>(run: (trace: Trace) => T, isStep = false): T {
    const outer = this.#active
    const trace: Trace = { builder: builder(), hosted: [], views: [], isStep }
    this.#active = trace
    try {
      return run(trace)
    } finally {
      this.#active = outer
    }
  }

  get activeTrace(): Trace | undefined {
    return this.#active
  }

  #add(entry: Entry): DataId {
    const dataId = {}
    this.#entries.set(dataId, entry)
    return dataId
  }

  /** Creates the symbolic tensor of a value of the traced graph. */
  symbol(value: Value, of: Trace): TensorInfo {
    return { dataId: this.#add({ value, of, references: 1 }), shape: [...value.shape], dtype: value.dtype as DataType }
  }

  /** Creates a tensor of values, which are not copied. */
  hold(values: Values, shape: readonly number[], dtype: ElementType): TensorInfo {
    return { dataId: this.#add({ values, references: 1 }), shape: [...shape], dtype: dtype as DataType }
  }

  /** Value of a tensor in the traced graph; a tensor with values becomes a constant. */
  override valueOf({ dataId, shape, dtype }: TensorInfo, trace: Trace): Value {
    const entry = this.#entries.get(dataId)
    if ('values' in entry)
      return entry.values.length > SMALL
        ? trace.builder.array(elementType(dtype), typedValues(entry.values as Float32Array, dtype), shape)
        : trace.builder.constant(elementType(dtype), Array.from(entry.values as Float32Array), shape)
    if (entry.of === trace) return cast(trace.builder, reshape(trace.builder, entry.value, shape), elementType(dtype))
    if (trace.isStep)
      throw new AttuneError(
        'ESCAPED_TENSOR',
        'the step of a scan reads a symbolic tensor that is not among its arguments',
        'Pass it to the scan among `constants`.',
      )
    throw new AttuneError(
      'ESCAPED_TENSOR',
      'a symbolic tensor of one compiled function is used in another',
      'Return it from the first function and pass it to the second.',
    )
  }

  /** True if a single tensor refers to these values and they are on this backend; only then may they be overwritten. */
  isSole(dataId: DataId): boolean {
    return this.#entries.has(dataId) && this.#entries.get(dataId).references === 1
  }

  /** Values of a tensor, copied only to convert them; undefined if they are on another backend. */
  held({ dataId, dtype }: TensorInfo): Values | undefined {
    if (!this.#entries.has(dataId)) return undefined
    const entry = this.#entries.get(dataId)
    return 'values' in entry ? typedValues(entry.values as Float32Array, dtype) : undefined
  }

  /** Values of a tensor; those on another backend move here, so that the next call finds them. */
  take({ dataId, dtype }: TensorInfo): Values {
    const entry = this.#entries.get(dataId)
    return typedValues(('values' in entry ? entry.values : this.readSync(dataId)) as Float32Array, dtype)
  }

  override write(values: BackendValues, _shape: number[], dtype: DataType): DataId {
    const typed = typedValues(values as unknown as Values as Float32Array, dtype)
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
      'the function reads the values of a tensor (dataSync, arraySync, data, …) while it is compiled, when tensors are symbolic',
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
    // Entries are freed with the tensors that refer to them.
  }
}

/** Backend of this process, registered on first use. */
export function graphBackend(): GraphBackend {
  const found = findBackend(BACKEND) as GraphBackend | null
  if (found === null) registerBackend(BACKEND, () => new GraphBackend())
  return found ?? (findBackend(BACKEND) as GraphBackend)
}
