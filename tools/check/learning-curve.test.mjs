// @ts-check
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { learningCurve, smoothed, ticks } from '../docs/learning-curve.mjs'

/** @param {number} step @param {number} loss @returns {any} */
const step = (step, loss) => ({ type: 'step.completed', at: 0, step, steps: 3, loss })

describe('learningCurve', () => {
  it('draws the training loss, and a point for each validation loss', () => {
    /** @type {any} */
    const evaluation = {
      type: 'evaluation.completed',
      at: 0,
      step: 3,
      split: 'validation',
      scores: { loss: { value: 0.5 } },
    }
    const image = learningCurve([step(1, 2), step(2, 1), step(3, 0.5), evaluation])
    assert.match(image, /^<svg /)
    assert.match(image, /validation: loss 0\.500/)
    assert.equal(image.match(/<circle/g)?.length, 2) // the point, and the one of the legend
  })

  it('rejects a run without steps', () => assert.throws(() => learningCurve([]), /got none/))
})

describe('smoothed', () => {
  it('starts at the first loss and keeps a constant', () =>
    assert.deepEqual(
      smoothed(Array.from({ length: 100 }, (_, i) => [i, 2])).map(([, loss]) => loss.toFixed(6)),
      Array(100).fill('2.000000'),
    ))
})

describe('ticks', () => {
  it('covers the range with round numbers', () => {
    assert.deepEqual(ticks(2.9, 6), [0, 0.5, 1, 1.5, 2, 2.5])
    assert.deepEqual(ticks(168, 8), [0, 50, 100, 150])
  })
})
