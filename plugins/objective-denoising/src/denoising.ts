import {
  AttuneError,
  type Encoded,
  type Example,
  LOSS,
  type LossTerm,
  MODEL,
  type Model,
  OBJECTIVE,
  type Objective,
  TOKENIZER,
  type Tokenizer,
  definePlugin,
} from '@attune/core'
import {
  type SourceTargetBatch,
  deleteUnits,
  lengthOptions,
  maximumTokens,
  ownRandom,
  sourceTargetBatches,
  textOf,
  wordUnits,
} from '@attune/data'
import { type TokenLosses, targetHead } from '@attune/nn'
import { z } from 'zod'
import {
  type Noised,
  corruptSpans,
  infill,
  maskEach,
  permuteSentences,
  rotateDocument,
  shuffleUnits,
  spanCounts,
  spanMask,
} from './noise.js'

/** Token ids of a text. */
interface Item extends Encoded {
  /** Special tokens before and after the text. */
  readonly before: readonly number[]
  readonly after: readonly number[]
  readonly ids: readonly number[]
  /** Index of the first token of each sentence. */
  readonly sentences: readonly number[]
}

const options = z.strictObject({
  text: z.string().default('text').meta({ field: 'text', required: true }).describe('Field that holds the text'),
  noise: z
    .enum(['infilling', 'masking', 'deletion', 'shuffling', 'spans', 'none'])
    .default('infilling')
    .describe(
      '`infilling`: spans become one mask each (BART); `masking`, `deletion`: of single tokens or words; `shuffling`: all tokens in random order; `spans`: span corruption with sentinels (T5)',
    ),
  noiseFraction: z
    .number()
    .positive()
    .lt(1)
    .optional()
    .describe('Fraction of the tokens to corrupt. Default: 0.15 for spans, else 0.3'),
  meanSpanLength: z
    .number()
    .min(0.1)
    .max(100)
    .default(3)
    .describe('Mean length of the spans of infilling (of a Poisson distribution) and of spans'),
  wholeWord: z
    .boolean()
    .default(false)
    .describe('Corrupt whole words: spans of infilling are counted in words, not tokens; not with spans'),
  permuteSentences: z.boolean().default(false).describe('Shuffle the sentences of a text; not with spans'),
  rotate: z.boolean().default(false).describe('Let a text start at a random token (rotation); not with spans'),
  maximumLength: maximumTokens(3),
  ...lengthOptions,
})

const withSpans = options.refine((o) => o.noise !== 'spans' || !(o.permuteSentences || o.rotate || o.wholeWord), {
  path: ['noise'],
  message: 'spans is not combined with permuteSentences, rotate or wholeWord: its target is only the corrupted spans',
})

type Options = z.output<typeof options>

function requireMask({ special }: Tokenizer, noise: Options['noise']): number {
  if (special.mask !== undefined || !['infilling', 'masking'].includes(noise)) return special.mask ?? 0
  throw new AttuneError(
    'NO_MASK_TOKEN',
    `objective denoising: expected a tokenizer with a mask token for \`noise: ${noise}\``,
    'Use the tokenizer of a BART model, train one (wordpiece adds [MASK]), or set `noise: deletion`.',
  )
}

/** Ids of `<extra_id_0>`, `<extra_id_1>`, … @throws AttuneError `NO_SENTINEL_TOKENS` if there is none */
function sentinelsOf({ id }: Tokenizer, noise: Options['noise']): readonly number[] {
  if (noise !== 'spans') return []
  const sentinels: number[] = []
  for (let found = id('<extra_id_0>'); found !== undefined; found = id(`<extra_id_${sentinels.length}>`))
    sentinels.push(found)
  if (sentinels.length > 0) return sentinels
  throw new AttuneError(
    'NO_SENTINEL_TOKENS',
    'objective denoising: expected a tokenizer with the sentinel tokens <extra_id_0>, <extra_id_1>, … for `noise: spans`, got none',
    'Use the tokenizer of a T5 model, train one with `addedTokens: [<extra_id_0>, …]`, or set `noise: infilling`.',
  )
}

/** Encodes a text, and finds its special tokens and sentences. */
function encodeText(tokenizer: Tokenizer, text: string, o: Options, maximumLength: number): Omit<Item, 'length'> {
  const { truncationSide } = o
  const { ids, truncated, offsets, specialMask } = tokenizer.encode(text, {
    maximumLength,
    truncationSide,
    offsets: true,
  })
  const own = [...ids.keys()].filter((at) => specialMask![at] !== 1)
  const [from, to] = own.length > 0 ? [own[0]!, own.at(-1)! + 1] : [ids.length, ids.length]
  const { end } = tokenizer.special
  const ends = end === undefined || ids.at(-1) === end || truncated || ids.length >= maximumLength ? [] : [end]
  const breaks = [...new Intl.Segmenter('und', { granularity: 'sentence' }).segment(text)].map(({ index }) => index)
  const starts = breaks.map((index) => own.findIndex((at) => offsets![at]![1] > index))
  return {
    ids: ids.slice(from, to),
    before: ids.slice(0, from),
    after: [...ids.slice(to), ...ends],
    sentences: [...new Set([0, ...starts.filter((at) => at > 0)])],
    truncated,
  }
}

/** Returns the function that corrupts a text. */
function corruption(o: Options, tokenizer: Tokenizer) {
  const [mask, sentinels] = [requireMask(tokenizer, o.noise), sentinelsOf(tokenizer, o.noise)]
  const unitsOf = wordUnits(tokenizer, o.wholeWord)
  const fraction = o.noiseFraction ?? (o.noise === 'spans' ? 0.15 : 0.3)
  const withNoise = (ids: readonly number[], random: () => number): readonly number[] => {
    const units = unitsOf(ids)
    const budget = Math.max(1, Math.round(units.flat().length * fraction))
    if (units.length === 0 || o.noise === 'none') return ids
    if (o.noise === 'shuffling') return shuffleUnits(ids, units, random)
    if (o.noise === 'masking') return maskEach(ids, units, budget, mask, random)
    if (o.noise === 'deletion') return deleteUnits(ids, units, budget, random)
    return infill(ids, units, budget, { mean: o.meanSpanLength, mask, random })
  }
  return ({ before, ids, after, sentences }: Omit<Item, 'length'>, random: () => number): Noised => {
    const whole = (each: readonly number[]): number[] => [...before, ...each, ...after]
    if (o.noise === 'spans') {
      const { noise, spans } = spanCounts(ids.length, fraction, o.meanSpanLength)
      const counts = { noise, spans: Math.min(spans, sentinels.length) }
      const found = corruptSpans(ids, spanMask(ids.length, counts, random), sentinels)
      return { ids: whole(found.ids), target: whole(found.target) }
    }
    const ordered = o.permuteSentences ? permuteSentences(ids, sentences, random) : ids
    const noised = withNoise(ordered, random)
    return { ids: whole(o.rotate ? rotateDocument(noised, random) : noised), target: whole(ids) }
  }
}

function create(
  o: Options,
  { model, tokenizer, losses }: { model: Model; tokenizer: Tokenizer; losses: readonly LossTerm[] },
): Objective<Item, SourceTargetBatch, TokenLosses> {
  const { predicted, ...head } = targetHead(model, losses, model.vocabularySize ?? tokenizer.vocabularySize)
  const { collate, maximumLength } = sourceTargetBatches(o, model, tokenizer)
  const corrupt = corruption(o, tokenizer)
  /** The noise of evaluation, the same for a text each time. */
  const own = (item: Omit<Item, 'length'>): Noised => corrupt(item, ownRandom(item.ids))
  const encode = (example: Example): Item => {
    const item = encodeText(tokenizer, textOf(example, o.text), o, maximumLength)
    return { ...item, length: own(item).ids.length }
  }
  const words = (ids: readonly number[]): string[] => ids.map((id) => tokenizer.token(id) ?? '')
  return {
    ...head,
    views: ['tokens'],
    maximumLength,
    encode,
    encodeUnlabelled: encode,
    collate: (items, random) =>
      collate(items.map((item) => (random === undefined ? own(item) : corrupt(item, random)))),
    predict: ({ best }, items) =>
      predicted(
        best,
        items.map((item) => own(item).target),
      ).map((ids) => ({ tokens: words(ids) })),
    reference: (item) => ({ tokens: words(own(item).target) }),
  }
}

/**
 * Denoising: a text is corrupted, and an encoder–decoder generates the text (BART) or the corrupted spans (T5). Noise differs between epochs
 * in training; in evaluation the noise of a text is always the same.
 */
export const denoising = definePlugin({
  kind: OBJECTIVE,
  name: 'denoising',
  summary: 'Denoising: restore corrupted texts, as BART and T5 are pretrained',
  source: 'Lewis et al., BART, 2020, section 2.2; Raffel et al., T5, 2020, section 3.1.4',
  options: withSpans,
  needs: { model: MODEL, tokenizer: TOKENIZER, losses: LOSS },
  create,
})
declare module '@attune/core' {
  interface NamedPlugins {
    'objective denoising': typeof denoising
  }
}

export default denoising
