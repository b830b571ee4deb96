import { describe, expect, it } from '@jest/globals'
import { withChoice } from './with-choice.js'

describe('withChoice', () => {
  it('sets values by their paths, and leaves the configuration as it was', () => {
    const config = Object.freeze({ training: Object.freeze({ epochs: 3 }), seed: 1 })
    expect(withChoice(config, { 'training.learningRate': 0.1, seed: 2 })).toEqual({
      training: { epochs: 3, learningRate: 0.1 },
      seed: 2,
    })
    expect(config).toEqual({ training: { epochs: 3 }, seed: 1 })
  })

  it('sets options of a plugin that is named by a word, and replaces the word', () => {
    expect(withChoice({ model: 'mlp' }, { 'model.dropout': 0.2 })).toEqual({ model: { use: 'mlp', dropout: 0.2 } })
    expect(withChoice({ model: 'mlp' }, { 'model.use': 'lstm' })).toEqual({ model: { use: 'lstm' } })
  })

  it('sets options of the only plugin of a list, and of others by their index', () => {
    expect(withChoice({ optimizer: ['adamw'] }, { 'optimizer.beta1': 0.8 })).toEqual({
      optimizer: [{ use: 'adamw', beta1: 0.8 }],
    })
    expect(withChoice({ metric: ['accuracy', 'f1'] }, { 'metric.1.average': 'micro' })).toEqual({
      metric: ['accuracy', { use: 'f1', average: 'micro' }],
    })
  })

  it("sets options of a plugin that only the schema's default names", () =>
    expect(withChoice({}, { 'optimizer.weightDecay': 0.1, 'training.epochs': 2 })).toEqual({
      optimizer: { use: 'adamw', weightDecay: 0.1 },
      training: { epochs: 2 },
    }))
})
