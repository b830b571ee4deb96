import { readFileSync } from 'node:fs'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DataPass, type HostArray, type Params, SOURCE, type Tree, definePlugin } from '@attune/core'
import { crossEntropy, embedding, gradients, linear } from '@attune/nn'
import { describeRegularizer, expectClose, floats, integers, referenceEngine } from '@attune/testkit'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type Tensor, div, mean, scalar, sum, tanh } from '@tensorflow/tfjs-core'
import { z } from 'zod'
import { encodeSafetensors } from '@attune/weights'
import { ewc } from './ewc.js'

/** A source of the examples that a test passes. */
const given = definePlugin({
  kind: SOURCE,
  name: 'given',
  summary: 'Examples of a test',
  options: z.strictObject({ rows: z.array(z.record(z.string(), z.unknown())).default([]) }),
  create: ({ rows }) => ({
    location: 'the test',
    async *open() {
      yield* rows
    },
  }),
})

describeRegularizer(ewc, { options: { data: { use: given }, strength: 2 } })

interface Arrays {
  readonly [name: string]: { readonly shape: readonly number[]; readonly values: readonly number[] }
}
const golden = JSON.parse(readFileSync('golden/torch-ewc.json', 'utf8')) as {
  readonly source: string
  readonly cases: readonly {
    readonly options: { readonly strength: number }
    readonly batch: { readonly ids: readonly (readonly number[])[]; readonly labels: readonly number[] }
    readonly start: Arrays
    readonly fisher: Readonly<Record<string, readonly number[]>>
    readonly ofMeanGradient: Readonly<Record<string, readonly number[]>>
    readonly parameters: Arrays
    readonly expected: number
    readonly gradients: Readonly<Record<string, readonly number[]>>
  }[]
}

describe('ewc', () => {
  const engine = referenceEngine()
  beforeAll(() => engine.start())
  afterAll(() => engine.close())
  const put = (arrays: Arrays): Params =>
    engine.put(
      Object.fromEntries(Object.entries(arrays).map(([name, { values, shape }]) => [name, floats(values, shape)])),
    ) as Params

  /** A pass over examples with the gradients of the classifier of the golden file. */
  const passOver = (params: Params): DataPass => ({
    async fold(start, step, { batchSize = 1000, limit = Infinity, examples } = {}) {
      let state = start(params)
      const rows: { ids: number[]; label: number }[] = []
      for await (const row of examples!()) rows.push(row as never)
      for (let at = 0, batches = 0; at < rows.length && batches < limit; at += batchSize, batches++) {
        const batch = rows.slice(at, at + batchSize)
        const ids = engine.put(
          integers(
            batch.flatMap((row) => row.ids),
            [batch.length, batch[0]!.ids.length],
          ),
        ) as Tensor
        const labels = engine.put(
          integers(
            batch.map(({ label }) => label),
            [batch.length],
          ),
        ) as Tensor
        const loss = (): Tensor => {
          const head = linear(params, 'classifier', tanh(mean(embedding(params, 'words', ids), 1)))
          return div(sum(crossEntropy(head, labels)), batch.length)
        }
        state = step(state, { gradients: () => gradients(loss, params).grads } as never)
      }
      return state
    },
    read: engine.read,
    release: engine.release,
  })

  const constantsOf = ({ batch, start, options }: (typeof golden.cases)[number], limit?: number): Promise<Tree> => {
    const rows = batch.ids.map((ids, i) => ({ ids, label: batch.labels[i] }))
    const params = put(start)
    const regularizer = ewc({ data: { use: given, rows }, ...(limit && { limit }), ...options } as never)
    return regularizer.prepare!(passOver(params), params)
  }
  const fisherIn = async (constants: Tree): Promise<Record<string, number[]>> => {
    const { fisher } = (await engine.read(constants)) as unknown as { fisher: Record<string, HostArray> }
    return Object.fromEntries(Object.entries(fisher).map(([name, { values }]) => [name, [...values]]))
  }

  it.each(golden.cases)(`squares the gradient of each example, as ${golden.source}: $options`, async (each) => {
    const found = await fisherIn(await constantsOf(each))
    for (const [name, values] of Object.entries(each.fisher)) {
      values.forEach((value, i) => expect(found[name]![i]).toBeCloseTo(value, 6))
      const ofMean = each.ofMeanGradient[name]!
      expect(Math.max(...values.map((value, i) => Math.abs(value - ofMean[i]!)))).toBeGreaterThan(1e-3)
    }
  })

  it('uses at most `limit` examples', async () => {
    const [each] = golden.cases
    const all = await fisherIn(await constantsOf(each!))
    const first = { ...each!, batch: { ids: each!.batch.ids.slice(0, 2), labels: each!.batch.labels.slice(0, 2) } }
    const limited = await fisherIn(await constantsOf(each!, 2))
    expect(limited).toEqual(await fisherIn(await constantsOf(first)))
    expect(limited).not.toEqual(all)
  })

  it.each(golden.cases)(`agrees with ${golden.source} in penalty and gradients: $options`, async (each) => {
    const constants = await constantsOf(each)
    const loss = ewc({ data: { use: given }, ...each.options } as never).wrap(() => ({
      sum: scalar(0),
      weight: scalar(4),
    }))
    const program = engine.compile((trainable: Params) => {
      const mean = (): Tensor => div(loss({ trainable, constants } as never).sum, 4)
      const { value, grads } = gradients(mean, trainable)
      return { value, grads }
    })
    const { value, grads } = (await engine.read(program(put(each.parameters)))) as unknown as {
      value: HostArray
      grads: Record<string, HostArray>
    }
    expect(Math.abs(value.values[0]! - each.expected)).toBeLessThan(1e-5 * Math.max(1, each.expected))
    for (const [name, values] of Object.entries(each.gradients)) {
      const { shape } = each.parameters[name]!
      expectClose(grads[name]!, floats(values, shape), 1e-5 * Math.max(1, ...values.map(Math.abs)))
    }
  })

  it('holds the parameters that match `only`', async () => {
    const vector = (value: number) => ({ shape: [1], values: [value] })
    const held = (a: number, b: number) => put({ a: vector(a), b: vector(b) })
    const constants = { start: held(1, 1), fisher: held(2, 5) }
    const loss = ewc({ data: { use: given }, strength: 3, only: '!b' }).wrap(() => ({
      sum: scalar(0),
      weight: scalar(4),
    }))
    const { sum } = engine.compile((trainable: Params) => loss({ trainable, constants } as never))(held(4, 9))
    expect(((await engine.read(sum)) as HostArray).values[0]).toBeCloseTo(4 * (3 / 2) * 2 * 9, 4)
  })

  describe('from a checkpoint', () => {
    const folder = mkdtempSync(join(tmpdir(), 'attune-ewc-'))
    afterAll(() => rmSync(folder, { recursive: true }))
    const saved = (constants: Record<string, Record<string, HostArray>>, index = 0): string => {
      const tensors = Object.entries(constants).flatMap(([part, params]) =>
        Object.entries(params).map(([name, array]) => [`prepared/${index}/${part}/${name}`, array] as const),
      )
      const file = join(folder, 'state.safetensors')
      writeFileSync(file, encodeSafetensors({ ...Object.fromEntries(tensors), 'trainable/x': floats([1], [1]) }))
      return file
    }
    const none = { read: engine.read, release: engine.release } as DataPass
    const load = (from: string, trainable: Params) => ewc({ from } as never).prepare!(none, trainable)

    it('takes Fisher information and weights without data, and leaves new parameters free', async () => {
      const [each] = golden.cases
      const constants = (await engine.read(await constantsOf(each!))) as unknown as Parameters<typeof saved>[0]
      const others = engine.put({ 'new.weight': floats([1, 2], [2]) }) as Params
      const found = await load(saved(constants), { ...put(each!.parameters), ...others })
      const { start, fisher } = (await engine.read(found)) as unknown as typeof constants
      const { 'new.weight': free, ...held } = fisher!
      expect([...free!.values]).toEqual([0, 0])
      expect(held).toEqual(constants['fisher'])
      for (const name of Object.keys(held)) expect(start![name]).toEqual(constants['start']![name])
    })

    it('refuses a checkpoint of another model, without ewc, or of two, and a missing one', async () => {
      const trainable = engine.put({ w: floats([1, 2], [2]) }) as Params
      const of = (shape: number[], values: number[]) => ({
        start: { w: floats(values, shape) },
        fisher: { w: floats(values, shape) },
      })
      await expect(load(saved(of([1], [1])), trainable)).rejects.toMatchObject({ code: 'BAD_CHECKPOINT' })
      await expect(load(saved({}), trainable)).rejects.toMatchObject({ code: 'BAD_CHECKPOINT' })
      await expect(load(join(folder, 'none'), trainable)).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' })
      await expect(load(saved(of([2], [1, 2]), 3), trainable)).resolves.toBeDefined()
      const two = encodeSafetensors({
        'prepared/0/fisher/w': floats([1, 2], [2]),
        'prepared/1/fisher/w': floats([1, 2], [2]),
      })
      writeFileSync(join(folder, 'two.safetensors'), two)
      await expect(load(join(folder, 'two.safetensors'), trainable)).rejects.toThrow('several regularizers')
    })

    it('refuses both or none of `data` and `from`', async () => {
      const refused = (options: object) => ewc(options as never).prepare!(none, {})
      await expect(refused({})).rejects.toMatchObject({ code: 'BAD_OPTIONS' })
      await expect(refused({ from: 'x', data: { use: given } })).rejects.toMatchObject({ code: 'BAD_OPTIONS' })
    })
  })
})
