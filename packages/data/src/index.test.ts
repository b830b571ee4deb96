import { describe, expect, it } from '@jest/globals'
import * as data from './index.js'

describe('@attune/data', () => {
  it('exports these names and no others', () => {
    expect(Object.keys(data).sort()).toEqual([
      'attentionMask',
      'batch',
      'bucketByLength',
      'count',
      'fileSource',
      'map',
      'padTo',
      'paddedLength',
      'readLines',
      'rejectsTo',
      'shuffle',
      'skip',
    ])
  })
})
