import { kind } from '../kind.js'
import type { HostTree, OnDevice, OnHost, Tree } from '../tree.js'

/** A function that an engine has prepared. `dispose` frees what the preparation holds; it does not touch results. */
export type Compiled<F> = F & { dispose(): void }

/** A pure function of trees of tensors. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- arguments are contravariant: only `any` admits every tree
export type PureFunction = (...trees: any[]) => Tree

/** How to compile. */
export interface CompileOptions {
  /** Positions of arguments that the caller gives up: their memory may hold the results, and they are freed. */
  readonly donate?: readonly number[]
  /**
   * Positions of arguments whose tensors are the same at every call, as those of weights that do not train: an engine that
   * compiles may lay them out once. Other tensors may be given there, at the price of preparing anew.
   */
  readonly constant?: readonly number[]
}

/** Runs pure functions of TF.js tensors on a device. It alone owns device memory and the border to the host. */
export interface Engine {
  /** The device in words, for people: "TF.js WebAssembly, 1 thread". */
  readonly device: string
  /** Whether starting an operation takes long beside computing it, as on graphics cards; known once the device is ready. */
  readonly launchBound?: boolean
  /** Makes the device ready; everything else comes after. @throws AttuneError `ENGINE_UNAVAILABLE` with the reason. */
  start(): Promise<void>
  /** Prepares a pure function. The compiled one gives the same results and frees every intermediate tensor. */
  compile<F extends PureFunction>(fn: F, options?: CompileOptions): Compiled<F>
  /** Copies host arrays to the device. */
  put<H extends HostTree>(tree: H): OnDevice<H>
  /** Copies tensors to the host. */
  read<T extends Tree>(tree: T): Promise<OnHost<T>>
  /** Frees the tensors of a tree. */
  release(tree: Tree): void
  /** Tensors alive now: what a leak check compares. */
  live(): number
  /** Frees the engine and all it holds. */
  close(): Promise<void>
}

/** Runs the step on a device. */
export const ENGINE = kind<Engine>('engine', 'one')
