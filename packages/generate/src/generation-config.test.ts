import { describe, expect, it } from '@jest/globals'
import { generationDefaults, withDefaults } from './generation-config.js'

const optionsOf = (config: object) => generationDefaults(config as Record<string, unknown>, 'x.json').options

describe('generationDefaults', () => {
  it('reads three end tokens and sampling options of Llama 3.1', () => {
    const config = {
      bos_token_id: 128000,
      do_sample: true,
      eos_token_id: [128001, 128008, 128009],
      temperature: 0.6,
      top_p: 0.9,
      transformers_version: '4.43.0.dev0',
    }
    expect(generationDefaults(config, 'x.json')).toEqual({
      options: { endTokenIds: [128001, 128008, 128009], temperature: 0.6, topK: 50, topP: 0.9 },
      unsupported: [],
    })
  })

  it('reads beam search and forced first and last tokens of BART for summarization', () => {
    const config = {
      bos_token_id: 0,
      decoder_start_token_id: 2,
      early_stopping: true,
      eos_token_id: 2,
      forced_bos_token_id: 0,
      forced_eos_token_id: 2,
      length_penalty: 2,
      max_length: 142,
      min_length: 56,
      no_repeat_ngram_size: 3,
      num_beams: 4,
      pad_token_id: 1,
    }
    expect(generationDefaults(config, 'x.json')).toEqual({
      options: {
        beams: 4,
        earlyStopping: true,
        endTokenIds: [2],
        forcedBosTokenId: 0,
        forcedEosTokenIds: [2],
        lengthPenalty: 2,
        maximumLength: 142,
        maximumNewTokens: 1_000_000,
        minimumLength: 56,
        noRepeatNgramSize: 3,
      },
      decoderStartTokenId: 2,
      unsupported: [],
    })
  })

  it('rejects an invalid decoder start token and a deeply nested value', () => {
    for (const start of [-1, 0.5, 1e300])
      expect(() => optionsOf({ decoder_start_token_id: start })).toThrow(
        expect.objectContaining({ code: 'BAD_GENERATION_CONFIG', problem: expect.stringContaining('decoder_start') }),
      )
    let nested: unknown = 2
    for (let depth = 0; depth < 100_000; depth++) nested = [nested]
    expect(() => optionsOf({ do_sample: true, num_beams: nested })).toThrow(
      expect.objectContaining({ code: 'BAD_GENERATION_CONFIG' }),
    )
  })

  it('ignores null, and samples only with do_sample', () => {
    expect(optionsOf({ eos_token_id: null, temperature: 0.7, top_p: 0.9 })).toEqual({ topP: 0.9 })
    expect(optionsOf({ do_sample: true })).toEqual({ temperature: 1, topK: 50 })
    expect(optionsOf({ do_sample: true, num_beams: 2 })).toEqual({ beams: 2 })
    expect(optionsOf({ max_length: 20, max_new_tokens: 7 })).toEqual({ maximumNewTokens: 7 })
  })

  it('lists unsupported settings that have an effect', () => {
    const config = { early_stopping: 'never', typical_p: 0.9, guidance_scale: 1, suppress_tokens: [], eta_cutoff: 0 }
    expect(generationDefaults(config, 'x.json')).toEqual({ options: {}, unsupported: ['early_stopping', 'typical_p'] })
  })

  it('rejects an invalid value with the name of the option', () => {
    expect(() => optionsOf({ top_p: 3 })).toThrow(
      expect.objectContaining({ code: 'BAD_GENERATION_CONFIG', problem: expect.stringContaining('x.json: topP') }),
    )
    expect(() => optionsOf({ bad_words_ids: [['a']] })).toThrow(
      expect.objectContaining({ code: 'BAD_GENERATION_CONFIG' }),
    )
  })
})

describe('withDefaults', () => {
  const defaults = { temperature: 0.6, topP: 0.9, maximumLength: 142, maximumNewTokens: 1_000_000 }

  it("overrides the model's options with the given ones", () => {
    expect(withDefaults({}, defaults)).toEqual(defaults)
    expect(withDefaults({ topP: 1, temperature: 0 }, defaults)).toEqual({ ...defaults, topP: 1, temperature: 0 })
    expect(withDefaults({ maximumNewTokens: 5 }, defaults)).toEqual({
      temperature: 0.6,
      topP: 0.9,
      maximumNewTokens: 5,
    })
    expect(withDefaults({ maximumLength: 9 }, { maximumNewTokens: 5 })).toMatchObject({ maximumLength: 9 })
    expect(withDefaults({ maximumLength: 9 }, { maximumNewTokens: 5 }).maximumNewTokens).toBeGreaterThan(9)
  })

  it("drops the model's options that conflict with the given ones", () => {
    expect(withDefaults({ beams: 2 }, defaults)).not.toHaveProperty('temperature')
    expect(withDefaults({ topK: 4, degenerationPenalty: 0.6 }, defaults)).not.toHaveProperty('temperature')
    const searching = { beams: 4, beamGroups: 2, lengthPenalty: 2 }
    expect(withDefaults({ temperature: 1 }, searching)).toEqual({ temperature: 1, lengthPenalty: 2 })
    expect(withDefaults({ beams: 1 }, searching)).toEqual({ beams: 1, lengthPenalty: 2 })
    const ahead = { promptLookupTokens: 3 }
    expect(withDefaults(ahead, searching)).toEqual({ ...ahead, lengthPenalty: 2 })
    expect(withDefaults({ beams: 2 }, ahead)).toEqual({ beams: 2 })
    expect(withDefaults({ temperature: 1 }, ahead)).toEqual({ ...ahead, temperature: 1 })
  })
})
