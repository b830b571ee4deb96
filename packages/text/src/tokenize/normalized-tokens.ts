import { AttuneError } from '@attune/core'
import type { AddedToken } from './added-ids.js'
import { aligned } from './aligned-text.js'
import { characterSets } from './character-sets.js'
import { normalizerOf } from './normalizers.js'
import type { TokenizerFile } from './schema.js'
import { stepsIn } from './steps-in.js'
import { workOnText } from './work.js'

/** Added tokens with `normalized: true`, with the content that is matched in normalized texts. */
export function normalizedTokens(file: Pick<TokenizerFile, 'normalizer' | 'added_tokens'>): readonly AddedToken[] {
  const tokens = file.added_tokens.filter(({ normalized, content }) => normalized && content.isWellFormed())
  if (tokens.length === 0 || file.normalizer == null) return tokens
  const normalize = normalizerOf(stepsIn(file.normalizer), characterSets())
  return tokens.map((token) => {
    const { text } = normalize(aligned(token.content, 0), workOnText('the tokenizer', token.content))
    if (text === '')
      throw new AttuneError(
        'BAD_TOKENIZER',
        `expected added tokens with a text, got ${JSON.stringify(token.content.slice(0, 80))}, of which the normalizer leaves nothing`,
        'Set `normalized` of the token to false in the tokenizer.json.',
      )
    return { ...token, content: text }
  })
}
