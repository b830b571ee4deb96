import { describe, expect, it } from '@jest/globals'
import { builder } from '../builder.js'
import type { Value } from '../graph.js'
import { deepestFirst } from './deepest-first.js'

const TYPE = { dtype: 'float32', shape: [] } as const

describe('deepestFirst', () => {
  it('orders values by decreasing depth of their dependencies, and is stable', () => {
    const b = builder()
    const input = b.input(TYPE)
    const after = (steps: number, from: Value, op: string): Value =>
      steps === 0 ? from : after(steps - 1, b.node(op, [from], TYPE), op)
    const [two, seven, other] = [after(2, input, 'Tanh'), after(7, input, 'Exp'), after(2, input, 'Abs')]
    const nine = b.node('Add', [after(8, input, 'Sqrt'), two], TYPE)
    expect(deepestFirst([input, two, seven, other, nine])).toEqual([nine, seven, two, other, input])
  })
})
