import {
  AttuneError,
  type Compiled,
  type CompileOptions,
  type Engine,
  type HostArray,
  type HostTree,
  type OnDevice,
  type OnHost,
  type PureFunction,
  type Tree,
  isHostArray,
  isTensor,
  leaves,
  mapTree,
} from '@attune/core'
import {
  type DataType,
  type Tensor,
  enableProdMode,
  getBackend,
  memory,
  setBackend,
  tensor,
  tidy,
} from '@tensorflow/tfjs-core'
import { registerDropoutMask } from './dropout-mask.js'

/** What tells one eager engine from another. */
export interface EagerBackend {
  /** The name under which TF.js knows the backend. */
  readonly backend: string
  readonly device: string
  /** Loads the backend, or throws an AttuneError that says why it cannot be used. */
  load(): Promise<void>
}

const release = (tree: Tree): void => {
  for (const [, leaf] of leaves(tree, isTensor)) leaf.dispose()
}

/** The values are copied, here and in {@link read}, because TF.js' JavaScript backend computes on the very array it gets. */
const put = <H extends HostTree>(tree: H): OnDevice<H> =>
  mapTree(tree, isHostArray, ({ values, shape, dtype }: HostArray) =>
    tensor(values.slice(), [...shape], dtype),
  ) as OnDevice<H>

async function read<T extends Tree>(tree: T): Promise<OnHost<T>> {
  const arrays = new Map<Tensor, HostArray>()
  for (const [, leaf] of leaves(tree, isTensor)) {
    const values = (await leaf.data<DataType>()) as HostArray['values']
    arrays.set(leaf, { shape: leaf.shape, dtype: leaf.dtype as HostArray['dtype'], values: values.slice() })
  }
  return mapTree(tree, isTensor, (leaf) => arrays.get(leaf)) as OnHost<T>
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
    },
    compile: compileFor(select),
    put: (tree) => (select(), put(tree)),
    read,
    release,
    live: () => memory().numTensors,
    close: () => Promise.resolve(),
  }
}
