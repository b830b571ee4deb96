/** The tokens of a text, with the part of the text that each came from, in UTF-16 units. */
export interface TextTokens {
  readonly ids: number[]
  readonly starts: number[]
  readonly ends: number[]
}
