import type { TextInputs } from '@attune/core'
import {
  type Tensor,
  add,
  argMax,
  cast,
  concat,
  equal,
  expandDims,
  greater,
  less,
  logicalAnd,
  matMul,
  maximum,
  mul,
  range,
  scalar,
  slice,
  sub,
  zeros,
} from '@tensorflow/tfjs-core'
import { type PhraseTable, phrasesAt } from './phrases.js'

/**
 * The graph of a text. A node is represented at all positions of its word or phrase; the first of them is its representative.
 * There is a position for each token and, with phrases, after these one for each pair of adjacent tokens.
 */
export interface WordGraph {
  /** int32 `[batch, positions]`: id of the word or, beyond the vocabulary, of the phrase at each position. */
  readonly ids: Tensor
  /** bool `[batch, positions]`: true where there is a word or phrase. */
  readonly real: Tensor
  /** `[batch, positions]`: 1 at the first position of each word and phrase, else 0: the nodes. */
  readonly nodes: Tensor
  /** `[batch, positions, positions]`: 1 from each position to the nodes that it is linked to, including itself, else 0. */
  readonly links: Tensor
}

/** The entries at all positions, the packed text that each belongs to, and the first and last token of each. */
interface Positions extends Pick<WordGraph, 'ids' | 'real'> {
  readonly segments: Tensor | undefined
  readonly starts: Tensor
  readonly ends: Tensor
}

/** Values of the next token; 0 at the last. */
const following = (x: Tensor): Tensor => {
  const [batch, length] = x.shape as [number, number]
  const nothing = zeros([batch, 1], 'int32')
  return length === 1 ? nothing : concat([slice(x, [0, 1], [-1, -1]), nothing], 1)
}

function wordPositions({ inputIds, attentionMask, segmentIds }: TextInputs): Positions {
  const starts = range(0, inputIds.shape[1] as number, 1, 'int32')
  return { ids: inputIds, real: cast(attentionMask, 'bool'), segments: segmentIds, starts, ends: starts }
}

/** The positions of the words, then those of the phrases, each of which spans from its first token to its second. */
function phrasePositions(inputs: TextInputs, table: PhraseTable): Positions {
  const words = wordPositions(inputs)
  const { segments } = words
  const { numbers, found } = phrasesAt(table, words.ids, following(words.ids))
  const both = logicalAnd(words.real, cast(following(inputs.attentionMask), 'bool'))
  const sameText = segments === undefined ? both : logicalAnd(both, equal(segments, following(segments)))
  return {
    ids: concat([words.ids, add(numbers, scalar(table.rows.length, 'int32'))], 1),
    real: concat([words.real, logicalAnd(found, sameText)], 1),
    segments: segments && concat([segments, segments], 1),
    starts: concat([words.starts, words.starts]),
    ends: concat([words.ends, add(words.ends, scalar(1, 'int32'))]),
  }
}

/** bool `[positions, positions]`: true if the end of one is less than `window` tokens from the start of the other. */
function nearby({ starts, ends }: Positions, window: number): Tensor {
  const after = sub(expandDims(starts, 1), expandDims(ends, 0))
  const before = sub(expandDims(starts, 0), expandDims(ends, 1))
  return less(maximum(after, before), window)
}

/**
 * Links distinct tokens that occur less than `window` positions apart anywhere in the text, and each to itself. Phrases are linked in
 * the same way, by their nearer ends, so a phrase is linked to its words and to words around it. Padding has no links, and texts
 * packed into one row are not linked to each other. No values are read, so a compiled step is valid for all texts.
 * Source of the phrases' links: Giannakopoulos et al., Summarization System Evaluation Revisited: N-Gram Graphs, 2008.
 */
export function wordGraph(inputs: TextInputs, window: number, table: PhraseTable | undefined): WordGraph {
  const positions = table === undefined ? wordPositions(inputs) : phrasePositions(inputs, table)
  const { ids, real, segments } = positions
  const pairs = (x: Tensor): Tensor => equal(expandDims(x, 2), expandDims(x, 1)) // [batch, positions, positions]
  const present = logicalAnd(expandDims(real, 2), expandDims(real, 1))
  const together = segments === undefined ? present : logicalAnd(present, pairs(segments))
  const same = cast(logicalAnd(together, pairs(ids)), 'float32')
  const close = cast(logicalAnd(together, nearby(positions, window)), 'float32')
  // From a position to all positions of its word, to positions near those, to all positions of their words.
  const linked = greater(matMul(matMul(same, close), same), 0)
  // argMax of a row of 0 and 1 is the index of the first 1.
  const first = equal(argMax(same, 2), expandDims(range(0, ids.shape[1] as number, 1, 'int32'), 0)) // [batch, positions]
  const nodes = cast(logicalAnd(first, real), 'float32')
  return { ids, real, nodes, links: mul(cast(linked, 'float32'), expandDims(nodes, 1)) }
}
