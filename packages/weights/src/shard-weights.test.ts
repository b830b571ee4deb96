import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from '@jest/globals'
import type { HostArray } from '@attune/core'
import { openWeights } from './open-weights.js'
import { shardWeights } from './shard-weights.js'

const root = mkdtempSync(join(tmpdir(), 'attune-shards-'))
afterAll(() => rmSync(root, { recursive: true }))

const array = (length: number, from: number): HostArray => ({
  shape: [length],
  dtype: 'float32',
  values: Float32Array.from({ length }, (_, i) => from + i),
})
const tensors = { a: array(10, 0), b: array(40, 100), c: array(10, 200), d: array(10, 300), e: array(1, 400) }

it('shardWeights writes one file if the weights fit, otherwise shards with an index that read back the same', () => {
  expect(Object.keys(shardWeights(tensors))).toEqual(['model.safetensors'])
  const files = shardWeights(tensors, 'float32', 84)
  expect(Object.keys(files)).toEqual([
    'model-00001-of-00003.safetensors',
    'model-00002-of-00003.safetensors',
    'model-00003-of-00003.safetensors',
    'model.safetensors.index.json',
  ])
  for (const [name, content] of Object.entries(files))
    writeFileSync(join(root, name), typeof content === 'string' ? content : content())
  const index = JSON.parse(files['model.safetensors.index.json'] as string) as Record<string, Record<string, unknown>>
  expect(index['metadata']).toEqual({ total_parameters: 71, total_size: 284 })
  expect(index['weight_map']).toMatchObject({
    a: 'model-00001-of-00003.safetensors',
    b: 'model-00002-of-00003.safetensors',
  })
  const reader = openWeights(root)
  for (const [name, expected] of Object.entries(tensors)) expect(reader.read(name)).toEqual(expected)
  reader.close()
})

it('shardWeights counts the bytes of half precision', () => {
  expect(Object.keys(shardWeights(tensors, 'float16', 142))).toEqual(['model.safetensors'])
  expect(Object.keys(shardWeights(tensors, 'float16', 141))).toHaveLength(3)
})
