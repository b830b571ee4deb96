import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { z } from 'zod'
import { configFromOptions, optionsFromConfig } from './checkpoint-config.js'

const config = JSON.parse(readFileSync('golden/bert-config.json', 'utf8')) as Record<string, unknown>
const schema = z.strictObject({
  vocabSize: z.int(),
  hiddenAct: z.string(),
  layerNormEps: z.number(),
  numHiddenLayers: z.int(),
  attentionProbsDropoutProb: z.number(),
  classifierDropout: z.number().optional(),
  padTokenId: z.int(),
  isDecoder: z.boolean(),
  absentHere: z.number().default(3),
})

describe('optionsFromConfig and configFromOptions', () => {
  it('extract the plugin options from a config.json of transformers', () => {
    const options = optionsFromConfig(schema, config)
    expect(options).toEqual({
      vocabSize: 30522,
      hiddenAct: 'gelu',
      layerNormEps: 1e-12,
      numHiddenLayers: 12,
      attentionProbsDropoutProb: 0.1,
      padTokenId: 0,
      isDecoder: false,
    })
    expect(schema.parse(options).absentHere).toBe(3)
  })

  it('restore the same keys and values', () => {
    const written = configFromOptions(optionsFromConfig(schema, config))
    expect(Object.keys(written).length).toBe(7)
    expect(config).toMatchObject(written)
  })

  it('round-trip every key of the file', () => {
    const every = z.strictObject(
      Object.fromEntries(
        Object.keys(config)
          .filter((key) => !key.startsWith('_'))
          .map((key) => [key.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase()), z.unknown()]),
      ),
    )
    const kept = Object.fromEntries(Object.entries(config).filter(([key]) => !key.startsWith('_')))
    expect(configFromOptions(optionsFromConfig(every, config))).toEqual(kept)
  })

  it('keep null only for an option that accepts it', () => {
    const capped = z.strictObject({ softcap: z.number().nullable().default(30), layers: z.int().default(2) })
    const options = optionsFromConfig(capped, { softcap: null, layers: null })
    expect(options).toEqual({ softcap: null })
    expect(configFromOptions(options)).toEqual({ softcap: null })
  })

  it('ignore inherited properties', () => {
    expect(optionsFromConfig(schema, { constructor: 1, to_string: 2, has_own_property: 3 })).toEqual({})
  })

  it('reject a value that is excessively nested or large', () => {
    const nested = JSON.parse(`${'['.repeat(20_000)}${']'.repeat(20_000)}`) as unknown
    expect(() => optionsFromConfig(schema, { vocab_size: nested })).toThrow(
      expect.objectContaining({ code: 'BAD_MODEL_FOLDER', problem: expect.stringContaining('`vocab_size`') }),
    )
    for (const large of [new Array(200_000).fill(0), 'x'.repeat(200_000), { ['x'.repeat(200_000)]: 0 }])
      expect(() => optionsFromConfig(schema, { vocab_size: large })).toThrow(
        expect.objectContaining({ code: 'BAD_MODEL_FOLDER', problem: expect.stringContaining('has more') }),
      )
    expect(optionsFromConfig(schema, { unknown: nested, vocab_size: [[3]] })).toEqual({ vocabSize: [[3]] })
  })
})
