import {
  AttuneError,
  type Compiled,
  type CompileOptions,
  type Engine,
  type PureFunction,
  type Tree,
  isTensor,
  leaves,
} from '@attune/core'
import { type Tensor, enableProdMode, getBackend, memory, setBackend, tidy } from '@tensorflow/tfjs-core'
import { toDevice, toHost, release } from './host-transfer.js'
import { startBackend } from './start-backend.js'
import { registerDropoutMask } from '../layers/dropout-mask.js'
import { registerNoise } from '../layers/noise.js'

/** Backend of an eager engine. */
export interface EagerBackend {
  /** TF.js name of the backend. */
  readonly backend: string
  readonly device: string
  /** Loads the backend, or throws an AttuneError with the reason why it cannot be used. */
  load(): Promise<void>
}

/**
 * Runs the function eagerly on the backend that `select` chooses. Frees intermediates, and donated arguments unless
 * they are results.
 */
const compileFor =
  (select: () => void) =>
  <F extends PureFunction>(fn: F, { donate = [] }: CompileOptions = {}): Compiled<F> => {
    const run = (...trees: Tree[]): Tree => {
      select()
      const result = tidy(() => fn(...trees) as Tensor) as Tree
      const kept = new Set<Tensor>(leaves(result, isTensor).map(([, leaf]) => leaf))
      for (const position of donate)
        for (const [, leaf] of leaves(trees[position], isTensor)) if (!kept.has(leaf)) leaf.dispose()
      return result
    }
    return Object.assign(run, { dispose: () => undefined }) as unknown as Compiled<F>
  }

async function useBackend(backend: string, device: string): Promise<void> {
  if (await startBackend(backend)) return
  throw new AttuneError(
    'ENGINE_UNAVAILABLE',
    `${device}: TF.js cannot start its backend "${backend}"`,
    'Reinstall the engine, or choose another one from `npx attune plugins list`.',
  )
}

/**
 * Eager engine: a TF.js backend executes each operation as it is called. All tensors that a step creates are freed
 * when the step ends, except its results.
 */
export const eagerEngine = ({ backend, device, load }: EagerBackend): Engine => {
  /**
   * Makes this engine's backend current: TF.js has one current backend per process, by default the one that started
   * last.
   */
  const select = (): void => {
    if (getBackend() !== backend) void setBackend(backend) // synchronous, because the backend is already initialised
  }
  return {
    device,
    async start() {
      enableProdMode() // without it TF.js prints an advertisement of tfjs-node
      await load()
      await useBackend(backend, device)
      registerDropoutMask(backend)
      registerNoise(backend)
    },
    compile: compileFor(select),
    put: (tree) => (select(), toDevice(tree)),
    read: toHost,
    release,
    live: () => memory().numTensors,
    close: () => Promise.resolve(),
  }
}
