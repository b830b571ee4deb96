import { countOption as count } from '@attune/nn'
import { z } from 'zod'

/** What the parts of the model are made by. */
export const options = z
  .strictObject({
    architecture: z
      .enum(['encoder', 'decoder', 'encoder-decoder'])
      .default('encoder')
      .describe('Whether it reads texts, goes on writing them, or writes one text from another'),
    cell: z.enum(['rnn', 'lstm', 'gru']).default('lstm').describe('How a step makes the new state from the old one'),
    layers: z
      .int()
      .min(1)
      .max(1000)
      .default(2)
      .describe('Recurrent layers; in each of two stacks, where there are two'),
    bidirectional: z.boolean().default(false).describe('Whether an encoder also reads backwards; not with decoder'),
    vocabSize: count('Entries of the vocabulary').default(10_000),
    embeddingSize: count('Width of the word embeddings').default(256),
    hiddenSize: count('Width of the state of a layer and direction').default(256),
    dropout: z.number().min(0).lt(1).default(0.2).describe('Dropout between layers and before a classifier'),
    maximumLength: z
      .int()
      .min(1)
      .max(10_000)
      .default(256)
      .describe('The most tokens of a text; each is a step of its own in what is compiled'),
    initializerRange: z
      .number()
      .positive()
      .max(10)
      .default(0.1)
      .describe('Standard deviation of new word embeddings and heads'),
    tieWordEmbeddings: z
      .boolean()
      .default(false)
      .describe('The layer that writes is the word embeddings once more; wants embeddingSize = hiddenSize'),
    attention: z
      .enum(['additive', 'general', 'dot'])
      .default('additive')
      .describe('How encoder-decoder scores what it has read: as Bahdanau, or as Luong; dot not with bidirectional'),
    copy: z.boolean().default(false).describe('Whether encoder-decoder can copy tokens of what it has read'),
    decoderStartTokenId: z
      .int()
      .min(0)
      .max(2_000_000)
      .default(0)
      .describe('The token that the decoder of encoder-decoder begins with'),
  })
  .refine((o) => !(o.architecture === 'decoder' && o.bidirectional), {
    path: ['bidirectional'],
    message: 'must be false for architecture decoder, which does not know what comes later',
  })
  .refine((o) => !(o.architecture !== 'encoder' && o.tieWordEmbeddings) || o.embeddingSize === o.hiddenSize, {
    path: ['embeddingSize'],
    message: 'must be hiddenSize where tieWordEmbeddings is true',
  })
  .refine((o) => !(o.architecture === 'encoder-decoder' && o.attention === 'dot' && o.bidirectional), {
    path: ['attention'],
    message: 'must not be dot where bidirectional is true: states of the two stacks differ in width; take general',
  })

export type Options = z.output<typeof options>
