import { AttuneError } from '@attune/core'
import type { AddedToken } from './added-ids.js'
import { aligned } from './aligned-text.js'
import { characterSets } from './character-sets.js'
import { normalizerOf } from './normalizers.js'
import type { TokenizerFile } from './schema.js'
import { stepsIn } from './steps-in.js'
import { workOnText } from './work.js'

/** Maximum length of all normalized contents in units: a constant, plus a number per unit of the contents. */
const [MOST_UNITS, UNITS_PER_UNIT] = [100_000, 4]

const refuse = (why: string): never => {
  throw new AttuneError(
    'BAD_TOKENIZER',
    `at \`added_tokens\`, ${why}`,
    'Set `normalized` of the token to false in the tokenizer.json.',
  )
}

/** Added tokens with `normalized: true`, with the content that is matched in normalized texts. */
export function normalizedTokens(file: Pick<TokenizerFile, 'normalizer' | 'added_tokens'>): readonly AddedToken[] {
  const tokens = file.added_tokens.filter(({ normalized, content }) => normalized && content.isWellFormed())
  if (tokens.length === 0 || file.normalizer == null) return tokens
  const normalize = normalizerOf(stepsIn(file.normalizer), characterSets())
  const all = tokens.map(({ content }) => content).join('')
  const work = workOnText('the tokenizer', all)
  let units = 0
  return tokens.map((token) => {
    const { text: content } = normalize(aligned(token.content, 0), work)
    if (content === '')
      refuse(
        `expected a text, got ${JSON.stringify(token.content.slice(0, 80))}, of which the normalizer leaves nothing`,
      )
    units += content.length
    if (units > MOST_UNITS + UNITS_PER_UNIT * all.length)
      refuse(`the normalizer makes more than ${units} characters out of ${all.length}`)
    return { ...token, content }
  })
}
