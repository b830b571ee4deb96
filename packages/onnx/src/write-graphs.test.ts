import '@tensorflow/tfjs'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type Model, type Params, key } from '@attune/core'
import { headFor, linear, normal } from '@attune/nn'
import { tinyModel } from '@attune/testkit/tiny'
import * as tf from '@tensorflow/tfjs-core'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { writeGraphs } from './write-graphs.js'

const folder = mkdtempSync(join(tmpdir(), 'attune-onnx-'))
beforeAll(() => tf.setBackend('cpu'))
afterAll(() => rmSync(folder, { recursive: true }))

const LABELS = 3
const model = tinyModel()

/** Parameters of the tiny model with a classifier. */
const parameters = (): Params => ({
  ...model.init(key(1)),
  'classifier.weight': normal(key(2), [LABELS, model.hiddenSize], 1),
  'classifier.bias': normal(key(3), [LABELS], 1),
})

const refuse = (of: Model, task: string): unknown => {
  try {
    return writeGraphs({ model: of, params: parameters(), task }, join(folder, 'refused'))
  } catch (error) {
    return error
  }
}

describe('writeGraphs', () => {
  it('writes a classifier for texts of any number and length', async () => {
    const params = parameters()
    expect(writeGraphs({ model, params, task: 'sequence-classification' }, folder)).toEqual(['onnx/model.onnx'])
    const session = await InferenceSession.create(join(folder, 'onnx/model.onnx'))
    expect(session.inputNames).toEqual(['input_ids', 'attention_mask'])
    for (const [rows, length] of [
      [1, 1],
      [3, 7],
      [2, 24],
    ] as const) {
      const [ids, mask] = [tf.randomUniform([rows, length], 1, 99, 'int32', 5), tf.ones([rows, length], 'int32')]
      const { pooled } = model.forward(
        params,
        { inputIds: ids, attentionMask: mask, tokenTypeIds: ids },
        { training: false },
      )
      const expected = linear(params, 'classifier', pooled)
      const big = (x: tf.Tensor) => new Tensor('int64', BigInt64Array.from(Array.from(x.dataSync()), BigInt), x.shape)
      const { logits } = await session.run({ input_ids: big(ids), attention_mask: big(mask) })
      expect([...logits!.dims]).toEqual([rows, LABELS])
      const apart = Array.from(expected.dataSync(), (x, i) => Math.abs(x - Number(logits!.data[i])))
      expect(Math.max(...apart)).toBeLessThan(1e-5)
    }
  })

  it('writes the logits of starts and ends of a model for question answering', async () => {
    const params = {
      ...model.init(key(1)),
      'qa_outputs.weight': normal(key(2), [2, model.hiddenSize], 1),
      'qa_outputs.bias': normal(key(3), [2], 1),
    }
    const into = join(folder, 'spans')
    expect(writeGraphs({ model, params, task: 'span-extraction' }, into)).toEqual(['onnx/model.onnx'])
    const session = await InferenceSession.create(join(into, 'onnx/model.onnx'))
    expect([...session.outputNames].sort()).toEqual(['end_logits', 'start_logits'])
    const [ids, mask] = [
      tf.tensor2d([[5, 9, 3, 7, 8]], undefined, 'int32'),
      tf.tensor2d([[1, 1, 1, 1, 0]], undefined, 'int32'),
    ]
    const inputs = { inputIds: ids, attentionMask: mask, tokenTypeIds: ids }
    const { lastHiddenState } = model.forward(params, inputs, { training: false })
    const expected = Array.from(linear(params, 'qa_outputs', lastHiddenState).dataSync()) // [1, 5, 2]
    const big = (x: tf.Tensor) => new Tensor('int64', BigInt64Array.from(Array.from(x.dataSync()), BigInt), x.shape)
    const found = await session.run({ input_ids: big(ids), attention_mask: big(mask) })
    for (const [i, name] of ['start_logits', 'end_logits'].entries()) {
      expect([...found[name]!.dims]).toEqual([1, 5])
      const apart = Array.from({ length: 5 }, (_, at) =>
        Math.abs(Number(found[name]!.data[at]) - expected[2 * at + i]!),
      )
      expect(Math.max(...apart)).toBeLessThan(1e-5)
    }
  })

  it('rejects objectives that are not exported, and decoders whose cache has no keys and values', () => {
    expect(refuse(model, 'permutation-language-modeling')).toMatchObject({
      code: 'CANNOT_EXPORT',
      problem: expect.stringContaining('got permutation-language-modeling'),
    })
    const recurrent: Model = { ...model, cache: (batch) => ({ '0.state': tf.zeros([batch, 8]) }) }
    expect(headFor(recurrent, 'causal-language-modeling').architecture).toBe('TinyForCausalLM')
    expect(refuse(recurrent, 'causal-language-modeling')).toMatchObject({
      code: 'CANNOT_EXPORT',
      problem: 'the decoder of a model of type "tiny" has states (0.state) instead of keys and values in its cache',
    })
  })
})
