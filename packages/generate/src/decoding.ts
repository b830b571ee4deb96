/** Outputs of a decoder run. */
export interface Read {
  /** `[rows][vocabulary]` */
  readonly logits: readonly Float32Array[]
  /** `[rows][tokens][hidden]` if hidden states were requested: those of the tokens read, padding first. */
  readonly states: readonly (readonly Float32Array[])[]
}

/** A decoder with the KV cache of the sequences being generated. */
export interface Decoding {
  /** Reads the next token of each row. Row i continues row `from[i]` of the previous run; by default, row i. */
  read(tokens: readonly number[], from?: readonly number[]): Promise<Read>
  /** Reads several tokens after a single sequence; returns the logits after each. */
  readDraft(tokens: readonly number[]): Promise<readonly Float32Array[]>
  /** Drops the last `count` tokens, which were read speculatively, from the KV cache. */
  rollBack(count: number): void
  /** Frees the cache. */
  close(): void
}

/** Start of generation: the outputs for the prompts, and the decoder. */
export interface Prefilled {
  readonly first: Read
  readonly decoding: Decoding
}
