/** A token of a batch, as the training step sees it. */
export interface InspectedToken {
  /** The token in its vocabulary spelling. */
  readonly text: string
  readonly role: 'text' | 'special' | 'padding'
  /** Weight of its loss; 0 for tokens that are only read. */
  readonly trained: number
  /** The token that the model predicts at this masked position; `text` is what stands there instead. */
  readonly masked?: string
  /** The label that the model predicts for the token. */
  readonly label?: string
  /** Index of its text in a packed row, from 0. */
  readonly segment?: number
  /** Present where the text was truncated: tokens are missing before or after this one. */
  readonly truncated?: 'before' | 'after'
}

/** A row of a batch: the tokens of one text, or of several in a packed row. */
export interface InspectedRow {
  readonly stream: 'input' | 'target'
  /** Index in the batch of the example that the row is from, from 0; undefined for a packed row. */
  readonly example?: number
  readonly tokens: readonly InspectedToken[]
  /** Target of the whole text: a label, labels, a number, or its partner in a pair. */
  readonly target?: string
  /** Weight of the example in the loss, if examples are weighted. */
  readonly weight?: number
}

/** Counts of a batch. */
export interface InspectedCounts {
  readonly examples: number
  /** Number of positions, with padding. */
  readonly tokens: number
  readonly padding: number
  /** Number of positions that have a loss. */
  readonly trained: number
  /** Number of masked or replaced positions. */
  readonly masked: number
  /** Number of truncated examples. */
  readonly truncated: number
}

/** A batch of an epoch. */
export interface InspectedBatch {
  readonly rows: readonly InspectedRow[]
  readonly counts: InspectedCounts
}

/** Sums counts of batches. */
export const addCounts = (all: readonly InspectedCounts[]): InspectedCounts => {
  const sum = (of: keyof InspectedCounts): number => all.reduce((total, counts) => total + counts[of], 0)
  return {
    examples: sum('examples'),
    tokens: sum('tokens'),
    padding: sum('padding'),
    trained: sum('trained'),
    masked: sum('masked'),
    truncated: sum('truncated'),
  }
}
