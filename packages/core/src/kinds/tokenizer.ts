import { kind } from '../kind.js'

/** Which end of a text. */
export type Side = 'left' | 'right'

/** One text, or a pair, as the model reads it. All arrays have one entry a token. */
export interface Encoding {
  readonly ids: readonly number[]
  /** 0 for the first text, 1 for the second. */
  readonly typeIds: readonly number[]
  /** True when the text was longer than `maximumLength` and a part of it is not here. */
  readonly truncated: boolean
  /**
   * When asked for: where each token stands in its own text, from start to before end, in UTF-16 units as
   * `String.slice` counts; `[0, 0]` for what the template added.
   */
  readonly offsets?: readonly (readonly [start: number, end: number])[]
  /** When offsets are asked for: 1 for what the template added, 0 for what stood in the text. */
  readonly specialMask?: readonly number[]
  /** When a stride is asked for: the windows after this one, each of at most `maximumLength` tokens. */
  readonly overflowing?: readonly Encoding[]
}

/** How to encode. */
export interface EncodeOptions {
  /** A second text, after a separator. */
  readonly pair?: string
  /** Most tokens of the result, special ones included; the longer text is cut first. Default: no limit. */
  readonly maximumLength?: number
  /** The end that is cut. Default: as the tokenizer's files say, or right. */
  readonly truncationSide?: Side | undefined
  /** Also give what was cut, in windows that share this many tokens; less than what a window holds of the text. */
  readonly stride?: number
  /** Whether to add what the template adds (`[CLS]`, `<s>`, …). Default: true. */
  readonly addSpecialTokens?: boolean
  /** Whether to give offsets and the mask of special tokens. Default: false. */
  readonly offsets?: boolean
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
  /**
   * The side that padding goes to elsewhere: left for a model that goes on writing, right for one that reads. What objectives
   * lay out has it on the right whatever this says: models leave padding out, so nothing depends on it.
   */
  readonly paddingSide: Side
  /** The end of a text that is cut when one does not say which. Default: right. */
  readonly truncationSide?: Side
  /** The Jinja template that makes one text of a conversation, where the tokenizer has one. */
  readonly chatTemplate?: string
  /** All its chat templates by name, where there are others than the `default` one: `tool_use`, for talk of tools. */
  readonly chatTemplates?: Readonly<Record<string, string>>
  /** The tokenizer of texts that the model is to write, with the same ids, where they are cut in another way than what it reads. */
  readonly target?: Tokenizer
  encode(text: string, options?: EncodeOptions): Encoding
  /** The text of the ids, special tokens left out. */
  decode(ids: ArrayLike<number>): string
  /** The id of a token as the vocabulary spells it; `undefined` for one that it lacks. */
  id(token: string): number | undefined
  /** The token of an id, as the vocabulary spells it; `undefined` outside the vocabulary. */
  token(id: number): string | undefined
  /** The files that load this tokenizer elsewhere (`tokenizer.json`, `tokenizer_config.json`): content by name. */
  files(): Readonly<Record<string, unknown>>
}

/** Text to ids. */
export const TOKENIZER = kind<Tokenizer>('tokenizer', 'one')
