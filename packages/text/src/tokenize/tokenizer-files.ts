/** The files of a saved tokenizer. */
export interface TokenizerFiles {
  /** The path of the tokenizer.json, for errors. */
  readonly where: string
  /** The content of the `tokenizer.json`. */
  readonly json: unknown
  /** That of the tokenizer for texts that the model is to write, where it is another. */
  readonly target?: unknown
  /** The content of the `tokenizer_config.json` beside it; empty where there is none. */
  readonly config: Readonly<Record<string, unknown>>
}

/** The file of the tokenizer for texts that the model is to write, where they are cut in another way than those it reads. */
export const TARGET_FILE = 'target_tokenizer.json'
