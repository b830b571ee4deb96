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
import { registerDropoutMask } from '../layers/dropout-mask.js'
import { registerNoise } from '../layers/noise.js'

/** What tells one eager engine from another. */
export interface EagerBackend {
  /** The name under which TF.js knows the backend. */
  readonly backend: string
  readonly device: string
  /** Loads the backend, or throws an AttuneError that says why it cannot be used. */
  load(): Promise<void>
}

/**
 * Runs the function on the spot, on the backend that `select` chooses; frees what it made on the way, and the donated
 * arguments unless they are results.
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
  const ready = await setBackend(backend).catch(() => false)
  if (ready) return
  throw new AttuneError(
    'ENGINE_UNAVAILABLE',
    `${device}: TF.js cannot start its backend "${backend}"`,
    'Install the engine again, or name another one: `attune plugins list` shows those that there are.',
  )
}

/**
 * An engine that lets a TF.js backend run each operation as it is called. Everything a step makes is freed when the step
 * ends, except its results.
 */
export const eagerEngine = ({ backend, device, load }: EagerBackend): Engine => {
  /** TF.js computes on one backend at a time, for the whole process; the last engine that started would keep it. */
  const select = (): void => {
    if (getBackend() !== backend) void setBackend(backend) // done on return, because the backend is there already
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
