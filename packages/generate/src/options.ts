import { z } from 'zod'

/** Largest accepted token id: beyond any vocabulary. */
export const LAST_TOKEN_ID = 2_000_000

const tokenId = z.int().min(0).max(LAST_TOKEN_ID)

/** Text generation options. The default is greedy decoding. */
export const generationOptions = z
  .strictObject({
    maximumNewTokens: z.int().min(1).max(1_000_000).default(128).describe('Maximum number of tokens to generate'),
    minimumNewTokens: z
      .int()
      .min(0)
      .default(0)
      .describe('Minimum number of tokens to generate: end tokens are masked before'),
    maximumLength: z
      .int()
      .min(1)
      .max(1_000_000)
      .optional()
      .describe('Maximum total length in tokens, including the prompt of the decoder'),
    minimumLength: z
      .int()
      .min(0)
      .default(0)
      .describe('Minimum total length in tokens, including the prompt of the decoder: end tokens are masked before'),
    temperature: z
      .number()
      .min(0)
      .default(0)
      .describe('Sampling temperature: logits are divided by it; 0 is greedy decoding (argmax)'),
    topK: z.int().min(0).default(0).describe('Top-k sampling: sample from the k most probable tokens; 0 disables it'),
    topP: z
      .number()
      .positive()
      .max(1)
      .default(1)
      .describe(
        'Nucleus sampling (top-p): sample from the smallest set of tokens whose cumulative probability reaches this value',
      ),
    minP: z
      .number()
      .min(0)
      .lt(1)
      .default(0)
      .describe('Min-p sampling: sample from tokens with at least this fraction of the highest probability'),
    repetitionPenalty: z
      .number()
      .positive()
      .default(1)
      .describe(
        'Repetition penalty: divides the logits of tokens in the prompt or the output (multiplies negative ones); 1 disables it',
      ),
    presencePenalty: z
      .number()
      .default(0)
      .describe('Presence penalty: subtracted from the logits of tokens that were already generated'),
    noRepeatNgramSize: z
      .int()
      .min(0)
      .max(1000)
      .default(0)
      .describe('N-grams of this size occur at most once in prompt and output; 0 disables it'),
    badWordsIds: z
      .array(z.array(tokenId).min(1).max(100))
      .max(10_000)
      .default([])
      .describe('Sequences of token ids that are never generated'),
    forcedBosTokenId: tokenId.optional().describe('Token that an encoder–decoder must generate first'),
    forcedEosTokenIds: z
      .array(tokenId)
      .max(64)
      .default([])
      .describe('Tokens of which the most probable one is generated last when the length limit is reached'),
    endTokenIds: z
      .array(tokenId)
      .max(64)
      .optional()
      .describe('End-of-sequence (EOS) tokens; default: those of the model configuration'),
    beams: z.int().min(1).max(256).default(1).describe('Number of beams of beam search; 1 disables it'),
    beamGroups: z
      .int()
      .min(1)
      .max(256)
      .default(1)
      .describe('Number of groups of diverse beam search; must divide beams'),
    diversityPenalty: z
      .number()
      .min(0)
      .default(0)
      .describe(
        'Diverse beam search: subtracted from the score of a token for each beam of an earlier group that took it',
      ),
    lengthPenalty: z
      .number()
      .default(1)
      .describe(
        'Exponent of the length by which the log probability of a beam is divided; above 1 favors long sequences',
      ),
    earlyStopping: z
      .boolean()
      .default(false)
      .describe('Stop beam search once as many sequences as beams have ended, even if a better one may follow'),
    degenerationPenalty: z
      .number()
      .min(0)
      .max(1)
      .default(0)
      .describe(
        'Contrastive search (penalty alpha): weight of the similarity to earlier tokens, among the topK most probable tokens; 0 disables it',
      ),
    stop: z
      .array(z.string().min(1))
      .max(64)
      .default([])
      .describe('Stop sequences: texts at which generation stops; not part of the output'),
    promptLookupTokens: z
      .int()
      .min(0)
      .max(64)
      .default(0)
      .describe(
        'Speculative decoding by prompt lookup: number of draft tokens per step, taken from what followed the same n-gram earlier; 0 disables it. Faster for repetitive text, same output',
      ),
    seed: z.int().min(0).default(0).describe('Seed of sampling'),
  })
  .refine((o) => o.beams % o.beamGroups === 0, { path: ['beamGroups'], message: 'must divide beams' })
  .refine((o) => o.beams === 1 || o.temperature === 0, {
    path: ['beams'],
    message: 'beam search does not sample: use either beams or temperature',
  })
  .refine((o) => o.degenerationPenalty === 0 || (o.topK > 1 && o.beams === 1 && o.temperature === 0), {
    path: ['degenerationPenalty'],
    message: 'contrastive search needs topK above 1, one beam and temperature 0',
  })
  .refine((o) => o.promptLookupTokens === 0 || (o.beams === 1 && o.degenerationPenalty === 0), {
    path: ['promptLookupTokens'],
    message: 'cannot be combined with beams or contrastive search',
  })

/** Generation options with their defaults. */
export type GenerationOptions = z.output<typeof generationOptions>
