import { describe, expect, it } from '@jest/globals'
import { readLowRankConfig } from './peft-lora-config.js'

const config = { peft_type: 'LORA', r: 4, lora_alpha: 8 }

describe('readLowRankConfig', () => {
  it('reads rank, alpha, the scaling and patterns of names', () => {
    const patterns = { rank_pattern: { query: 2 }, alpha_pattern: { 'layer.0.value': 3 } }
    expect(readLowRankConfig({ ...config, use_rslora: true, ...patterns }, ['rslora'])).toEqual({
      rank: 4,
      alpha: 8,
      stabilized: true,
      ranks: { query: 2 },
      alphas: { 'layer.0.value': 3 },
    })
  })

  it.each([
    ['lora', {}, ['rslora']],
    ['rslora', { use_rslora: true }, ['dora']],
    ['dora', { use_dora: true, use_rslora: true }, ['lora', 'rslora']],
    ['pissa', { init_lora_weights: 'pissa_niter_4' }, ['lora', 'rslora']],
  ])('rejects a configuration of another method and names its adapter: %s', (method, options, reads) => {
    expect(() => readLowRankConfig({ ...config, ...options }, reads)).toThrow(
      expect.objectContaining({ code: 'BAD_ADAPTER', remedy: expect.stringContaining(`use: ${method}, from`) }),
    )
    expect(readLowRankConfig({ ...config, ...options }, [method]).rank).toBe(4)
  })

  it.each([
    ['rank_pattern', { rank_pattern: { '(a+)+$': 2 } }],
    ['rank_pattern', { rank_pattern: { query: 1e9 } }],
    ['alpha_pattern', { alpha_pattern: { '^query': 2 } }],
    ['alpha_pattern', { alpha_pattern: { query: -1 } }],
    ['bias', { bias: 'lora_only' }],
    ['init_lora_weights', { init_lora_weights: 'olora' }],
    ['layer_replication', { layer_replication: [[0, 2]] }],
  ])('rejects what no adapter supports, by the name of the option: %s', (name, options) => {
    expect(() => readLowRankConfig({ ...config, ...options }, ['lora'])).toThrow(
      expect.objectContaining({ code: 'BAD_ADAPTER', problem: expect.stringContaining(name) }),
    )
  })
})
