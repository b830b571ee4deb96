import { kind } from '../kind.js'
import type { HostTree, OnDevice, OnHost, Tree } from '../tree.js'

/** A compiled function. `dispose` frees its compiled graphs and prepacked constants, but not its results. */
export type Compiled<F> = F & { dispose(): void }

/** A pure function of trees of tensors. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- arguments are contravariant: only `any` admits every tree
export type PureFunction = (...trees: any[]) => Tree

/** Compilation options. */
export interface CompileOptions {
  /** Indices of donated arguments: the engine may reuse their memory for the results, and frees them. */
  readonly donate?: readonly number[]
  /**
   * Indices of arguments that hold the same tensors in every call, such as frozen weights. A compiling engine may prepack them
   * once. Passing other tensors is allowed and costs a new preparation.
   */
  readonly constant?: readonly number[]
}

/** Runs pure functions of TF.js tensors on a device. The engine alone owns device memory and host/device transfers. */
export interface Engine {
  /** Human-readable device name: "TF.js WebAssembly, 1 thread". */
  readonly device: string
  /** True if kernel launches dominate the cost of small operations, as on GPUs; set once the device is ready. */
  readonly launchBound?: boolean
  /** Initializes the device; call it before anything else. @throws AttuneError `ENGINE_UNAVAILABLE` with the reason. */
  start(): Promise<void>
  /** Compiles a pure function. The compiled function returns the same results and frees all intermediate tensors. */
  compile<F extends PureFunction>(fn: F, options?: CompileOptions): Compiled<F>
  /** Copies host arrays to the device. */
  put<H extends HostTree>(tree: H): OnDevice<H>
  /** Copies tensors to the host. */
  read<T extends Tree>(tree: T): Promise<OnHost<T>>
  /** Frees the tensors of a tree. */
  release(tree: Tree): void
  /** Returns the number of live tensors, for leak checks. */
  live(): number
  /** Releases the device and everything allocated on it. */
  close(): Promise<void>
}

/** Execution of compiled functions on a device. */
export const ENGINE = kind<Engine>('engine', 'one')
