import { type AnyPlugin, type Engine, type HostArray, type HostTree, type Tree, scheduledOptions } from '@attune/core'
import { type NamedTensorMap, type Tensor, engine } from '@tensorflow/tfjs-core'
import { expectClose } from './expect-close.js'
import { floats } from './host-array.js'
import { onlyTensors } from './only-tensors.js'
import { replaceMethod } from './replace-method.js'
import { expect, it } from './runner.js'

type Options = Readonly<Record<string, unknown>>

/** Numbers of which two are within the range of most options. */
const CANDIDATES = [0.25, 0.4, 2, 3]

/** Two values of an option, and the first options that they are valid with; fewer if all options are of other variants. */
function twoValues({ plugin, variants }: ScheduledSubject, name: string) {
  const valid = variants.map((options) => ({
    options,
    values: CANDIDATES.filter((value) => plugin.options.safeParse({ ...options, [name]: value }).success).slice(0, 2),
  }))
  return valid.find(({ values }) => values.length === 2)
}

/** Runs a step; the program is its operations with their attributes and input shapes: what a compiling engine compiles. */
function programOf(step: () => Tree): { readonly program: string; readonly result: Tree } {
  const kernels: unknown[] = []
  const runKernel = engine().runKernel.bind(engine())
  const restore = replaceMethod(engine(), 'runKernel', ((name: string, inputs: NamedTensorMap, attributes?: object) => {
    kernels.push([name, Object.values(inputs).map((input) => [input].flat().map(({ shape }) => shape)), attributes])
    return runKernel(name, inputs, attributes as never)
  }) as typeof runKernel)
  try {
    const result = onlyTensors(step)
    return { program: JSON.stringify(kernels), result }
  } finally {
    restore()
  }
}

/** Subject of {@link describeScheduled}: a plugin, and a step of it that is a function of its options and of tensors. */
export interface ScheduledSubject {
  readonly plugin: AnyPlugin
  readonly engine: Engine
  /** Options of which the first are used that an option can be added to. */
  readonly variants: readonly Options[]
  /** Prepares a step: its inputs, and a pure function of them and of an option's value. */
  prepare(options: Options): Promise<{
    readonly inputs: HostTree
    step(inputs: Tree, changed: Readonly<Record<string, number | Tensor>>): Tree
  }>
}

/**
 * Contract of the options that can be scheduled: two values of each need one program, which reads the value as an input, and its result is
 * that of an instance with the number.
 */
export function describeScheduled(subject: ScheduledSubject): void {
  const { plugin, engine: device, prepare } = subject
  for (const name of scheduledOptions(plugin, ['step'])) {
    const found = twoValues(subject, name)
    if (found === undefined) continue
    const { options, values } = found
    it(`needs one program for two values of ${name}, with the results of the numbers`, async () => {
      const { inputs, step } = await prepare(options)
      const given = device.put(inputs) as Tree
      const compiled = device.compile((at: Tree, value: Tensor) => step(at, { [name]: value }))
      const programs = new Set<string>()
      for (const value of values) {
        const tensor = device.put(floats([value], [])) as Tensor
        const { program, result } = programOf(() => compiled(given, tensor))
        programs.add(program)
        const expected = device.compile((at: Tree) => step(at, { [name]: value }))(given)
        expectClose(
          await device.read(result),
          (await device.read(expected)) as unknown as Readonly<Record<string, HostArray>>,
          2e-6,
        )
      }
      expect(programs.size).toBe(1)
    })
  }
}
