import {
  type EncodeOptions,
  type EncoderOutputs,
  type Encoding,
  type Key,
  type Model,
  type Params,
  type Tokenizer,
  isRecord,
} from '@attune/core'
import { type Tensor, cast, greaterEqual, mul, range } from '@tensorflow/tfjs-core'
import { z } from 'zod'
import { poolingModes } from '../heads/pooling.js'
import type { SentenceModel } from './sentence-model.js'
import { applyModules, initialModules, pooledStates } from './text-vectors.js'

/** Options of an objective that trains a sentence encoder. */
export const sentenceOptions = {
  pooling: z
    .enum([...poolingModes, 'pooled'])
    .optional()
    .describe(
      "Pooling of the last hidden states into the text embedding, or the input of the model's classification head (pooled). Default: that of the saved model, otherwise mean",
    ),
  normalize: z
    .boolean()
    .optional()
    .describe('Normalize embeddings to length 1. Default: as the saved model, otherwise true'),
  sentenceTransformers: z
    .custom<Readonly<Record<string, unknown>>>(isRecord, { message: 'expected an object' })
    .meta({ type: 'object', propertyNames: { type: 'string' }, additionalProperties: {} })
    .optional()
    .describe('JSON files of the saved sentence-transformers model by path; read from `model.from`'),
}

/** Number of leading tokens of every text that are not pooled: those of the prompt. */
function ignoredTokens({ prompt, pooling }: SentenceModel, encode: (text: string) => Encoding): number {
  if (prompt === '' || pooling?.includePrompt !== false) return 0
  const { ids, specialMask } = encode(prompt)
  return ids.length - (specialMask?.at(-1) === 1 ? 1 : 0)
}

/** Mask of the tokens to pool. */
function pooledTokens(attentionMask: Tensor, ignored: number): Tensor {
  if (ignored === 0) return attentionMask
  return mul(
    attentionMask,
    cast(greaterEqual(range(0, attentionMask.shape[1] as number, 1, 'int32'), ignored), 'int32'),
  )
}

/**
 * A sentence-transformers model on an encoder, as members of an objective: the encoding of texts with the model's prompt, the initial
 * parameters of the modules after pooling, and the vectors of texts, `[batch, width]`, from the outputs of the encoder.
 */
export function sentenceEncoder(
  sentence: SentenceModel,
  model: Model,
  tokenizer: Pick<Tokenizer, 'encode'>,
  limits: EncodeOptions,
) {
  const { modules, pooling, prompt } = sentence
  const ignored = ignoredTokens(sentence, (text) => tokenizer.encode(text, { ...limits, offsets: true }))
  const pooled = model.hiddenSize * (pooling?.modes.length ?? 1)
  return {
    width: modules.reduce((width, each) => (each.type === 'Dense' ? each.outFeatures : width), pooled),
    encode: (text: string): Encoding => tokenizer.encode(prompt + text, limits),
    init: (key: Key): Params => initialModules(modules, model, key),
    vectors(params: Params, outputs: EncoderOutputs, attentionMask: Tensor): Tensor {
      const mask = pooledTokens(attentionMask, ignored)
      const states = pooling === undefined ? outputs.pooled : pooledStates(pooling, outputs.lastHiddenState, mask)
      return applyModules(modules, params, states)
    },
  }
}
