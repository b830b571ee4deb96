import '@tensorflow/tfjs'
import { expect, it } from '@jest/globals'
import { tensor, tidy } from '@tensorflow/tfjs-core'
import { detectionLosses, replaceTokens } from '../index.js'

it('replaceTokens puts tokens at the masked positions only', () =>
  void tidy(() => {
    const ids = tensor([5, 6, 7, 0, 8, 9, 0, 0], [2, 4], 'int32')
    const masked = {
      positions: tensor([0, 2, 1, 0], [2, 2], 'int32'),
      weights: tensor([1, 1, 1, 0], [2, 2], 'float32'),
    }
    const replaced = replaceTokens(ids, masked, tensor([1, 2, 3, 4], [2, 2], 'int32'))
    expect([...replaced.dataSync()]).toEqual([1, 6, 2, 0, 8, 3, 0, 0])
  }))

it('detectionLosses weights both losses by the tokens of a text, and the discriminator’s by λ', () =>
  void tidy(() => {
    const [logits, labels] = [
      [1, -2, 3, 0.5, -1, 2, 9, 9],
      [1, 0, 0, 1, 1, 0, 0, 0],
    ]
    const { losses, weights } = detectionLosses(
      {
        logits: tensor(logits!, [2, 4]),
        isReplaced: tensor(labels!, [2, 4], 'float32'),
        attentionMask: tensor([1, 1, 1, 1, 1, 1, 0, 0], [2, 4], 'int32'),
        modeling: tensor([1, 3, 7, 9], [2, 2]),
        masked: tensor([1, 1, 1, 0], [2, 2], 'float32'),
      },
      10,
    )
    const total = (of: ArrayLike<number>): number => Array.from(of).reduce((sum, x) => sum + x, 0)
    // Four and two tokens: the mean over six of λ times the detection, and of the mean loss of the masked tokens of each text.
    const detection = total(logits!.slice(0, 6).map((x, i) => Math.log1p(Math.exp(x)) - x * labels![i]!))
    expect(weights.shape).toEqual([2, 6])
    expect(total(weights.dataSync())).toBeCloseTo(6, 5)
    expect(total(losses.mul(weights).dataSync())).toBeCloseTo(10 * detection + 4 * 2 + 2 * 7, 4)
  }))
