import {
  type Batch,
  type Encoded,
  type HostArray,
  type Side,
  type Tokenizer,
  isHostArray,
  isRecord,
} from '@attune/core'

import type { InspectedBatch, InspectedRow, InspectedToken } from './inspected-batch.js'

/** Components that a batch is read with. */
export interface BatchReader {
  readonly tokenizer: Tokenizer
  /** Label names by class id, if the objective has labels. */
  readonly labels?: readonly string[] | undefined
  readonly truncationSide?: Side | undefined
}

/** A target at a position of a row. */
interface Target {
  readonly id: number
  readonly weight: number
  /** Index of the example, in packed rows. */
  readonly example: number | undefined
}

type Targets = ReadonlyMap<number, Target>

const arrayIn = (tree: Record<string, unknown>, name: string): HostArray | undefined => {
  const found = tree[name]
  return isHostArray(found as never) ? (found as HostArray) : undefined
}

const rowOf = ({ values, shape }: HostArray, row: number): number[] => {
  const width = shape[1] ?? 1
  return Array.from(values.subarray(row * width, (row + 1) * width) as Float32Array)
}

/** Ids of special tokens: named ones, and those that the tokenizer adds around texts. */
function specialIds({ special, encode }: Tokenizer): ReadonlySet<number> {
  const added = encode('a', { pair: 'a', offsets: true })
  const { pad, begin, end, mask } = special
  return new Set([
    ...[pad, begin, end, mask].filter((id) => id !== undefined),
    ...added.ids.filter((_, i) => added.specialMask?.[i] === 1),
  ])
}

/** Position in the row of target `k`: given, mapped (permutation language modeling), or its index. */
function positionOf(batch: Batch, row: number, k: number): number {
  const positions = arrayIn(batch, 'positions')
  if (positions !== undefined) return rowOf(positions, row)[k]!
  const mapping = arrayIn(batch.inputs, 'targetMapping')
  if (mapping === undefined) return k
  const [, count, length] = mapping.shape as [number, number, number]
  const from = (row * count + k) * length
  return Array.from(mapping.values.subarray(from, from + length) as Float32Array).indexOf(1)
}

/** Targets with a loss of each row, by position; empty if the objective has no targets of tokens. */
function targetsOf(batch: Batch): readonly Targets[] {
  const [targets, weights] = [arrayIn(batch, 'targets'), arrayIn(batch, 'weights')]
  if (targets?.shape.length !== 2 || weights === undefined) return []
  const examples = arrayIn(batch, 'examples')
  return Array.from({ length: targets.shape[0]! }, (_, row) => {
    const [ids, each] = [rowOf(targets, row), rowOf(weights, row)]
    const owners = examples && rowOf(examples, row)
    return new Map(
      ids.flatMap((id, k): [number, Target][] =>
        each[k]! > 0 ? [[positionOf(batch, row, k), { id, weight: each[k]!, example: owners?.[k] }]] : [],
      ),
    )
  })
}

/** True if the target at every position is the next token of the row: next-token prediction. */
const areNextTokens = (inputIds: HostArray, targets: readonly Targets[]): boolean =>
  targets.every((row, r) => {
    const ids = rowOf(inputIds, r)
    return [...row].every(([position, { id }]) => ids[position + 1] === id)
  })

/** Moves targets to the tokens that they are. */
const shifted = (targets: readonly Targets[]): readonly Targets[] =>
  targets.map((row) => new Map([...row].map(([position, target]) => [position + 1, target])))

/** Display of the targets of tokens: as trained tokens, as originals of masked tokens, or as labels. */
type Kind = 'tokens' | 'masked' | 'labels'

/** The arrays of one stream of a batch, and the targets at its tokens. */
interface Stream {
  readonly name: InspectedRow['stream']
  readonly ids: HostArray
  readonly mask: HostArray
  readonly segments?: HostArray | undefined
  readonly targets: readonly Targets[]
  readonly kind: Kind
}

/** The streams of a batch: the inputs, and for an encoder–decoder the targets. */
function streamsOf(batch: Batch): readonly Stream[] {
  const [ids, mask] = [arrayIn(batch.inputs, 'inputIds'), arrayIn(batch.inputs, 'attentionMask')]
  if (ids === undefined || mask === undefined) return []
  const targets = targetsOf(batch)
  const segments = arrayIn(batch.inputs, 'segmentIds')
  const input = { name: 'input', ids, mask, segments } as const
  const [given, decoder] = [arrayIn(batch, 'targets'), arrayIn(batch.inputs, 'decoderAttentionMask')]
  if (decoder !== undefined && given !== undefined)
    return [
      { ...input, targets: [], kind: 'tokens' },
      { name: 'target', ids: given, mask: decoder, targets, kind: 'tokens' },
    ]
  if (arrayIn(batch, 'positions') !== undefined) return [{ ...input, targets, kind: 'masked' }]
  if (arrayIn(batch.inputs, 'targetMapping') !== undefined) return [{ ...input, targets, kind: 'tokens' }]
  return areNextTokens(ids, targets)
    ? [{ ...input, targets: shifted(targets), kind: 'tokens' }]
    : [{ ...input, targets, kind: 'labels' }]
}

/** Target of a whole text, or undefined. */
function targetOfRow(batch: Batch, row: number, count: number, names: readonly string[] | undefined) {
  const labels = arrayIn(batch, 'labels')
  const name = (id: number): string => names?.[id] ?? String(id)
  if (labels === undefined || row >= labels.shape[0]!) {
    const { shape } = batch.inputs['inputIds'] as HostArray
    if (shape[0] !== 2 * count) return undefined
    return row < count ? `pair of row ${row + count + 1}` : `pair of row ${row - count + 1}`
  }
  if (labels.shape.length === 2) {
    const of = rowOf(labels, row)
    const isIndicator = of.every((value) => value === 0 || value === 1)
    if (!isIndicator) return of.map((value) => String(Number(value.toPrecision(4)))).join(' ')
    return of.flatMap((value, id) => (value === 1 ? [name(id)] : [])).join(', ') || 'no label'
  }
  const value = labels.values[row] as number
  return labels.dtype === 'int32' ? name(value) : String(Number(value.toPrecision(6)))
}

/** The tokens of a row, without marks of truncation. */
function tokensOf(
  { ids, mask, segments, targets, kind }: Stream,
  row: number,
  { tokenizer, labels }: BatchReader,
  special: ReadonlySet<number>,
): InspectedToken[] {
  const [own, at] = [segments && rowOf(segments, row), targets[row] ?? new Map<number, Target>()]
  const real = rowOf(mask, row)
  const spelling = (id: number): string => tokenizer.token(id) ?? `#${id}`
  return rowOf(ids, row).map((id, position): InspectedToken => {
    const text = spelling(id)
    if (real[position] === 0) return { text, role: 'padding', trained: 0 }
    const target = at.get(position)
    return {
      text,
      role: special.has(id) ? 'special' : 'text',
      trained: target?.weight ?? 0,
      ...(target !== undefined && kind === 'masked' ? { masked: spelling(target.id) } : {}),
      ...(target !== undefined && kind === 'labels' ? { label: labels?.[target.id] ?? String(target.id) } : {}),
      ...(own === undefined ? {} : { segment: own[position]! }),
    }
  })
}

/** Indices of the examples of a row by segment, or of the only one under −1. */
function examplesIn(stream: Stream, row: number, count: number): ReadonlyMap<number, number> {
  if (stream.segments === undefined) return new Map([[-1, row % count]])
  const segments = rowOf(stream.segments, row)
  const found = [...(stream.targets[row] ?? [])].map(
    ([position, { example }]) => [segments[position]!, example] as const,
  )
  return new Map(found.filter((each): each is readonly [number, number] => each[1] !== undefined))
}

/** Marks where the text of a segment was truncated: at its first or last token that is not special. */
function markTruncation(tokens: InspectedToken[], segment: number, side: Side): void {
  const isIn = (token: InspectedToken): boolean => token.role !== 'padding' && (token.segment ?? -1) === segment
  const isText = (token: InspectedToken): boolean =>
    isIn(token) && (token.role === 'text' || token.masked !== undefined)
  const found = side === 'left' ? tokens.findIndex(isText) : tokens.findLastIndex(isText)
  const at = found >= 0 ? found : tokens.findLastIndex(isIn)
  if (at >= 0) tokens[at] = { ...tokens[at]!, truncated: side === 'left' ? 'before' : 'after' }
}

/** True if the truncation of an example shows in a stream: in an encoder–decoder, a target that is whole has its end token. */
function isTruncatedIn(stream: Stream, streams: readonly Stream[], row: number, end: number | undefined): boolean {
  const target = streams.find(({ name }) => name === 'target')
  if (target === undefined || end === undefined) return true
  const length = rowOf(target.mask, row).reduce((sum, value) => sum + value, 0)
  const isTargetWhole = rowOf(target.ids, row)[length - 1] === end
  return stream.name === 'target' ? !isTargetWhole : isTargetWhole
}

function rowsOf(batch: Batch, items: readonly Encoded[], reader: BatchReader): InspectedRow[] {
  const streams = streamsOf(batch)
  const [weights, special] = [arrayIn(batch, 'exampleWeights'), specialIds(reader.tokenizer)]
  const side = reader.truncationSide ?? reader.tokenizer.truncationSide ?? 'right'
  const rows = streams[0]?.ids.shape[0] ?? 0
  return Array.from({ length: rows }, (_, row) =>
    streams.map((stream): InspectedRow => {
      const tokens = tokensOf(stream, row, reader, special)
      const owners = examplesIn(stream, row, items.length)
      for (const [segment, example] of owners)
        if (items[example]?.truncated === true && isTruncatedIn(stream, streams, row, reader.tokenizer.special.end))
          markTruncation(tokens, segment, stream.name === 'target' ? 'right' : side)
      const target = stream.name === 'target' ? undefined : targetOfRow(batch, row, items.length, reader.labels)
      const weight = stream.segments === undefined ? weights?.values[row % items.length] : undefined
      return {
        stream: stream.name,
        tokens,
        ...(stream.segments === undefined ? { example: row % items.length } : {}),
        ...(target === undefined ? {} : { target }),
        ...(weight === undefined ? {} : { weight: weight as number }),
      }
    }),
  ).flat()
}

/** Label names by class id, from the additions of an objective to `config.json`. */
export function labelsIn(config: Readonly<Record<string, unknown>>): readonly string[] | undefined {
  const names = config['id2label']
  return isRecord(names) ? Object.keys(names).map((_, i) => String(names[i])) : undefined
}

/**
 * Reads a collated batch of any objective: which tokens train, are masked, special or padding, to which text of a packed row they
 * belong, and where a text was truncated. It knows the names of a batch, not the objective: `targets` with `weights` at the tokens, at
 * `positions` (masked tokens), or at `targetMapping`; `labels` of whole texts; `decoderInputIds`.
 * @param items the examples of the batch, in order
 */
export function readBatch(batch: Batch, items: readonly Encoded[], reader: BatchReader): InspectedBatch {
  const rows = rowsOf(batch, items, reader)
  const tokens = rows.flatMap((row) => row.tokens)
  const number = (is: (token: InspectedToken) => boolean): number => tokens.filter(is).length
  return {
    rows,
    counts: {
      examples: items.length,
      tokens: tokens.length,
      padding: number(({ role }) => role === 'padding'),
      trained: number(({ trained }) => trained > 0),
      masked: number(({ masked }) => masked !== undefined),
      truncated: items.filter(({ truncated }) => truncated).length,
    },
  }
}
