import { readFileSync } from 'node:fs'
import type { HostArray, LossCall } from '@attune/core'
import { fieldHash } from '@attune/data'
import { gradients } from '@attune/nn'
import { describeOptions, expectClose, floats, integers, referenceEngine } from '@attune/testkit'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type Tensor, div, scalar } from '@tensorflow/tfjs-core'
import { groupFairness } from './group-fairness.js'

const golden = JSON.parse(readFileSync('golden/torch-group-fairness.json', 'utf8')) as {
  readonly source: string
  readonly cases: readonly {
    readonly options: { readonly by: string; readonly groups: string[]; readonly strength: number }
    readonly groups: readonly string[]
    readonly labels: readonly number[]
    readonly logits: { readonly shape: readonly number[]; readonly values: readonly number[] }
    readonly expected: number
    readonly gradients: readonly number[]
  }[]
}

describeOptions(groupFairness, { by: 'g', groups: ['a', 'b'] })

describe('group-fairness', () => {
  const engine = referenceEngine()
  beforeAll(() => engine.start())
  afterAll(() => engine.close())
  const rows = 8
  const lossOf = (options: object) =>
    groupFairness(options as never).wrap(({ trainable }) => ({
      sum: scalar(0),
      weight: scalar(rows),
      head: trainable['logits']!,
    }))
  const batchOf = (groups: readonly string[], labels: readonly number[]) =>
    engine.put({
      fields: { g: integers(groups.map(fieldHash), [rows]) },
      labels: integers(labels, [rows]),
    })

  it.each(golden.cases)(`agrees with ${golden.source}: $options`, async (given) => {
    const loss = lossOf(given.options)
    const program = engine.compile((logits: Tensor, batch: Record<string, Tensor>) => {
      const mean = (): Tensor =>
        div(loss({ trainable: { logits }, batch, mode: { training: true } } as unknown as LossCall).sum, rows)
      const { value, grads } = gradients(mean, { logits })
      return { value, grads }
    })
    const logits = engine.put(floats(given.logits.values, given.logits.shape)) as Tensor
    const found = program(logits, batchOf(given.groups, given.labels) as never)
    const { value, grads } = (await engine.read(found)) as unknown as {
      value: HostArray
      grads: Record<string, HostArray>
    }
    expect(given.expected).toBeGreaterThan(0)
    expect(value.values[0]).toBeCloseTo(given.expected, 5)
    expectClose(grads['logits']!, floats(given.gradients, given.logits.shape), 1e-6)
  })

  it('is 0 for equal means, and for a batch with texts of one group only', async () => {
    const logits = engine.put(floats(new Array<number>(3 * rows).fill(0.5), [rows, 3])) as Tensor
    const uneven = engine.put(
      floats(
        Array.from({ length: 3 * rows }, (_, i) => i % 5),
        [rows, 3],
      ),
    ) as Tensor
    const value = async (head: Tensor, groups: readonly string[]): Promise<number> => {
      const call = {
        trainable: { logits: head },
        batch: batchOf(
          groups,
          groups.map(() => 0),
        ),
        mode: { training: true },
      }
      const { sum } = lossOf({ by: 'g', groups: ['a', 'b'] })(call as never)
      return ((await engine.read(sum)) as HostArray).values[0]!
    }
    const both = ['a', 'b', 'a', 'b', 'b', 'b', 'a', 'b']
    expect(await value(logits, both)).toBeCloseTo(0, 10)
    expect(await value(uneven, new Array<string>(rows).fill('a'))).toBe(0)
    expect(await value(uneven, both)).toBeGreaterThan(1e-4)
  })

  it('changes nothing in evaluation', async () => {
    const logits = engine.put(
      floats(
        Array.from({ length: 3 * rows }, (_, i) => i % 5),
        [rows, 3],
      ),
    ) as Tensor
    const { sum } = lossOf({ by: 'g', groups: ['a', 'b'] })({
      trainable: { logits },
      mode: { training: false },
    } as never)
    expect(((await engine.read(sum)) as HostArray).values[0]).toBe(0)
  })

  it('rejects batches without the field', () => {
    const logits = engine.put(floats(new Array<number>(3 * rows).fill(0), [rows, 3])) as Tensor
    const call = { trainable: { logits }, batch: { inputs: {} }, mode: { training: true } }
    expect(() => lossOf({ by: 'g', groups: ['a', 'b'] })(call as never)).toThrow(
      expect.objectContaining({ code: 'REGULARIZER_MISMATCH', problem: expect.stringContaining('the field "g"') }),
    )
  })
})
