import { describe, expect, it } from '@jest/globals'
import { type AnyPlugin, MODEL, type Model, isAttuneError } from '@attune/core'
import { installed } from '../run/installed.test.fixture.js'
import { nameInSaved, planSurgery } from './layer-surgery.js'

const bert = await installed(MODEL, 'bert')
const t5 = await installed(MODEL, 't5')
const gemma = await installed(MODEL, 'gemma')
const modernbert = await installed(MODEL, 'modernbert')
const lstm = await installed(MODEL, 'lstm')
const mlp = await installed(MODEL, 'mlp')
const countOf = (plugin: AnyPlugin, options: object, stack: string): number =>
  (plugin(options) as Model).layers.filter(({ name }) => name.startsWith(`${stack} `) && /\d$/.test(name)).length

function refusal(plugin: AnyPlugin, surgery: Parameters<typeof planSurgery>[3], written = {}): string {
  try {
    planSurgery(plugin, {}, written, surgery)
  } catch (error) {
    if (isAttuneError(error)) return `${error.code} ${error.problem} ${error.remedy}`
    throw error
  }
  throw new Error('expected a refusal')
}

describe('planSurgery', () => {
  it('keeps every other layer, as for DistilBERT', () => {
    const { options, layerMap, notes } = planSurgery(bert, {}, {}, { fromLayers: [0, 2, 4, 6, 8, 10] })
    expect(options).toEqual({ numHiddenLayers: 6 })
    expect(layerMap.from['bert.encoder.layer.3.']).toBe('bert.encoder.layer.6.')
    expect(layerMap.unused).toEqual([1, 3, 5, 7, 9, 11].map((i) => `bert.encoder.layer.${i}.`))
    expect(notes).toEqual([
      'layers from the saved model, new ← saved: 0 ← 0, 1 ← 2, 2 ← 4, 3 ← 6, 4 ← 8, 5 ← 10',
      'layers of the saved model that are left out: 1, 3, 5, 7, 9, 11',
    ])
    const named = (name: string) => nameInSaved(layerMap, 'bert.', name)
    expect(named('bert.encoder.layer.1.output.dense.bias')).toBe('bert.encoder.layer.2.output.dense.bias')
    expect(named('bert.pooler.dense.bias')).toBe('bert.pooler.dense.bias')
  })

  it('repeats layers, as for depth up-scaling, and adds new ones', () => {
    const up = planSurgery(bert, { numHiddenLayers: 4 }, {}, { fromLayers: [0, 1, 2, 1, 2, null, 3] })
    expect(up.options).toEqual({ numHiddenLayers: 7 })
    expect(up.layerMap.unused).toEqual([])
    expect(nameInSaved(up.layerMap, 'bert.', 'bert.encoder.layer.3.x')).toBe('bert.encoder.layer.1.x')
    expect(nameInSaved(up.layerMap, 'bert.', 'bert.encoder.layer.5.x')).toBeUndefined()
    expect(up.notes[0]).toContain('5 ← new, 6 ← 3')
  })

  it('initializes the highest layers, the pooler and the head at random', () => {
    const { options, layerMap, notes } = planSurgery(bert, {}, {}, { reinitialize: [10, 11, 'pooler', 'head'] })
    expect(options).toEqual({})
    const named = (name: string) => nameInSaved(layerMap, 'bert.', name)
    const reset = ['bert.encoder.layer.10.a', 'bert.encoder.layer.11.a', 'bert.pooler.dense.bias', 'classifier.bias']
    expect(reset.map(named)).toEqual(reset.map(() => undefined))
    expect(named('bert.encoder.layer.1.a')).toBe('bert.encoder.layer.1.a')
    expect(layerMap.unused).toEqual(['bert.encoder.layer.10.', 'bert.encoder.layer.11.', 'bert.pooler.dense.'])
    expect(notes).toEqual(['initialized at random on request: layer 10, layer 11, pooler, head'])
  })

  it('changes the stacks of an encoder–decoder separately', () => {
    const decoder = planSurgery(t5, {}, {}, { fromLayers: { decoder: [0, 5] } })
    expect(['encoder layer', 'decoder layer'].map((stack) => countOf(t5, decoder.options, stack))).toEqual([6, 2])
    const encoder = planSurgery(t5, {}, {}, { fromLayers: { encoder: [0, 5] }, reinitialize: ['decoder layer 5'] })
    expect(['encoder layer', 'decoder layer'].map((stack) => countOf(t5, encoder.options, stack))).toEqual([2, 6])
    expect(encoder.layerMap.from).toEqual({
      'encoder.block.0.': 'encoder.block.0.',
      'encoder.block.1.': 'encoder.block.5.',
      'decoder.block.5.': null,
    })
    expect(refusal(t5, { fromLayers: [0] })).toMatch(/BAD_OPTIONS.*each stack.*encoder: .*decoder: /)
    expect(refusal(t5, { reinitialize: [0] })).toMatch(/BAD_OPTIONS.*encoder layer 0/)
  })

  it('moves the attention types of layers with them, and reports attention that depends on the index', () => {
    const types = ['sliding_attention', 'full_attention', 'sliding_attention', 'full_attention']
    const saved = { modelType: 'gemma2', numHiddenLayers: 4, layerTypes: types }
    const listed = planSurgery(gemma, saved, {}, { fromLayers: [1, 2, 3, 3, 0] })
    expect(listed.options).toMatchObject({ numHiddenLayers: 5, layerTypes: [1, 2, 3, 3, 0].map((i) => types[i]) })
    expect(listed.notes.join()).not.toContain('depends on the index')
    expect(planSurgery(modernbert, {}, {}, { fromLayers: [0, 1] }).notes).toContainEqual(
      expect.stringContaining('`globalAttnEveryNLayers` depends on the index'),
    )
  })

  it('rejects layers and parts that do not exist, with the reason', () => {
    expect(refusal(bert, { fromLayers: [0, 12] })).toMatch(/layers from 0 to 11 .*got 12/)
    expect(refusal(bert, { fromLayers: { decoder: [0] } })).toMatch(/expected a stack of bert, got "decoder".*layer/)
    expect(refusal(bert, { fromLayers: [0, 1] }, { numHiddenLayers: 3 })).toMatch(/lists 2 layers.*options say 3/)
    expect(refusal(bert, { fromLayers: [0, 1], reinitialize: [2] })).toMatch(/layer of the new model.*got 2/)
    expect(refusal(bert, { reinitialize: ['poolr'] })).toMatch(/got "poolr".*Did you mean pooler/)
    expect(refusal(lstm, { fromLayers: [0] })).toMatch(/lstm has no numbered layers/)
    expect(refusal(mlp, { fromLayers: [0, 0, 0] })).toMatch(/mlp has no option for the number of its layers/)
  })
})
