import { createRequire } from 'node:module'
import { Tensor, type InferenceSession } from 'onnxruntime-common'
import { sessionName } from './onnx-model.js'
import type { ElementType, Value, Values } from './graph.js'

/** How ONNX Runtime is to run a graph. */
export interface SessionOptions {
  /** Threads of one operation; as many as the machine has cores if left out. */
  readonly threads?: number
  /** Where to run, best first; the processor if left out. */
  readonly providers?: readonly ('cpu' | 'webgpu' | 'cuda')[]
  /** Writes a profile of each operation to a JSON file whose name begins so. */
  readonly profile?: string
}

/** The synchronous half of onnxruntime-node, which its public interface wraps in promises. */
interface NativeSession {
  loadModel(buffer: ArrayBufferLike, offset: number, length: number, options: InferenceSession.SessionOptions): void
  run(feeds: Record<string, Tensor>, fetches: Record<string, Tensor>, options: object): Record<string, Tensor>
  endProfiling(): void
  dispose(): void
}
interface Binding {
  readonly binding: { readonly InferenceSession: new () => NativeSession }
  initOrt(): void
}

const load = (): Binding => createRequire(import.meta.url)('onnxruntime-node/dist/binding.js') as Binding

/** A value's numbers as ONNX Runtime takes them: the array itself, not a copy. */
export type Feed = readonly [value: Value, values: Values]

/** A graph made ready to run. */
export interface Session {
  /** Runs the graph; the numbers of `fetches` are overwritten with the results. */
  run(feeds: readonly Feed[], fetches: readonly Feed[]): void
  /** Ends the profile, if one was asked for. */
  endProfiling(): void
  dispose(): void
}

const record = (feeds: readonly Feed[]): Record<string, Tensor> =>
  Object.fromEntries(
    feeds.map(([value, values]) => [
      sessionName(value),
      new Tensor(value.dtype as ElementType, values as Float32Array, value.shape as number[]),
    ]),
  )

/** Loads a model. What ONNX Runtime finds wrong with it is thrown as it says it. */
export function openSession(model: Uint8Array, { threads, providers = ['cpu'], profile }: SessionOptions): Session {
  const { binding, initOrt } = load()
  initOrt()
  const session = new binding.InferenceSession()
  session.loadModel(model.buffer, model.byteOffset, model.byteLength, {
    executionProviders: [...providers],
    graphOptimizationLevel: 'all',
    executionMode: 'sequential',
    interOpNumThreads: 1,
    ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
    ...(profile === undefined ? {} : { enableProfiling: true, profileFilePrefix: profile }),
    // Moments of an optimizer decay towards zero through numbers that processors are a hundred times slower with.
    extra: { session: { set_denormal_as_zero: '1' } },
    logSeverityLevel: 3,
  })
  return {
    run: (feeds, fetches) => void session.run(record(feeds), record(fetches), {}),
    endProfiling: () => session.endProfiling(),
    dispose: () => session.dispose(),
  }
}
