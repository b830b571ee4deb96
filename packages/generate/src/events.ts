/** Why generation of a sequence stopped: an end-of-sequence token, a stop sequence, or the length limit. */
export type Ending = 'end' | 'stop' | 'length'

/** An event of text generation. */
export type GenerationEvent =
  /** A generated token; `text` is the text that is final after it, possibly empty. Beam search emits none: beams may be dropped. */
  | { readonly type: 'token'; readonly row: number; readonly id: number; readonly text: string }
  | {
      readonly type: 'finished'
      readonly row: number
      /** All generated tokens, without the end-of-sequence token. */
      readonly ids: readonly number[]
      readonly text: string
      readonly because: Ending
      /** Beam search only: sum of log probabilities divided by `length ** lengthPenalty`. */
      readonly score?: number
    }
