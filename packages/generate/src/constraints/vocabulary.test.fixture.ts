import { readFileSync } from 'node:fs'
import type { Tokenizer } from '@attune/core'
import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers'

/** Reference output of the Rust tokenizers library. */
export interface TokensGolden {
  readonly tokenizer: object
  /** Text of the first id alone. */
  readonly first: string
  readonly cases: readonly { readonly ids: readonly number[]; readonly text: string }[]
}

export const readTokens = (name: string): TokensGolden =>
  JSON.parse(readFileSync(`golden/tokens-${name}.json`, 'utf8')) as TokensGolden

/** A tokenizer backed by `@huggingface/tokenizers`, which decodes independently of the code under test. */
export function tokenizerOf(name: string): Tokenizer {
  const content = readTokens(name).tokenizer
  const library = new HuggingFaceTokenizer(content, {})
  const ids = library.get_vocab()
  return {
    vocabularySize: Math.max(...ids.values()) + 1,
    special: {},
    paddingSide: 'right',
    encode: (text) => ({ ids: library.encode(text, { add_special_tokens: false }).ids, typeIds: [], truncated: false }),
    decode: (tokens) =>
      library.decode(Array.from(tokens), { skip_special_tokens: true, clean_up_tokenization_spaces: false }),
    id: (token) => ids.get(token),
    token: (id) => library.id_to_token(id),
    files: () => ({ 'tokenizer.json': content }),
  }
}
