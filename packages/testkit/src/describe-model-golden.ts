import { it } from '@jest/globals'
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

/** An array as a golden file holds it. */
interface GoldenArray {
  readonly shape: readonly number[]
  readonly values: readonly number[]
}

/** Inputs, and the outputs that another library gives for them with `weights`. */
export interface ModelGolden {
  readonly source: string
  /** The options of the model that the weights are of. Default: the suite's. */
  readonly options?: Readonly<Record<string, unknown>>
  readonly weights: Readonly<Record<string, HostArray>>
  readonly cases: readonly {
    /** Added to those options. */
    readonly options: Readonly<Record<string, unknown>>
    readonly inputs: Readonly<Record<string, GoldenArray>>
    /** Those outputs that the other library has; what is kept (`hiddenStates`, `attentions`) as lists. */
    readonly outputs: Readonly<Record<string, GoldenArray | readonly GoldenArray[]>>
  }[]
}

/** What this part of the suite needs. */
interface Subject {
  readonly plugin: AnyPlugin
  readonly engine: Engine
  readonly given: Readonly<Record<string, unknown>>
  readonly make: (changed?: Readonly<Record<string, unknown>>) => Model
}

/** The outputs of a golden file as a tree: lists by place. */
const expectedOutputs = (outputs: ModelGolden['cases'][number]['outputs']): Record<string, HostTree> =>
  Object.fromEntries(
    Object.entries(outputs).map(([name, output]) => {
      const one = ({ values, shape }: GoldenArray): HostArray => floats(values, shape)
      return [name, 'shape' in output ? one(output) : Object.fromEntries(output.map(one).entries())]
    }),
  )

/** The outputs of a model with another library's weights against that library's. */
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
      // What makes `pooled` is missing from checkpoints with another head.
      const fresh = engine.compile(() => model.init(key(1)))()
      const params = { ...fresh, ...(engine.put(golden.weights) as Params) }
      const found = await engine.read(forward(params, engine.put(given) as TextInputs))
      expectClose(found, expectedOutputs(outputs), 1e-5)
    })
}
