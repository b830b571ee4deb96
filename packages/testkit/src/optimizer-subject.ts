import type { AnyPlugin, Engine, Optimizer } from '@attune/core'
import type { Stepped } from './optimizer-steps.js'

/** Optimizer under test, shared by the parts of the suite. */
export interface OptimizerSubject {
  readonly plugin: AnyPlugin
  readonly engine: Engine
  /** Creates the plugin's instance. */
  readonly alone: (options?: Readonly<Record<string, unknown>>) => Optimizer
  /** Creates the optimizer that is tested: the instance, or its chain with SGD if the plugin is a link. */
  readonly make: (options?: Readonly<Record<string, unknown>>) => Optimizer
  /** Parameters and state before the first step. */
  readonly begin: (optimizer: Optimizer) => Stepped
}
