import { kind } from '../kind.js'

/** An end of a sequence. */
export type Side = 'left' | 'right'

/** An encoded text or pair of texts. All arrays have one entry per token. */
export interface Encoding {
  readonly ids: readonly number[]
  /** Token type ids: 0 for the first text, 1 for the second. */
  readonly typeIds: readonly number[]
  /** True if the text was truncated to `maximumLength`. */
  readonly truncated: boolean
  /**
   * Character offsets `[start, end)` of each token in its own text, in UTF-16 code units; `[0, 0]` for special tokens added by
   * the template. Present if requested.
   */
  readonly offsets?: readonly (readonly [start: number, end: number])[]
  /** Special tokens mask: 1 for tokens added by the template, 0 for tokens of the text. Present if offsets are requested. */
  readonly specialMask?: readonly number[]
  /** The overflowing windows after this one, each of at most `maximumLength` tokens. Present if a stride is given. */
  readonly overflowing?: readonly Encoding[]
}

/** Options of {@link Tokenizer.encode}. */
export interface EncodeOptions {
  /** Second text of a pair, after a separator. */
  readonly pair?: string
  /** Maximum number of tokens, including special tokens; the longer text of a pair is truncated first. Default: no limit. */
  readonly maximumLength?: number
  /** The end that is truncated. Default: that of the tokenizer files, or right. */
  readonly truncationSide?: Side | undefined
  /** Overlap of overflowing windows, in tokens; less than the number of text tokens of a window. Default: no windows. */
  readonly stride?: number
  /** True to add the special tokens of the template (`[CLS]`, `<s>`, …). Default: true. */
  readonly addSpecialTokens?: boolean
  /** True to return offsets and the special tokens mask. Default: false. */
  readonly offsets?: boolean
}

/** Ids of the special tokens; absent if the vocabulary does not have them. */
export interface SpecialTokens {
  readonly pad?: number
  readonly unknown?: number
  readonly begin?: number
  readonly end?: number
  readonly mask?: number
}

/** Encodes text into token ids and decodes them. */
export interface Tokenizer {
  /** The number of ids: 0 to `vocabularySize − 1`. */
  readonly vocabularySize: number
  readonly special: SpecialTokens
  /**
   * The padding side for other libraries: left for generative models, right for encoders. Attune itself pads training batches on
   * the right: padding is masked, so the results do not depend on the side.
   */
  readonly paddingSide: Side
  /** The end of a text that is truncated by default. Default: right. */
  readonly truncationSide?: Side
  /** The Jinja chat template, which renders a conversation as one text, if the tokenizer has one. */
  readonly chatTemplate?: string
  /** All chat templates by name, if there are others than `default`: `tool_use`, for example. */
  readonly chatTemplates?: Readonly<Record<string, string>>
  /** The tokenizer of target texts, with the same ids, if they are tokenized differently from the inputs. */
  readonly target?: Tokenizer
  encode(text: string, options?: EncodeOptions): Encoding
  /** Decodes ids into text, without special tokens. */
  decode(ids: ArrayLike<number>): string
  /** Returns the id of a token in its vocabulary spelling; `undefined` if it is not in the vocabulary. */
  id(token: string): number | undefined
  /** Returns the token of an id in its vocabulary spelling; `undefined` outside the vocabulary. */
  token(id: number): string | undefined
  /** Returns the tokenizer files (`tokenizer.json`, `tokenizer_config.json`), content by name. */
  files(): Readonly<Record<string, unknown>>
}

/** Tokenizers. */
export const TOKENIZER = kind<Tokenizer>('tokenizer', 'one')
