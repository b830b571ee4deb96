import { scheduled } from '@attune/core'
import { countOption as count } from '@attune/nn'
import { z } from 'zod'

/** The options of the model. */
export const options = z
  .strictObject({
    architecture: z
      .enum(['encoder', 'decoder', 'encoder-decoder'])
      .default('encoder')
      .describe('`encoder` encodes texts, `decoder` generates text, `encoder-decoder` maps a text to another'),
    cell: z.enum(['rnn', 'lstm', 'gru']).default('lstm').describe('Recurrent cell'),
    layers: z
      .int()
      .min(1)
      .max(1000)
      .default(2)
      .describe('Number of recurrent layers, in each of the stacks of an encoder-decoder'),
    bidirectional: z.boolean().default(false).describe('Read in both directions; not with decoder'),
    vocabSize: count('Vocabulary size').default(10_000),
    embeddingSize: count('Size of the word embeddings').default(256),
    hiddenSize: count('Hidden size per layer and direction').default(256),
    dropout: scheduled(
      z.number().min(0).lt(1).default(0.2).describe('Dropout between layers and before a classification head'),
    ),
    maximumLength: z.int().min(1).max(10_000).default(256).describe('Maximum sequence length, in tokens'),
    initializerRange: z
      .number()
      .positive()
      .max(10)
      .default(0.1)
      .describe('Standard deviation of the initialization of word embeddings and heads'),
    tieWordEmbeddings: z
      .boolean()
      .default(false)
      .describe('Tie the language-modeling head to the word embeddings; requires embeddingSize = hiddenSize'),
    attention: z
      .enum(['additive', 'general', 'dot'])
      .default('additive')
      .describe(
        'Attention of encoder-decoder: additive (Bahdanau), general or dot (Luong); dot not with bidirectional',
      ),
    copy: z.boolean().default(false).describe('Let encoder-decoder copy tokens from its input'),
    decoderStartTokenId: z
      .int()
      .min(0)
      .max(2_000_000)
      .default(0)
      .describe('Token that the decoder of encoder-decoder starts with'),
  })
  .refine((o) => !(o.architecture === 'decoder' && o.bidirectional), {
    path: ['bidirectional'],
    message: 'must be false for architecture decoder, which does not know later tokens',
  })
  .refine((o) => !(o.architecture !== 'encoder' && o.tieWordEmbeddings) || o.embeddingSize === o.hiddenSize, {
    path: ['embeddingSize'],
    message: 'must equal hiddenSize if tieWordEmbeddings is true',
  })
  .refine((o) => !(o.architecture === 'encoder-decoder' && o.attention === 'dot' && o.bidirectional), {
    path: ['attention'],
    message:
      'must not be dot if bidirectional is true, since the states of encoder and decoder differ in size; use general',
  })

export type Options = z.output<typeof options>
