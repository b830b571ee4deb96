/** What a run of the decoder gives for each row. */
export interface Read {
  /** `[rows][vocabulary]` */
  readonly logits: readonly Float32Array[]
  /** `[rows][tokens][hidden]`, where states were asked for: those of the tokens that were read, those of padding first. */
  readonly states: readonly (readonly Float32Array[])[]
}

/** A model in the middle of writing some texts. */
export interface Decoding {
  /** Gives each row its next token and reads it. Row i goes on from row `from[i]` of before; by default each from itself. */
  read(tokens: readonly number[], from?: readonly number[]): Promise<Read>
  /** Reads several tokens after a single text, and gives the logits after each. */
  readAhead(tokens: readonly number[]): Promise<readonly Float32Array[]>
  /** Forgets the last `count` tokens, which were read ahead. */
  back(count: number): void
  /** Frees the cache. */
  close(): void
}

/** What is written, from the start. */
export interface Beginning {
  readonly first: Read
  readonly decoding: Decoding
}
