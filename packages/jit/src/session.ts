import { createRequire } from 'node:module'
import { AttuneError } from '@attune/core'
import { Tensor } from 'onnxruntime-common'
import type { InferenceSession } from 'onnxruntime-node'
import { disableTelemetry } from './disable-telemetry.js'
import { explainFailure } from './explain-failure.js'
import { forWebgpu } from './for-webgpu.js'
import { type ElementType, type Graph, type Value, type Values, nodesOf } from './graph.js'
import { type Dimensions, SEQUENCE, bytesOf, constantsOf, encodeModel, sessionName } from './onnx-model.js'

/** Options of ONNX Runtime. */
export interface SessionOptions {
  /** Threads per operation. Default: the number of CPU cores. */
  readonly threads?: number
  /** Execution providers in order of preference. Default: the CPU. */
  readonly providers?: readonly ('cpu' | 'webgpu' | 'cuda')[]
  /** True to keep the memory of intermediates for the next run, which is faster. Default: true. */
  readonly keepsMemory?: boolean
  /** Writes a profile of each operation to a JSON file whose name starts with this prefix. */
  readonly profile?: string
}

/** Synchronous binding of onnxruntime-node, which its public interface wraps in promises. */
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

/** Loads the native library. @throws AttuneError `ENGINE_UNAVAILABLE` */
function load(): Binding {
  try {
    return createRequire(import.meta.url)('onnxruntime-node/dist/binding.js') as Binding
  } catch (cause) {
    throw new AttuneError(
      'ENGINE_UNAVAILABLE',
      `the native library of onnxruntime-node could not be loaded: ${(cause as Error).message}`,
      'Install it again without its install script, which needs network access: npm install --ignore-scripts onnxruntime-node. Or use another engine, such as tfjs-wasm.',
      { cause },
    )
  }
}

/** A value with its array, which is passed to ONNX Runtime without a copy. */
export type Feed = readonly [value: Value, values: Values]

/** An executable graph. */
export interface Session {
  /** Runs the graph and writes the results into the arrays of `fetches`. */
  run(feeds: readonly Feed[], fetches: readonly Feed[]): void
  /** Ends the profile, if any. */
  endProfiling(): void
  dispose(): void
}

const toTensors = (feeds: readonly Feed[]): Record<string, Tensor> =>
  Object.fromEntries(
    feeds.map(([value, values]) => [
      sessionName(value),
      new Tensor(value.dtype as ElementType, values as Float32Array, value.shape as number[]),
    ]),
  )

/** Error message of onnxruntime-node for a sequence among the results. */
const NO_SEQUENCES = 'Non tensor type is temporarily not supported.'

/**
 * Runs the graph into existing arrays. onnxruntime-node writes to them, but then also copies every result into a new
 * array, which takes a seventh of a training step. An empty sequence as the first output, which it cannot convert to
 * JavaScript, aborts that copy after all outputs are computed.
 */
function runInto(session: NativeSession, feeds: readonly Feed[], fetches: readonly Feed[]): void {
  try {
    session.run(toTensors(feeds), { [SEQUENCE]: null, ...toTensors(fetches) }, {})
  } catch (error) {
    if ((error as Error).message !== NO_SEQUENCES) throw explainFailure(error)
  }
}

/**
 * Minimum size in bytes of constants that are passed as external data, which avoids copies when the graph is encoded
 * and parsed.
 */
const LARGE = 1 << 16

function loadInto(session: NativeSession, model: Uint8Array, settings: InferenceSession.SessionOptions): void {
  try {
    session.loadModel(model.buffer, model.byteOffset, model.byteLength, settings)
  } catch (error) {
    throw explainFailure(error)
  }
}

/**
 * Loads a graph. `dimensions` names those that differ between runs.
 * @throws AttuneError `ENGINE_UNAVAILABLE` in a worker thread, see {@link disableTelemetry}, or `ENGINE_FAILED`
 */
export function openSession(
  traced: Graph,
  { threads, providers = ['cpu'], keepsMemory = true, profile }: SessionOptions,
  dimensions?: Dimensions,
): Session {
  const graph = providers.includes('webgpu') ? forWebgpu(traced) : traced
  const { binding, initOrt } = load()
  disableTelemetry()
  initOrt()
  const session = new binding.InferenceSession()
  const large = constantsOf(nodesOf(graph.outputs)).filter(({ constant }) => constant!.byteLength >= LARGE)
  const external = new Map(large.map((value) => [value, { file: sessionName(value) }]))
  const model = encodeModel(graph, { withSequence: true, external, dimensions })
  const settings: InferenceSession.SessionOptions = {
    executionProviders: [...providers],
    graphOptimizationLevel: 'all',
    externalData: large.map((value) => ({ path: sessionName(value), data: bytesOf(value.constant!) })),
    executionMode: 'sequential',
    interOpNumThreads: 1,
    // Measured: memory patterns take a third more memory, and the second run takes three times as long.
    enableMemPattern: false,
    enableCpuMemArena: keepsMemory,
    ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
    ...(profile === undefined ? {} : { enableProfiling: true, profileFilePrefix: profile }),
    extra: {
      session: {
        // Optimizer moments decay through denormals, with which CPUs are a hundred times slower.
        set_denormal_as_zero: '1',
        // Each session has its own threads, which would spin while another session computes. Measured with batches of alternating
        // lengths on two cores: steps of 38 ms become 22 ms, and steps of 305 ms become 299 ms.
        force_spinning_stop: '1',
      },
      // Measured for 2,048 rows of 384: a separate sum and layer norm take 0.5 ms, the fused operation 1.9 ms.
      // A pooling operation rejects padding as wide as its windows, which the fusion passes to it.
      optimization: { disable_specified_optimizers: 'SkipLayerNormFusion;Pad_Fusion' },
    },
    logSeverityLevel: 4, // fatal: other errors are thrown, with a code
  }
  loadInto(session, model, settings)
  return {
    run: (feeds, fetches) => runInto(session, feeds, fetches),
    endProfiling: () => session.endProfiling(),
    dispose: () => session.dispose(),
  }
}
