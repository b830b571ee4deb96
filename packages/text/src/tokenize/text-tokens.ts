/** Tokens of a text with their ranges in the text, in UTF-16 units. */
export interface TextTokens {
  readonly ids: number[]
  readonly starts: number[]
  readonly ends: number[]
}
