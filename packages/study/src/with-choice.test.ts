import { describe, expect, it } from '@jest/globals'
import { withChoice } from './with-choice.js'

describe('withChoice', () => {
  it('sets values by path without changing the input configuration', () => {
    const config = Object.freeze({ training: Object.freeze({ epochs: 3 }), seed: 1 })
    expect(withChoice(config, { 'training.learningRate': 0.1, seed: 2 })).toEqual({
      training: { epochs: 3, learningRate: 0.1 },
      seed: 2,
    })
    expect(config).toEqual({ training: { epochs: 3 }, seed: 1 })
  })

  it('sets options of a plugin given by name alone, as an object with `use`', () => {
    expect(withChoice({ model: 'mlp' }, { 'model.dropout': 0.2 })).toEqual({ model: { use: 'mlp', dropout: 0.2 } })
    expect(withChoice({ model: 'mlp' }, { 'model.use': 'lstm' })).toEqual({ model: { use: 'lstm' } })
  })

  it('sets options of the only plugin of a list, and of plugins in longer lists by index', () => {
    expect(withChoice({ optimizer: ['adamw'] }, { 'optimizer.beta1': 0.8 })).toEqual({
      optimizer: [{ use: 'adamw', beta1: 0.8 }],
    })
    expect(withChoice({ metric: ['accuracy', 'f1'] }, { 'metric.1.average': 'micro' })).toEqual({
      metric: ['accuracy', { use: 'f1', average: 'micro' }],
    })
  })

  it("sets options of a plugin that is the schema's default", () =>
    expect(withChoice({}, { 'optimizer.weightDecay': 0.1, 'training.epochs': 2 })).toEqual({
      optimizer: { use: 'adamw', weightDecay: 0.1 },
      training: { epochs: 2 },
    }))
})
