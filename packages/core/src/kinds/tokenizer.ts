import { kind } from '../kind.js'

/** One text, or a pair, as the model reads it. All arrays have one entry a token. */
export interface Encoding {
  readonly ids: readonly number[]
  /** 0 for the first text, 1 for the second. */
  readonly typeIds: readonly number[]
  /** True when the text was longer than `maximumLength` and lost its end. */
  readonly truncated: boolean
}

/** How to encode. */
export interface EncodeOptions {
  /** A second text, after a separator. */
  readonly pair?: string
  /** Most tokens of the result, special ones included; the longer text is cut first. Default: no limit. */
  readonly maximumLength?: number
}

/** The ids of the tokens that have a meaning of their own; absent where the vocabulary has none. */
export interface SpecialTokens {
  readonly pad?: number
  readonly unknown?: number
  readonly begin?: number
  readonly end?: number
  readonly mask?: number
}

/** Turns text into token ids and back. */
export interface Tokenizer {
  /** Ids run from 0 to `vocabularySize − 1`. */
  readonly vocabularySize: number
  readonly special: SpecialTokens
  encode(text: string, options?: EncodeOptions): Encoding
  /** The text of the ids, special tokens left out. */
  decode(ids: ArrayLike<number>): string
  /** The token of an id, as the vocabulary spells it; `undefined` outside the vocabulary. */
  token(id: number): string | undefined
  /** The files that load this tokenizer elsewhere (`tokenizer.json`, `tokenizer_config.json`): content by name. */
  files(): Readonly<Record<string, unknown>>
}

/** Text to ids. */
export const TOKENIZER = kind<Tokenizer>('tokenizer', 'one')
