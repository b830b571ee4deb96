import '@tensorflow/tfjs'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import type { Params } from '@attune/core'
import { type Scalar, type Tensor, mul, ones, sum, tensor, valueAndGrads, zeros } from '@tensorflow/tfjs-core'
import { type RecurrentOptions, recurrentLayer, recurrentShapes } from '../index.js'

interface Stored {
  readonly shape: number[]
  readonly values: number[]
}

type Case = Readonly<Record<'x' | 'direction' | 'output', Stored>> &
  Readonly<Record<'params' | 'gradients', Readonly<Record<string, Stored>>>> & { readonly last: readonly Stored[] }

const golden = JSON.parse(readFileSync('golden/torch-recurrent.json', 'utf8')) as {
  readonly source: string
  readonly lengths: readonly number[]
  readonly cells: Readonly<Record<RecurrentOptions['cell'], Case>>
}

const load = ({ values, shape }: Stored): Tensor => tensor(values, shape, 'float32')

function expectClose(found: Tensor, { shape, values }: Stored): void {
  expect(found.shape).toEqual(shape)
  const largest = Math.max(1, ...values.map(Math.abs))
  const differences = Array.from(found.dataSync(), (v, i) => Math.abs(v - values[i]!))
  expect(Math.max(...differences)).toBeLessThan(2e-6 * largest)
}

describe.each(Object.keys(golden.cells) as RecurrentOptions['cell'][])(`%s matches ${golden.source}`, (cell) => {
  const { x, direction, params, output, last, gradients } = golden.cells[cell]
  const length = x.shape[1]!
  const mask = tensor(
    golden.lengths.map((tokens) => Array.from({ length }, (_, i) => (i < tokens ? 1 : 0))),
    undefined,
    'int32',
  )
  const names = Object.keys(params)
  const named = (tensors: readonly Tensor[]): Params =>
    Object.fromEntries(names.map((name, i) => [`deep.${name}`, tensors[i]!]))
  const both = { cell, bidirectional: true }
  const stacked = (all: Params, input: Tensor) =>
    recurrentLayer(all, 'deep', recurrentLayer(all, 'deep', input, mask, both).states, mask, { ...both, layer: 1 })
  const tensors = Object.values(params).map(load)

  it('in its states and last state, for rows of several lengths', () => {
    const found = stacked(named(tensors), load(x))
    expectClose(found.states, output)
    expect(found.last.length).toBe(last.length)
    for (const [i, part] of last.entries()) expectClose(found.last[i]!, part)
  })

  it('in the gradients of all parameters and of its input', () => {
    const loss = (input: Tensor, ...given: Tensor[]): Scalar =>
      sum(mul(stacked(named(given), input).states, load(direction))) as Scalar
    const { grads } = valueAndGrads(loss as (...given: Tensor[]) => Scalar)([load(x), ...tensors])
    for (const [i, name] of ['x', ...names].entries()) expectClose(grads[i]!, gradients[name]!)
  })

  it('in the shapes of its parameters', () => {
    const [inputs, hidden] = [x.shape[2]!, params['weight_hh_l0']!.shape[1]!]
    const shapes = {
      ...recurrentShapes('deep', inputs, hidden, both),
      ...recurrentShapes('deep', 2 * hidden, hidden, { ...both, layer: 1 }),
    }
    expect(shapes).toEqual(Object.fromEntries(names.map((name) => [`deep.${name}`, params[name]!.shape])))
  })

  it('and keeps its results for a text read in two parts, the second from the last state of the first', () => {
    const all = named(tensors)
    const [row, step] = [x.shape[2]! * length, x.shape[2]! * 2]
    const part = (from: number, to: number): Tensor => tensor([x.values.slice(from, to)]).reshape([1, -1, x.shape[2]!])
    const run = (input: Tensor, begin?: readonly Tensor[]) =>
      recurrentLayer(all, 'deep', input, ones([1, input.shape[1]!], 'int32'), { cell }, begin)
    const whole = run(part(0, row))
    const second = run(part(step, row), run(part(0, step)).last)
    for (const [i, found] of second.last.entries())
      expectClose(found, { shape: found.shape, values: Array.from(whole.last[i]!.dataSync()) })
  })
})

it('recurrentLayer computes the gradient of a single step, and keeps the state of a row without tokens', () => {
  const shapes = recurrentShapes('one', 2, 3, { cell: 'lstm' })
  const params = Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, ones([...shape])]))
  const begin = [ones([1, 1, 3]), ones([1, 1, 3])]
  const run = (x: Tensor, token: number) =>
    recurrentLayer(params, 'one', x, tensor([[token]], [1, 1], 'int32'), { cell: 'lstm' }, begin)
  const { grads } = valueAndGrads((x: Tensor) => sum(run(x, 1).states) as Scalar)([zeros([1, 1, 2])])
  expect(Math.min(...grads[0]!.dataSync())).toBeGreaterThan(0)
  expect(run(ones([1, 1, 2]), 0).last.map((part) => Array.from(part.dataSync()))).toEqual([
    [1, 1, 1],
    [1, 1, 1],
  ])
})
