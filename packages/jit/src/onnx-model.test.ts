import { expect, it } from '@jest/globals'
import { builder } from './builder.js'
import { encodeModel } from './onnx-model.js'

it('encodes the nodes of the shallowest output last, which ONNX Runtime then computes first', () => {
  const b = builder()
  const type = { dtype: 'float32', shape: [2] } as const
  const input = b.input(type)
  const shallow = b.node('Tanh', [input], type)
  const deep = b.node('Exp', [b.node('Sqrt', [input], type)], type)
  for (const outputs of [
    [shallow, deep],
    [deep, shallow],
  ]) {
    // prettier-ignore
    const text = Buffer.from(encodeModel({ inputs: [input], outputs })).toString('latin1')
    const at = ['Sqrt', 'Exp', 'Tanh'].map((op) => text.indexOf(`${op}_v`))
    expect(at.every((position, i) => position > (at[i - 1] ?? 0))).toBe(true)
  }
})
