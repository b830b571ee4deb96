import { z } from 'zod'

/** Largest id of a token that is accepted: beyond those of any vocabulary. */
export const LAST_TOKEN_ID = 2_000_000

const tokenId = z.int().min(0).max(LAST_TOKEN_ID)

/** How to write. The defaults are greedy: the likeliest token each time. */
export const generationOptions = z
  .strictObject({
    maximumNewTokens: z.int().min(1).max(1_000_000).default(128).describe('Tokens after which writing stops'),
    minimumNewTokens: z.int().min(0).default(0).describe('Tokens before which a text may not end'),
    maximumLength: z
      .int()
      .min(1)
      .max(1_000_000)
      .optional()
      .describe('Tokens after which writing stops, those that were read before by the decoder among them'),
    minimumLength: z
      .int()
      .min(0)
      .default(0)
      .describe('Tokens before which a text may not end, those that were read before by the decoder among them'),
    temperature: z
      .number()
      .min(0)
      .default(0)
      .describe('Spread of the draw: 0 takes the likeliest token, 1 draws as the model says'),
    topK: z.int().min(0).default(0).describe('Draw among the likeliest so many tokens; 0 among all'),
    topP: z
      .number()
      .positive()
      .max(1)
      .default(1)
      .describe('Draw among the fewest tokens that have this share of the probability together'),
    minP: z.number().min(0).lt(1).default(0).describe('Draw among tokens at least this likely beside the likeliest'),
    repetitionPenalty: z
      .number()
      .positive()
      .default(1)
      .describe('What logits of tokens that were read or written are divided by (multiplied, where negative)'),
    presencePenalty: z.number().default(0).describe('What is taken from the logits of tokens that were written'),
    noRepeatNgramSize: z
      .int()
      .min(0)
      .max(1000)
      .default(0)
      .describe('No sequence of so many tokens stands twice in a text, what was read before among it; 0: any may'),
    badWordsIds: z
      .array(z.array(tokenId).min(1).max(100))
      .max(10_000)
      .default([])
      .describe('Sequences of tokens that are not written'),
    forcedBosTokenId: tokenId.optional().describe('The token that an encoder–decoder writes first'),
    forcedEosTokenIds: z
      .array(tokenId)
      .max(64)
      .default([])
      .describe('Tokens of which the likeliest is the last that there is room for'),
    endTokenIds: z
      .array(tokenId)
      .max(64)
      .optional()
      .describe("Tokens that end a text; the default is what the model's configuration says"),
    beams: z.int().min(1).max(256).default(1).describe('Texts that are followed at once'),
    beamGroups: z.int().min(1).max(256).default(1).describe('Groups of beams that are kept apart'),
    diversityPenalty: z
      .number()
      .min(0)
      .default(0)
      .describe('What is taken from a token for each beam of an earlier group that just took it'),
    lengthPenalty: z
      .number()
      .default(1)
      .describe('Power of the length that the sum of log probabilities of a beam is divided by'),
    earlyStopping: z.boolean().default(false).describe('Stop once there are as many ended texts as beams'),
    degenerationPenalty: z
      .number()
      .min(0)
      .max(1)
      .default(0)
      .describe('Contrastive search among the topK likeliest: weight of the likeness to what was said before'),
    stop: z.array(z.string().min(1)).max(64).default([]).describe('Texts at which writing stops; they are left out'),
    promptLookupTokens: z
      .int()
      .min(0)
      .max(64)
      .default(0)
      .describe(
        'Tokens that are guessed ahead from what followed the same words before, and read together: faster where texts repeat themselves, and the same text',
      ),
    seed: z.int().min(0).default(0).describe('Seed of the draws'),
  })
  .refine((o) => o.beams % o.beamGroups === 0, { path: ['beamGroups'], message: 'must divide beams' })
  .refine((o) => o.beams === 1 || o.temperature === 0, {
    path: ['beams'],
    message: 'beams take the likeliest texts, and temperature draws them: use one or the other',
  })
  .refine((o) => o.degenerationPenalty === 0 || (o.topK > 1 && o.beams === 1 && o.temperature === 0), {
    path: ['degenerationPenalty'],
    message: 'contrastive search wants topK above 1, one beam and no temperature',
  })
  .refine((o) => o.promptLookupTokens === 0 || (o.beams === 1 && o.degenerationPenalty === 0), {
    path: ['promptLookupTokens'],
    message: 'guesses one token after another: leave beams and contrastive search out',
  })

/** The options with their defaults. */
export type GenerationOptions = z.output<typeof generationOptions>
