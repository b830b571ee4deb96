import '@tensorflow/tfjs'
import { fileURLToPath } from 'node:url'
import { expect, it } from '@jest/globals'
import { MODEL, type Model, type TextInputs, fileName, key } from '@attune/core'
import { findInstalled } from '@attune/resolve'
import { textArrays } from '@attune/data'
import { eagerEngine } from '@attune/nn'

const searchPaths = { folders: [fileURLToPath(new URL('../../../..', import.meta.url))] }
const rows = [
  [5, 6, 7, 8, 9],
  [10, 11],
  [12, 13, 14],
]
const length = 8
const sizes = { vocabSize: 20, hiddenSize: 16, numHiddenLayers: 2, intermediateSize: 32, maxPositionEmbeddings: 20 }

it.each([
  ['gpt2', { vocabSize: 20, nPositions: 16, nEmbd: 16, nLayer: 2, nHead: 2 }, true],
  ['llama', { ...sizes, numAttentionHeads: 4, numKeyValueHeads: 2 }, true],
  ['bert', { ...sizes, numAttentionHeads: 2 }, false],
  ['roberta', { ...sizes, numAttentionHeads: 2 }, false],
])('%s computes the same hidden states for left and right padding', async (name, options, readsLast) => {
  const model = (await findInstalled(MODEL, fileName(name), searchPaths)).plugin(options) as Model
  const engine = eagerEngine({ backend: 'cpu', device: 'TF.js', load: () => Promise.resolve() })
  await engine.start()
  const params = model.init(key(1))
  const read = async (side: 'left' | 'right'): Promise<number[]> => {
    const inputs = engine.put(textArrays(rows, length, 1, undefined, side)) as never as TextInputs
    const { lastHiddenState, pooled } = model.forward(params, inputs, { training: false })
    const found = (await engine.read({ lastHiddenState, pooled })) as never as Record<string, { values: Float32Array }>
    const states = rows.flatMap((row, i) => {
      const from = (i * length + (side === 'left' ? length - row.length : 0)) * 16
      return [...found['lastHiddenState']!.values.subarray(from, from + row.length * 16)]
    })
    return readsLast ? [...states, ...found['pooled']!.values] : states
  }
  const [left, right] = [await read('left'), await read('right')]
  for (const [i, value] of left.entries()) expect(value).toBeCloseTo(right[i]!, 5)
  expect(new Set(left.map((value) => value.toFixed(3))).size).toBeGreaterThan(50)
  await engine.close()
})
