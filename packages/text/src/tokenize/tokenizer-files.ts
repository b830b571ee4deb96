/** Files of a saved tokenizer. */
export interface TokenizerFiles {
  /** Path of the tokenizer.json, for errors. */
  readonly where: string
  /** Content of the `tokenizer.json`. */
  readonly json: unknown
  /** Content of the target tokenizer, if the texts to be generated have their own. */
  readonly target?: unknown
  /** Content of the `tokenizer_config.json`; empty if there is none. */
  readonly config: Readonly<Record<string, unknown>>
}

/** File of the target tokenizer, if the texts to be generated are tokenized differently from the source texts. */
export const TARGET_FILE = 'target_tokenizer.json'
