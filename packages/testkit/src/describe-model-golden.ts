import {
  type AnyPlugin,
  type Engine,
  type HostArray,
  type HostTree,
  type Model,
  type Params,
  type TextInputs,
  key,
  mapParams,
} from '@attune/core'
import { expectClose } from './expect-close.js'
import { floats, integers } from './host-array.js'
import { it } from './runner.js'

/** Array in a golden file. */
interface GoldenArray {
  readonly shape: readonly number[]
  readonly values: readonly number[]
}

/** Inputs, and the outputs computed by another library with `weights`. */
export interface ModelGolden {
  readonly source: string
  /** Options of the model with these weights. Default: those of the suite. */
  readonly options?: Readonly<Record<string, unknown>>
  readonly weights: Readonly<Record<string, HostArray>>
  readonly cases: readonly {
    /** Additional options. */
    readonly options: Readonly<Record<string, unknown>>
    readonly inputs: Readonly<Record<string, GoldenArray>>
    /** Outputs of the other library; `hiddenStates` and `attentions` as lists. */
    readonly outputs: Readonly<Record<string, GoldenArray | readonly GoldenArray[]>>
  }[]
}

/** Model under test. */
interface Subject {
  readonly plugin: AnyPlugin
  readonly engine: Engine
  readonly given: Readonly<Record<string, unknown>>
  readonly make: (changed?: Readonly<Record<string, unknown>>) => Model
}

/** Outputs of a golden file as a tree; lists are keyed by index. */
const expectedOutputs = (outputs: ModelGolden['cases'][number]['outputs']): Record<string, HostTree> =>
  Object.fromEntries(
    Object.entries(outputs).map(([name, output]) => {
      const one = ({ values, shape }: GoldenArray): HostArray => floats(values, shape)
      return [name, 'shape' in output ? one(output) : Object.fromEntries(output.map(one).entries())]
    }),
  )

/** Compares the outputs of a model with those of another library, with the same weights. */
export function describeModelGolden({ plugin, engine, given: needed, make }: Subject, golden: ModelGolden): void {
  for (const [i, { options, inputs, outputs }] of golden.cases.entries())
    it(`agrees with ${golden.source}, case ${i + 1}: ${JSON.stringify(options)}`, async () => {
      const own = golden.options
      const model = own === undefined ? make(options) : (plugin({ ...own, ...options }, needed) as Model)
      const names = Object.keys(outputs)
      const keep = (['hiddenStates', 'attentions'] as const).filter((name) => names.includes(name))
      const forward = engine.compile((p: Params, given: TextInputs) => {
        const all = model.forward(p, given, { training: false, keep })
        return Object.fromEntries(names.map((name) => [name, all[name]!]))
      })
      const given = mapParams(({ values, shape }: GoldenArray) => integers(values, shape), inputs)
      // Checkpoints with another head lack the parameters of `pooled`.
      const fresh = engine.compile(() => model.init(key(1)))()
      const params = { ...fresh, ...(engine.put(golden.weights) as Params) }
      const found = await engine.read(forward(params, engine.put(given) as TextInputs))
      expectClose(found, expectedOutputs(outputs), 1e-5)
    })
}
