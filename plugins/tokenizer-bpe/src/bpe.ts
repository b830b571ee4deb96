import { TOKENIZER, definePlugin } from '@attune/core'
import { tokenizerOf } from '@attune/text'
import { z } from 'zod'

const content = (what: string) => z.record(z.string(), z.unknown()).optional().describe(what)

const options = z.strictObject({
  path: z
    .string()
    .min(1)
    .optional()
    .meta({ path: true })
    .describe('A tokenizer.json, or the folder of a saved model that holds one'),
  json: content('The content of a tokenizer.json, instead of a path'),
  config: content(
    'The content of the tokenizer_config.json that belongs to it: which tokens have a role, the chat template',
  ),
})

/**
 * Byte-pair encoding: a text is cut into words, and each word's bytes (or characters) are joined, pair by pair, in the order
 * in which pairs were learned to be joined. Nothing is unknown where the alphabet is that of all bytes.
 *
 * Near neighbour: WordPiece takes the longest piece that the vocabulary has, from the left.
 */
export const bpe = definePlugin({
  kind: TOKENIZER,
  name: 'bpe',
  summary: 'Words cut into pieces that were joined in the order they were learned, as in GPT-2 and Llama',
  source: 'Sennrich, Haddow and Birch, Neural Machine Translation of Rare Words with Subword Units, 2016, section 3.2',
  options,
  create: (given) => tokenizerOf(given, { name: 'bpe', type: 'BPE' }),
})
export default bpe
