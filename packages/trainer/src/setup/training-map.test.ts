import '@tensorflow/tfjs'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { ADAPTER, type Adapted, type Adapter, MODEL, type Model, type Params, key } from '@attune/core'
import { tensor, zeros } from '@tensorflow/tfjs-core'
import { installed } from '../run/installed.test.fixture.js'
import { toyEngine } from '../run/toy.test.fixture.js'
import { countTraining, sizesOf, trainingMap, unmaskedSizes } from './training-map.js'

const engine = toyEngine()
beforeAll(() => engine.start())
afterAll(() => engine.close())

const bert = await installed(MODEL, 'bert')
const model = bert({
  vocabSize: 10,
  hiddenSize: 4,
  numHiddenLayers: 2,
  numAttentionHeads: 2,
  intermediateSize: 6,
  maxPositionEmbeddings: 8,
}) as Model
const params = (): Params => ({
  ...model.init(key(1)),
  'classifier.weight': zeros([3, 4]),
  'classifier.bias': zeros([3]),
})

/** Counts under an adapter, as `trainable / parameters + added` by group and part; undefined where there is no parameter. */
async function mapOf(name: string, options: object = {}) {
  const adapter = (await installed(ADAPTER, name))(options, { engine, randomness: key(1) } as never)
  const all = params()
  const adapted = await (adapter as Adapter).adapt(model, all)
  const map = trainingMap(model, { model: sizesOf(all), trainable: sizesOf(adapted.trainable) })
  const text = map.groups.map((group) => [
    group.name,
    Object.fromEntries(
      Object.entries(group.parts).map(([part, { parameters, trainable, added }]) => [
        part,
        `${trainable}/${parameters}+${added}`,
      ]),
    ),
  ])
  expect(countTraining(map)).toBe(Object.values(adapted.trainable).reduce((sum, { size }) => sum + size, 0))
  return Object.fromEntries(text) as Record<string, Record<string, string>>
}

describe('trainingMap', () => {
  it('counts every parameter once, by layer group and kind', async () => {
    expect(await mapOf('full')).toEqual({
      // Word, position and token-type embeddings: (10 + 8 + 2) · 4; a norm has 2 · 4.
      embeddings: { embeddings: '80/80+0', norms: '8/8+0' },
      // Four linear layers of 4 · 4 + 4; feed-forward of 4 · 6 + 6 and 6 · 4 + 4; two norms.
      'layer 0': { attention: '80/80+0', norms: '16/16+0', 'feed-forward': '58/58+0' },
      'layer 1': { attention: '80/80+0', norms: '16/16+0', 'feed-forward': '58/58+0' },
      pooler: { head: '20/20+0' },
      head: { head: '15/15+0' },
    })
  })

  it('shows frozen, partial and added parameters', async () => {
    expect((await mapOf('top-layers'))['layer 0']).toEqual({
      attention: '0/80+0',
      norms: '0/16+0',
      'feed-forward': '0/58+0',
    })
    expect((await mapOf('bitfit'))['layer 0']).toEqual({
      attention: '16/80+0',
      norms: '8/16+0',
      'feed-forward': '10/58+0',
    })
    // Rank 2: two factors of 2 · 4, at query and value.
    const lora = await mapOf('lora', { rank: 2, targets: ['query', 'value'] })
    expect(lora['layer 1']).toEqual({ attention: '0/80+32', norms: '0/16+0', 'feed-forward': '0/58+0' })
    expect(lora['head']).toEqual({ head: '15/15+0' })
  })

  it('does not count what a mask freezes, and shows tensors outside of the model', async () => {
    const all = params()
    const name = 'bert.encoder.layer.0.attention.self.query.bias'
    const trainable = { [name]: all[name]!, 'prompt.weight': zeros([2, 4]) }
    const adapted = { trainable, masks: { [name]: tensor([1, 0, 0, 1]) } } as unknown as Adapted
    const sizes = { model: sizesOf(all), trainable: sizesOf(trainable), unmasked: await unmaskedSizes(engine, adapted) }
    const map = trainingMap(model, sizes)
    expect(map.groups[1]!.parts.attention).toEqual({ parameters: 80, trainable: 2, added: 0 })
    expect(map.groups.at(-1)).toEqual({
      name: 'added',
      parts: { embeddings: { parameters: 0, trainable: 0, added: 8 } },
    })
    expect(countTraining(map)).toBe(10)
  })

  it('has no feed-forward part in layers without attention', async () => {
    const lstm = (await installed(MODEL, 'lstm'))({ vocabSize: 5, embeddingSize: 2, hiddenSize: 2 }) as Model
    const sizes = sizesOf(lstm.init(key(1)))
    const { groups } = trainingMap(lstm, { model: sizes, trainable: sizes })
    expect(groups.map(({ name, parts }) => [name, Object.keys(parts)])).toEqual([
      ['embeddings', ['embeddings']],
      ['rnn', ['other']],
    ])
  })
})
