import { createRequire } from 'node:module'
import { Tensor } from 'onnxruntime-common'
import type { InferenceSession } from 'onnxruntime-node'
import { forWebgpu } from './for-webgpu.js'
import { type ElementType, type Graph, type Value, type Values, nodesOf } from './graph.js'
import { SEQUENCE, bytesOf, constantsOf, encodeModel, sessionName } from './onnx-model.js'

/** How ONNX Runtime is to run a graph. */
export interface SessionOptions {
  /** Threads of one operation; as many as the machine has cores if left out. */
  readonly threads?: number
  /** Where to run, best first; the processor if left out. */
  readonly providers?: readonly ('cpu' | 'webgpu' | 'cuda')[]
  /** Whether memory for what is computed on the way is kept for the next run, which is faster; true if left out. */
  readonly keepsMemory?: boolean
  /** Writes a profile of each operation to a JSON file whose name begins so. */
  readonly profile?: string
}

/** The synchronous half of onnxruntime-node, which its public interface wraps in promises. */
interface NativeSession {
  loadModel(buffer: ArrayBufferLike, offset: number, length: number, options: InferenceSession.SessionOptions): void
  run(feeds: Record<string, Tensor>, fetches: Record<string, Tensor | null>, options: object): Record<string, Tensor>
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

/** What onnxruntime-node says of a sequence among the results. */
const NO_SEQUENCES = 'Non tensor type is temporarily not supported.'

/**
 * Runs the graph into arrays that are there. onnxruntime-node writes to them, but then copies every result into a new
 * array besides, one by one, which takes a seventh of a training step. A sequence, which it cannot turn into JavaScript,
 * stands before the others and ends that when all is computed.
 */
function runInto(session: NativeSession, feeds: readonly Feed[], fetches: readonly Feed[]): void {
  try {
    session.run(record(feeds), { [SEQUENCE]: null, ...record(fetches) }, {})
  } catch (error) {
    if ((error as Error).message !== NO_SEQUENCES) throw error
  }
}

/** Constants of so many bytes are handed over beside the graph, which is then not copied with them as it is written and read. */
const LARGE = 1 << 16

/** Makes a graph ready. What ONNX Runtime finds wrong with it is thrown as it says it. */
export function openSession(
  recorded: Graph,
  { threads, providers = ['cpu'], keepsMemory = true, profile }: SessionOptions,
): Session {
  const graph = providers.includes('webgpu') ? forWebgpu(recorded) : recorded
  const { binding, initOrt } = load()
  initOrt()
  const session = new binding.InferenceSession()
  const outside = constantsOf(nodesOf(graph.outputs)).filter(({ constant }) => constant!.byteLength >= LARGE)
  const places = new Map(outside.map((value) => [value, { file: sessionName(value) }]))
  const model = encodeModel(graph, { withSequence: true, outside: places })
  session.loadModel(model.buffer, model.byteOffset, model.byteLength, {
    executionProviders: [...providers],
    graphOptimizationLevel: 'all',
    externalData: outside.map((value) => ({ path: sessionName(value), data: bytesOf(value) })),
    executionMode: 'sequential',
    interOpNumThreads: 1,
    // Measured: the plan of a whole run takes a third more memory, and the second run three times as long.
    enableMemPattern: false,
    enableCpuMemArena: keepsMemory,
    ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
    ...(profile === undefined ? {} : { enableProfiling: true, profileFilePrefix: profile }),
    extra: {
      session: {
        // Moments of an optimizer decay towards zero through numbers that processors are a hundred times slower with.
        set_denormal_as_zero: '1',
        // Each session has threads of its own, which would wait for more work in a loop while another session computes. Measured where
        // batches of several lengths take turns, on two cores: steps of 38 ms become 22, and steps of 305 become 299.
        force_spinning_stop: '1',
      },
      // Measured: a sum and a layer norm apart take 0.5 ms where the two in one take 1.9 (2,048 rows of 384).
      optimization: { disable_specified_optimizers: 'SkipLayerNormFusion' },
    },
    logSeverityLevel: 3,
  })
  return {
    run: (feeds, fetches) => runInto(session, feeds, fetches),
    endProfiling: () => session.endProfiling(),
    dispose: () => session.dispose(),
  }
}
