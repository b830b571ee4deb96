import {
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
  type SourceTargetItem,
  endedTokens,
  lengthOptions,
  maximumTokens,
  sourceTargetBatches,
  textOf,
} from '@attune/data'
import { type TokenLosses, targetHead } from '@attune/nn'
import { z } from 'zod'

const options = z.strictObject({
  text: z.string().default('text').meta({ field: 'text' }).describe('Field that holds the source text'),
  target: z.string().default('target').meta({ field: 'text' }).describe('Field that holds the target text'),
  maximumLength: maximumTokens(2, 'the source text'),
  maximumTargetLength: maximumTokens(2, 'the target text'),
  ...lengthOptions,
  truncationSide: lengthOptions.truncationSide.describe(
    "Side on which a source text that is too long is truncated. Default: the tokenizer's",
  ),
})

type Options = z.output<typeof options>

function create(
  o: Options,
  { model, tokenizer, losses }: { model: Model; tokenizer: Tokenizer; losses: readonly LossTerm[] },
): Objective<SourceTargetItem, SourceTargetBatch, TokenLosses> {
  const { predicted, ...head } = targetHead(model, losses, model.vocabularySize ?? tokenizer.vocabularySize)
  const { collate, maximumLength, maximumTargetLength } = sourceTargetBatches(o, model, tokenizer)
  const read = (example: Example): SourceTargetItem => {
    const { ids, truncated } = endedTokens(tokenizer, textOf(example, o.text), maximumLength, o.truncationSide)
    return { ids, target: [], length: ids.length, truncated }
  }
  const words = (ids: readonly number[]): string[] => ids.map((id) => tokenizer.token(id) ?? '')
  return {
    ...head,
    views: ['tokens'],
    maximumLength,
    encode(example) {
      const item = read(example)
      const { target = tokenizer } = tokenizer
      const { ids, truncated } = endedTokens(target, textOf(example, o.target), maximumTargetLength)
      return { ...item, target: ids, truncated: item.truncated || truncated }
    },
    encodeUnlabelled: read,
    collate,
    predict: ({ best }, items) =>
      predicted(
        best,
        items.map(({ target }) => target),
      ).map((ids) => ({ tokens: words(ids) })),
    reference: ({ target }) => ({ tokens: words(target) }),
  }
}

/**
 * Sequence-to-sequence learning with teacher forcing: the model reads a source text and predicts each token of the target text, given the
 * true ones before it. The loss covers the target tokens, including the end token and excluding padding. Logits stay on the device: an
 * evaluation returns the argmax prediction at each position, given the true tokens before it.
 */
export const sequenceToSequence = definePlugin({
  kind: OBJECTIVE,
  name: 'sequence-to-sequence',
  summary: 'Sequence-to-sequence learning: generate a target text from a source text, as T5 and BART are fine-tuned',
  source: 'Sutskever et al., Sequence to Sequence Learning with Neural Networks, 2014, section 2',
  options,
  needs: { model: MODEL, tokenizer: TOKENIZER, losses: LOSS },
  create,
})
declare module '@attune/core' {
  interface NamedPlugins {
    'objective sequence-to-sequence': typeof sequenceToSequence
  }
}

export default sequenceToSequence
