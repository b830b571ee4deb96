import { readFileSync } from 'node:fs'
import { type HostArray, key } from '@attune/core'
import { adapterPass, describeAdapter, largestDifference, referenceEngine, tinyModel } from '@attune/testkit'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { type Tensor, matMul } from '@tensorflow/tfjs-core'
import { sparseCodes, updateDictionary } from './dictionary.js'
import { reconstructedNorms } from './reconstructed-norms.js'
import { sparseCoding } from './sparse-coding.js'

/** Few codes: they take most of the time of a test. */
const few = { atoms: 4, targets: 'attention', batches: 1 } as const
describeAdapter(sparseCoding, { options: few })
describeAdapter(sparseCoding, {
  options: { ...few, mode: 'freeze', fraction: 0.1, compare: 'layer' },
  without: ['initialFunction'],
})

/** Results of tools/golden/sparse_coding.py. */
interface Golden {
  readonly penalty: number
  readonly usedFraction: number
  readonly x: readonly (readonly number[])[]
  readonly dictionary: readonly (readonly number[])[]
  readonly codes: readonly (readonly number[])[]
  readonly updated: readonly (readonly number[])[]
  readonly norms: readonly number[]
}
const golden = JSON.parse(readFileSync('golden/scikit-learn.json', 'utf8')) as Golden
const matrix = (rows: readonly (readonly number[])[]): HostArray => ({
  shape: [rows.length, rows[0]!.length],
  dtype: 'float32',
  values: Float32Array.from(rows.flat()),
})

const engine = referenceEngine()
beforeAll(() => engine.start())
afterAll(() => engine.close())

it('codes inputs as sparse_encode of scikit-learn within 1e-5', async () => {
  const compiled = engine.compile((x: Tensor, dictionary: Tensor) => sparseCodes(x, dictionary, golden.penalty, 200))
  const { values } = await engine.read(compiled(engine.put(matrix(golden.x)), engine.put(matrix(golden.dictionary))))
  expect(largestDifference(values, golden.codes.flat())).toBeLessThan(1e-5)
  const zeros = golden.codes.flat().map((code) => code === 0)
  expect([...values].map((code) => code === 0)).toEqual(zeros)
})

it('updates a dictionary as scikit-learn, and reconstructs the same norms of features, within 1e-5', async () => {
  const compiled = engine.compile((x: Tensor, alpha: Tensor, dictionary: Tensor) => {
    const [codes, products] = [matMul(alpha, alpha, true), matMul(alpha, x, true)]
    return { dictionary: updateDictionary(dictionary, codes, products), codes }
  })
  const given = [golden.x, golden.codes, golden.dictionary].map((rows) => engine.put(matrix(rows)))
  const learned = await engine.read(compiled(given[0]!, given[1]!, given[2]!))
  expect(largestDifference(learned.dictionary.values, golden.updated.flat())).toBeLessThan(1e-5)
  const norms = reconstructedNorms(learned, golden.usedFraction, 'layer')
  expect(largestDifference(norms, golden.norms)).toBeLessThan(1e-5)
})

it('rejects a penalty for which all codes are 0', async () => {
  const model = tinyModel()
  const params = model.init(key(1))
  const pass = adapterPass(engine, model, params, [[7, 3, 9, 4]])
  await expect(
    sparseCoding({ atoms: 1, penalty: 0.9999 }, { engine }).adapt(model, params, { pass }),
  ).rejects.toMatchObject({ code: 'BAD_OPTIONS', remedy: 'Lower the option `penalty`.' })
})
