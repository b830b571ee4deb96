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
 * The graph of a text. A node is spread over all places where its word or phrase stands; the first of them stands for it.
 * There is a place for each token and, with phrases, behind these one for each pair of neighbours.
 */
export interface WordGraph {
  /** int32 `[batch, places]`: the word or, beyond the vocabulary, the phrase that stands there. */
  readonly ids: Tensor
  /** bool `[batch, places]`: whether one stands there. */
  readonly real: Tensor
  /** `[batch, places]`, 1 at the first place of each word and phrase, else 0: the nodes. */
  readonly nodes: Tensor
  /** `[batch, places, places]`, 1 from each place to the nodes that it is linked to, itself among them, else 0. */
  readonly links: Tensor
}

/** What stands at the places, which text of the row it belongs to, and from which token to which it reaches. */
interface Places extends Pick<WordGraph, 'ids' | 'real'> {
  readonly segments: Tensor | undefined
  readonly starts: Tensor
  readonly ends: Tensor
}

/** What stands at the next token; nothing at the last. */
const following = (x: Tensor): Tensor => {
  const [batch, length] = x.shape as [number, number]
  const nothing = zeros([batch, 1], 'int32')
  return length === 1 ? nothing : concat([slice(x, [0, 1], [-1, -1]), nothing], 1)
}

function wordPlaces({ inputIds, attentionMask, segmentIds }: TextInputs): Places {
  const starts = range(0, inputIds.shape[1] as number, 1, 'int32')
  return { ids: inputIds, real: cast(attentionMask, 'bool'), segments: segmentIds, starts, ends: starts }
}

/** The places of the words, and behind them those of the phrases, each of which reaches from its first token to its second. */
function phrasePlaces(inputs: TextInputs, table: PhraseTable): Places {
  const words = wordPlaces(inputs)
  const { segments } = words
  const { numbers, found } = phrasesAt(table, words.ids, following(words.ids))
  const both = logicalAnd(words.real, cast(following(inputs.attentionMask), 'bool'))
  const whole = segments === undefined ? both : logicalAnd(both, equal(segments, following(segments)))
  return {
    ids: concat([words.ids, add(numbers, scalar(table.rows.length, 'int32'))], 1),
    real: concat([words.real, logicalAnd(found, whole)], 1),
    segments: segments && concat([segments, segments], 1),
    starts: concat([words.starts, words.starts]),
    ends: concat([words.ends, add(words.ends, scalar(1, 'int32'))]),
  }
}

/** bool `[places, places]`: whether less than `window` tokens lie between the end of one and the start of the other. */
function nearby({ starts, ends }: Places, window: number): Tensor {
  const after = sub(expandDims(starts, 1), expandDims(ends, 0))
  const before = sub(expandDims(starts, 0), expandDims(ends, 1))
  return less(maximum(after, before), window)
}

/**
 * Links distinct tokens that stand less than `window` places from one another anywhere in the text, and each to itself; phrases
 * in the same way, by their nearer ends, so that a phrase is linked to its words and to what stands around it. Padding
 * has no links, and texts that were packed into one row have none in common. No numbers are read: a compiled step holds for all texts.
 * Source of the phrases' links: Giannakopoulos et al., Summarization System Evaluation Revisited: N-Gram Graphs, 2008.
 */
export function wordGraph(inputs: TextInputs, window: number, table: PhraseTable | undefined): WordGraph {
  const places = table === undefined ? wordPlaces(inputs) : phrasePlaces(inputs, table)
  const { ids, real, segments } = places
  const pairs = (x: Tensor): Tensor => equal(expandDims(x, 2), expandDims(x, 1)) // [batch, places, places]
  const standing = logicalAnd(expandDims(real, 2), expandDims(real, 1))
  const together = segments === undefined ? standing : logicalAnd(standing, pairs(segments))
  const same = cast(logicalAnd(together, pairs(ids)), 'float32')
  const close = cast(logicalAnd(together, nearby(places, window)), 'float32')
  // From a place to all places of its word, from those to what is near them, from that to all places of its words.
  const linked = greater(matMul(matMul(same, close), same), 0)
  // The greatest of a row of 0 and 1 is the first 1.
  const first = equal(argMax(same, 2), expandDims(range(0, ids.shape[1] as number, 1, 'int32'), 0)) // [batch, places]
  const nodes = cast(logicalAnd(first, real), 'float32')
  return { ids, real, nodes, links: mul(cast(linked, 'float32'), expandDims(nodes, 1)) }
}
