import { AttuneError } from '@attune/core'
import {
  type NamedAttrMap,
  type NamedTensorMap,
  type Tensor,
  add,
  engine,
  getBackend,
  getGradient,
  getKernel,
  mul,
  registerGradient,
  stack,
  sum,
  zeros,
} from '@tensorflow/tfjs-core'
import { taped } from './gradients.js'
import { splitAlong } from './split-along.js'

/** TF.js kernel of {@link scan} on engines that compile it to one operation. */
export const SCAN = 'AttuneScan'

/** Tensors of a {@link scan}. */
export interface ScanTensors {
  /** Initial carries, of any shapes and types. */
  readonly carry: readonly Tensor[]
  /** Tensors whose slices along the first axis the steps read; at least one, and all of one length. */
  readonly inputs: readonly Tensor[]
  /** Tensors that every step reads, for example weights. Default: none. */
  readonly constants?: readonly Tensor[]
  /** True to scan from the last slice to the first. Default: false. */
  readonly reverse?: boolean
}

/** Result of a step, or of a {@link scan}. */
export interface Scanned {
  /** The next carries, of the shapes and types of the initial ones. */
  readonly carry: readonly Tensor[]
  /** Outputs of a step; those of a scan are stacked along a new first axis, in the order of the inputs. */
  readonly outputs: readonly Tensor[]
}

/** A step: the carries, one slice of each input, and the constants. */
export type ScanStep = (carry: readonly Tensor[], inputs: readonly Tensor[], constants: readonly Tensor[]) => Scanned

/** Attributes of the kernel {@link SCAN}. */
interface ScanCall {
  step(tensors: readonly Tensor[]): readonly Tensor[]
  /** The step with all that its outputs are for. */
  readonly whole: ScanStep
  readonly carries: number
  readonly scanned: number
  readonly reverse: boolean
}

/** Splits a list into its first `first`, the next `second`, and all other entries. */
const parts = <T>(list: readonly T[], first: number, second: number): [T[], T[], T[]] => [
  list.slice(0, first),
  list.slice(first, first + second),
  list.slice(first + second),
]

const isFloat = ({ dtype }: Tensor): boolean => dtype === 'float32'

/** A step that also outputs the carries that it read. */
const withCarries =
  (step: ScanStep): ScanStep =>
  (carry, inputs, constants) => {
    const made = step(carry, inputs, constants)
    return { carry: made.carry, outputs: [...made.outputs, ...carry] }
  }

/** Runs the steps one after another. */
function unrolled({ carry, inputs, constants = [], reverse = false }: ScanTensors, step: ScanStep): Scanned {
  const slices = inputs.map((input) => splitAlong(input, 0))
  const order = [...slices[0]!.keys()]
  const outputs: (readonly Tensor[])[] = []
  let held = carry
  for (const t of reverse ? order.toReversed() : order) {
    const made = step(
      held,
      slices.map((each) => each[t]!),
      constants,
    )
    outputs[t] = made.outputs
    held = made.carry
  }
  return { carry: held, outputs: outputs[0]!.map((_, i) => stack(outputs.map((each) => each[i]!))) }
}

/** Runs the steps as one kernel. While a gradient is being recorded, its outputs end with the carries that the steps read. */
function compiled({ carry, inputs, constants = [], reverse = false }: ScanTensors, whole: ScanStep): Scanned {
  if (getGradient(SCAN) == null)
    registerGradient({ kernelName: SCAN, saveAllInputs: true, gradFunc: gradientsOf as never })
  const [carries, scanned] = [carry.length, inputs.length]
  const { gradientDepth, kernelDepth } = engine().state
  const run = gradientDepth > 0 && kernelDepth === 0 ? withCarries(whole) : whole
  let count = 0
  const step = (tensors: readonly Tensor[]): readonly Tensor[] => {
    const made = run(...parts(tensors, carries, scanned))
    count = run === whole ? made.outputs.length : made.outputs.length - carries
    return [...made.carry, ...made.outputs]
  }
  const call: ScanCall = { step, whole, carries, scanned, reverse }
  const given = [...carry, ...inputs, ...constants] as unknown as NamedTensorMap
  const made = engine().runKernel(SCAN, given, call as unknown as NamedAttrMap) as unknown as Tensor[]
  return { carry: made.slice(0, carries), outputs: made.slice(carries, carries + count) }
}

/** Gradient of a step, as a step of the scan in the other direction. */
const backwardStep =
  (step: ScanStep, carries: number, scanned: number): ScanStep =>
  (state, given, constants) => {
    const [read, inputs, above] = parts(given, carries, scanned)
    const floats = [...read, ...inputs, ...constants].filter(isFloat)
    const incoming = [...state.slice(0, read.filter(isFloat).length), ...above]
    const product = (): Tensor => {
      const made = step(read, inputs, constants)
      const results = [...made.carry, ...made.outputs].filter(isFloat)
      return results.map((result, i) => sum(mul(result, incoming[i]!))).reduce((total, each) => add(total, each))
    }
    const grads = taped(product, floats).grads.map((grad, i) => grad ?? zeros(floats[i]!.shape))
    const [toCarry, toInputs, toConstants] = parts(grads, read.filter(isFloat).length, inputs.filter(isFloat).length)
    const sums = state.slice(toCarry.length).map((total, i) => add(total, toConstants[i]!))
    return { carry: [...toCarry, ...sums], outputs: toInputs }
  }

/** Gradients of the kernel: one scan in the other direction, over the carries that the steps read. */
function gradientsOf(dy: readonly Tensor[], saved: readonly Tensor[], call: ScanCall): Record<string, () => Tensor> {
  const { whole, carries, scanned, reverse } = call
  const [carry, inputs, constants] = parts(saved, carries, scanned)
  // The compiler finds that this is the scan of the forward pass.
  const { outputs } = scan({ carry, inputs, constants, reverse }, withCarries(whole))
  const above = parts(dy, carries, dy.length - 2 * carries)
  const shared = constants.filter(isFloat)
  const back = scan(
    {
      carry: [...above[0].filter(isFloat), ...shared.map(({ shape }) => zeros(shape))],
      inputs: [...outputs.slice(-carries), ...inputs, ...above[1].filter(isFloat)],
      constants,
      reverse: !reverse,
    },
    backwardStep(whole, carries, scanned),
  )
  const ofCarry = back.carry.slice(0, back.carry.length - shared.length)
  const grads = [...ofCarry, ...back.outputs, ...back.carry.slice(ofCarry.length)]
  let at = 0
  return Object.fromEntries(
    saved.map((x, i) => [
      i,
      (
        (grad) => () =>
          grad
      )(isFloat(x) ? grads[at++]! : zeros(x.shape)),
    ]),
  )
}

/**
 * Scan: runs `step` for each slice of `inputs` along their first axis, passes the carries from step to step, and stacks the outputs. A
 * compiling engine makes one loop of it, so that the graph and the time to compile do not depend on the length; other engines run the
 * steps one after another, with the same results. The gradient is a scan in the other direction, which computes the intermediates of each
 * step again from the carries that it read.
 *
 * The step must read all tensors that depend on the arguments of a compiled function from its own arguments; random values are sampled
 * before the scan.
 * @throws AttuneError `BAD_ARGUMENT` without inputs, or if they differ in length; `ESCAPED_TENSOR` if a compiled step reads other tensors
 *
 * @example
 * ```ts
 * import { tfjsCpu } from '@attune/engine-tfjs-cpu'
 * import { scan } from '@attune/nn'
 * import { add, scalar, tensor1d } from '@tensorflow/tfjs-core'
 * await tfjsCpu().start()
 * const { carry, outputs } = scan({ carry: [scalar(0)], inputs: [tensor1d([1, 2, 3])] }, ([total], [x]) => {
 *   const next = add(total!, x!)
 *   return { carry: [next], outputs: [next] }
 * })
 * console.log(carry[0]!.dataSync()[0], outputs[0]!.arraySync()) // 6 [ 1, 3, 6 ]
 * ```
 */
export function scan(tensors: ScanTensors, step: ScanStep): Scanned {
  const lengths = tensors.inputs.map(({ shape }) => shape[0])
  if (lengths[0] === undefined || lengths[0] < 1 || lengths.some((length) => length !== lengths[0]))
    throw new AttuneError(
      'BAD_ARGUMENT',
      `expected inputs of one length of at least 1 for a scan, got ${JSON.stringify(lengths)}`,
      'Pass at least one tensor among `inputs`, all with the same first dimension.',
    )
  return getKernel(SCAN, getBackend()) == null || lengths[0] === 1 ? unrolled(tensors, step) : compiled(tensors, step)
}
