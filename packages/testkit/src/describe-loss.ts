import { type AnyPlugin, type HostArray, type LossTerm, key, normals, stream } from '@attune/core'
import { type Scalar, type Tensor, sum } from '@tensorflow/tfjs-core'
import { describeOptions } from './describe-options.js'
import { describeScheduled } from './describe-scheduled.js'
import { expectClose } from './expect-close.js'
import { gradientsOf } from './gradients-of.js'
import { floats, integers } from './host-array.js'
import { referenceEngine } from './reference-engine.js'
import { afterAll, beforeAll, describe, expect, it } from './runner.js'

interface Stored {
  readonly shape: readonly number[]
  readonly values: readonly number[]
}

/** Outputs and targets, with losses and gradients computed by another library. */
export interface LossGolden {
  readonly source: string
  readonly cases: readonly {
    readonly options: Readonly<Record<string, unknown>>
    readonly outputs: Stored
    readonly targets: Stored
    readonly expected: readonly number[]
    /** Gradient of the summed losses with respect to the outputs. */
    readonly gradient: Stored
    /** Gradient with respect to the targets, if they are differentiated too: those of pairs. */
    readonly targetGradient?: Stored
  }[]
}

const [ROWS, WIDTH] = [5, 4]
const DIFFERENCE = 1e-2
const EXTREME = 1e4
const TOLERANCE = 1e-6

/** Reproducible outputs and targets for a kind of comparison. */
function sampleOf(compares: LossTerm['compares']): { readonly outputs: HostArray; readonly targets: HostArray } {
  const next = normals(stream(key(5)))
  const values = (count: number): number[] => Array.from({ length: count }, next)
  if (compares === 'numbers') return { outputs: floats(values(ROWS), [ROWS]), targets: floats(values(ROWS), [ROWS]) }
  const outputs = floats(values(ROWS * WIDTH), [ROWS, WIDTH])
  if (compares === 'labels') return { outputs, targets: integers([0, 3, 1, 2, 3], [ROWS]) }
  const wanted = values(ROWS * WIDTH)
  const targets = compares === 'indicators' ? wanted.map((value) => (value > 0 ? 1 : 0)) : wanted
  return { outputs, targets: floats(targets, [ROWS, WIDTH]) }
}

const rowOf = ({ shape, dtype, values }: HostArray, row: number): HostArray => {
  const width = shape[1] ?? 1
  return { shape: [1, ...shape.slice(1)], dtype, values: values.slice(row * width, (row + 1) * width) }
}

/** The array of another row order. */
const reversedRows = (array: HostArray): HostArray => ({
  ...array,
  values: Float32Array.from(Array.from({ length: ROWS }, (_, i) => [...rowOf(array, ROWS - 1 - i).values]).flat()),
})

/** Outputs of ±10⁴, so that every row has both signs and different rows have different ones. */
const extreme = (outputs: HostArray): HostArray => ({
  ...outputs,
  values: outputs.values.map((value) => (value > 0 ? EXTREME : -EXTREME)),
})

const noRows = ({ shape, dtype, values }: HostArray): HostArray => ({
  shape: [0, ...shape.slice(1)],
  dtype,
  values: values.slice(0, 0),
})

/**
 * Contract of a loss: returns one finite loss per row, which depends only on that row (of pairs: on the set of the other rows, not
 * on their order); is deterministic; losses and gradients are finite for outputs of ±10⁴; accepts no rows and one row; its gradient
 * matches finite differences; frees all other tensors; two values of an option that can be scheduled need one program; and its losses
 * and gradients match another library.
 */
export function describeLoss(
  plugin: AnyPlugin,
  { options = {}, golden }: { readonly options?: Readonly<Record<string, unknown>>; readonly golden?: LossGolden } = {},
): void {
  describe(`loss ${plugin.name}`, () => {
    const engine = referenceEngine()
    const make = (given = options): LossTerm => plugin(given) as LossTerm
    const lossesOf = async (outputs: HostArray, targets: HostArray, given = options): Promise<HostArray> => {
      const compiled = engine.compile((o: Tensor, t: Tensor) => make(given).losses(o, t))
      const [o, t] = [engine.put(outputs) as Tensor, engine.put(targets) as Tensor]
      const result = compiled(o, t)
      const read = (await engine.read(result)) as HostArray
      engine.release({ result, o, t })
      return read
    }
    const gradientsAt = async (outputs: HostArray, targets: HostArray, given = options) => {
      const total = (o: Tensor, t: Tensor): Scalar => sum(make(given).losses(o, t))
      const compiled = engine.compile((o: Tensor, t: Tensor) =>
        targets.dtype === 'int32'
          ? gradientsOf(({ o: at }) => total(at!, t), { o })
          : gradientsOf(({ o: at, t: target }) => total(at!, target!), { o, t }),
      )
      const result = compiled(engine.put(outputs) as Tensor, engine.put(targets) as Tensor)
      return (await engine.read(result)) as unknown as { readonly o: HostArray; readonly t?: HostArray }
    }
    const gradientOf = async (...given: Parameters<typeof gradientsAt>) => (await gradientsAt(...given)).o
    beforeAll(() => engine.start())
    afterAll(() => engine.close())
    describeOptions(plugin, options)

    it('returns one finite loss per row, the same for the same rows, and frees all other tensors', async () => {
      const { outputs, targets } = sampleOf(make().compares)
      const before = engine.live()
      const once = await lossesOf(outputs, targets)
      expect(once.shape).toEqual([ROWS])
      expect([...once.values].filter((value) => !Number.isFinite(value))).toEqual([])
      expect(await lossesOf(outputs, targets)).toEqual(once)
      expect(engine.live()).toBe(before)
    })

    it('returns finite losses and gradients for outputs of ±10⁴', async () => {
      const { outputs, targets } = sampleOf(make().compares)
      const at = extreme(outputs)
      const found = [...(await lossesOf(at, targets)).values, ...(await gradientOf(at, targets)).values]
      expect(found.filter((value) => !Number.isFinite(value))).toEqual([])
    })

    it('returns no losses for no rows, and one for one row', async () => {
      const { outputs, targets } = sampleOf(make().compares)
      expect((await lossesOf(noRows(outputs), noRows(targets))).shape).toEqual([0])
      const alone = await lossesOf(rowOf(outputs, 0), rowOf(targets, 0))
      expect(alone.shape).toEqual([1])
      expect(Number.isFinite(alone.values[0])).toBe(true)
    })

    it('does not depend on other rows, or for pairs on their order', async () => {
      const { outputs, targets } = sampleOf(make().compares)
      const together = await lossesOf(outputs, targets)
      if (make().compares === 'pairs')
        return expectClose(
          await lossesOf(reversedRows(outputs), reversedRows(targets)),
          floats([...together.values].reverse(), [ROWS]),
          1e-5,
        )
      for (let row = 0; row < ROWS; row++) {
        const alone = await lossesOf(rowOf(outputs, row), rowOf(targets, row))
        expect(alone.values[0]).toBeCloseTo(together.values[row]!, 5)
      }
    })

    it('matches the gradient by finite differences', async () => {
      const { outputs, targets } = sampleOf(make().compares)
      const found = await gradientOf(outputs, targets)
      const total = async (by: number, direction: readonly number[]): Promise<number> => {
        const moved = Float32Array.from(outputs.values, (value, i) => value + by * direction[i]!)
        const { values } = await lossesOf({ ...outputs, values: moved }, targets)
        return [...values].reduce((a, b) => a + b, 0)
      }
      for (let seed = 0; seed < 4; seed++) {
        const next = normals(stream(key(seed)))
        const direction = [...outputs.values].map(() => next())
        const slope = direction.reduce((all, d, i) => all + d * found.values[i]!, 0)
        const measured =
          ((await total(DIFFERENCE, direction)) - (await total(-DIFFERENCE, direction))) / (2 * DIFFERENCE)
        expect(Math.abs(measured - slope)).toBeLessThan(0.01 * Math.abs(slope) + 2e-3)
      }
    })

    describeScheduled({
      plugin,
      engine,
      variants: [options, ...(golden?.cases ?? []).map((each) => each.options)],
      prepare: (given) =>
        Promise.resolve({
          inputs: sampleOf(make(given).compares),
          step(inputs, changed) {
            const { outputs, targets } = inputs as Record<'outputs' | 'targets', Tensor>
            const lossesAt = (o: Tensor): Tensor => make({ ...given, ...changed }).losses(o, targets)
            return {
              losses: lossesAt(outputs),
              gradients: gradientsOf(({ o }) => sum(lossesAt(o!)) as Scalar, { o: outputs }),
            }
          },
        }),
    })

    for (const [i, { options: given, ...each }] of (golden?.cases ?? []).entries())
      it(`agrees with ${golden!.source}, case ${i + 1}: ${JSON.stringify(given)}`, async () => {
        const targets = make(given).compares === 'labels' ? integers : floats
        const [o, t] = [
          floats(each.outputs.values, each.outputs.shape),
          targets(each.targets.values, each.targets.shape),
        ]
        expectClose(await lossesOf(o, t, given), floats(each.expected, [each.expected.length]), TOLERANCE)
        const found = await gradientsAt(o, t, given)
        expectClose(found.o, floats(each.gradient.values, each.gradient.shape), TOLERANCE)
        const ofTargets = each.targetGradient
        if (ofTargets !== undefined) expectClose(found.t, floats(ofTargets.values, ofTargets.shape), TOLERANCE)
      })
  })
}
