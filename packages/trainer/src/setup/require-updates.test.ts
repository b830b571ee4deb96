import { describe, expect, it } from '@jest/globals'
import { requireUpdates } from './require-updates.js'

const only = (pattern?: string) => ({ common: pattern === undefined ? {} : { only: pattern } })
const NAMES = ['embeddings.weight', 'layer.0.weight', 'classifier.weight']

describe('requireUpdates', () => {
  it('accepts a chain with an unrestricted optimizer, and patterns that match every parameter', () => {
    expect(() => requireUpdates(NAMES, [only('classifier.*'), only()])).not.toThrow()
    expect(() => requireUpdates(NAMES, [only('classifier.*'), only('e*'), only('layer.*')])).not.toThrow()
    expect(() => requireUpdates(NAMES, [{}])).not.toThrow()
  })

  it('throws with the parameters that no pattern matches', () => {
    expect(() => requireUpdates(NAMES, [only('classifier.*'), only('layer.*')])).toThrow(
      /got none for 1 of 3: embeddings\.weight/,
    )
  })
})
