/** Why a text ended: the model ended it, a stop text was met, or the room was used up. */
export type Ending = 'end' | 'stop' | 'length'

/** What happens while texts are written. */
export type GenerationEvent =
  /** A token was written; `text` is what it made certain, perhaps nothing yet. Beams give none: they may yet be given up. */
  | { readonly type: 'token'; readonly row: number; readonly id: number; readonly text: string }
  | {
      readonly type: 'finished'
      readonly row: number
      /** All tokens that were written, without the one that ended the text. */
      readonly ids: readonly number[]
      readonly text: string
      readonly because: Ending
      /** Of a beam: the sum of its log probabilities over its length to the power of the penalty. */
      readonly score?: number
    }
