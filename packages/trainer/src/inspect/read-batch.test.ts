import { describe, expect, it } from '@jest/globals'
import type { Batch, Encoded, HostArray, Tokenizer } from '@attune/core'
import { classificationItems, nextTokens, padTo, textArrays } from '@attune/data'
import type { InspectedRow } from './inspected-batch.js'
import { readBatch } from './read-batch.js'

const WORDS = ['[PAD]', '[CLS]', '[SEP]', '[MASK]', 'a', 'b', 'c', 'd']

/** A tokenizer of letters that adds [CLS] and [SEP]. */
const tokenizer = {
  special: { pad: 0, begin: 1, end: 2, mask: 3 },
  encode: () => ({ ids: [1, 4, 2, 4, 2], typeIds: [], truncated: false, specialMask: [1, 0, 1, 0, 1] }),
  token: (id: number) => WORDS[id],
} as unknown as Tokenizer

const floats = (array: HostArray): HostArray => ({
  ...array,
  dtype: 'float32',
  values: Float32Array.from(array.values as Int32Array),
})
const item = (length: number, truncated = false): Encoded => ({ length, truncated })

/** A row in one line: `+` trained, `<>` special, `_` padding, `✂` truncated, `n:` segment, `/` label, `←` original. */
const line = ({ tokens }: InspectedRow): string =>
  tokens
    .map(({ text, role, trained, masked, label, segment, truncated }) => {
      if (role === 'padding') return '_'
      const own = `${trained > 0 ? '+' : ''}${role === 'special' ? `<${text}>` : text}`
      const marked = `${segment === undefined ? '' : `${segment}:`}${own}${masked === undefined ? '' : `←${masked}`}`
      const labelled = label === undefined ? marked : `${marked}/${label}`
      return truncated === undefined ? labelled : truncated === 'after' ? `${labelled}✂` : `✂${labelled}`
    })
    .join(' ')

describe('readBatch', () => {
  it('marks next-token targets at the tokens that they are, and padding', () => {
    const { collate } = nextTokens({ tokenizer, maximumLength: 6, padToMultipleOf: 1 })
    const items = [
      { ids: [4, 5, 6, 2], length: 4, truncated: false, trained: [0, 0, 1, 1] },
      { ids: [4, 5, 6, 7, 4], length: 5, truncated: true },
    ]
    const { rows, counts } = readBatch(collate(items), items, { tokenizer })
    expect(rows.map(line)).toEqual(['a b +c +<[SEP]> _', 'a +b +c +d +a✂'])
    expect(counts).toEqual({ examples: 2, tokens: 10, padding: 1, trained: 6, masked: 0, truncated: 1 })
  })

  it('marks the text of each token in packed rows, and the one that was truncated', () => {
    const { collate } = nextTokens({ tokenizer, maximumLength: 6, padToMultipleOf: 1, packTo: 6 })
    const items = [
      { ids: [4, 5, 6], length: 3, truncated: false },
      { ids: [7, 7], length: 2, truncated: true },
    ]
    const { rows } = readBatch(collate(items), items, { tokenizer, truncationSide: 'left' })
    expect(rows.map(line)).toEqual(['0:a 0:+b 0:+c ✂1:d 1:+d'])
    expect(rows[0]).not.toHaveProperty('example')
  })

  it('shows the original of masked tokens, replaced or kept', () => {
    const batch: Batch = {
      inputs: textArrays([[1, 3, 5, 7, 2]], 6, 0),
      positions: padTo([[1, 2, 3]], 4, 0),
      targets: padTo([[4, 5, 6]], 4, 0),
      weights: floats(padTo([[1, 1, 1]], 4, 0)),
    }
    const { rows, counts } = readBatch(batch, [item(5)], { tokenizer })
    expect(rows.map(line)).toEqual(['<[CLS]> +<[MASK]>←a +b←b +d←c <[SEP]> _'])
    expect(counts).toMatchObject({ masked: 3, trained: 3 })
  })

  it('shows labels of tokens by name', () => {
    const batch: Batch = {
      inputs: textArrays([[1, 4, 5, 2]], 4, 0),
      targets: padTo([[0, 1, 0, 0]], 4, 0),
      weights: floats(padTo([[0, 1, 1, 0]], 4, 0)),
    }
    const { rows } = readBatch(batch, [item(4)], { tokenizer, labels: ['O', 'B-X'] })
    expect(rows.map(line)).toEqual(['<[CLS]> +a/B-X +b/O <[SEP]>'])
  })

  it('shows the targets of an encoder–decoder as a row of its own, and which of both was truncated', () => {
    const batch: Batch = {
      inputs: {
        ...textArrays(
          [
            [4, 5, 2],
            [6, 2],
          ],
          3,
          0,
        ),
        decoderInputIds: padTo(
          [
            [1, 7],
            [1, 7],
          ],
          2,
          0,
        ),
        decoderAttentionMask: padTo(
          [
            [1, 1],
            [1, 1],
          ],
          2,
          0,
        ),
      },
      targets: padTo(
        [
          [7, 2],
          [7, 7],
        ],
        2,
        0,
      ),
      weights: floats(
        padTo(
          [
            [1, 1],
            [1, 1],
          ],
          2,
          0,
        ),
      ),
    }
    const { rows } = readBatch(batch, [item(3, true), item(2, true)], { tokenizer })
    expect(rows.map((row) => `${row.stream}: ${line(row)}`)).toEqual([
      'input: a b✂ <[SEP]>',
      'target: +d +<[SEP]>',
      'input: c <[SEP]> _',
      'target: +d +d✂',
    ])
  })

  it('marks permutation targets at their positions', () => {
    const mapping = [0, 0, 1, 1, 0, 0]
    const batch: Batch = {
      inputs: {
        ...textArrays([[4, 5, 6]], 3, 0),
        targetMapping: { shape: [1, 2, 3], dtype: 'float32', values: Float32Array.from(mapping) },
      },
      targets: padTo([[6, 4]], 2, 0),
      weights: floats(padTo([[1, 1]], 2, 0)),
    }
    expect(readBatch(batch, [item(3)], { tokenizer }).rows.map(line)).toEqual(['+a b +c'])
  })

  it.each([
    ['labels', 1, 'yes'],
    ['indicators', [1, 1], 'no, yes'],
    ['indicators', [0, 0], 'no label'],
    ['numbers', 2.5, '2.5'],
    ['vectors', [0.5, 2], '0.5 2'],
  ] as const)('shows the %s %j of a whole text, and its weight', (compares, target, expected) => {
    const { collate } = classificationItems<number | readonly number[]>({
      tokenizer,
      text: 'text',
      maximumLength: 4,
      compares,
    })
    const items = [{ ...item(1), ids: [4], typeIds: [0], label: target }]
    const weighted = { ...collate(items), exampleWeights: floats(padTo([[2]], 1, 0)) }
    const { rows } = readBatch(weighted, items, { tokenizer, labels: ['no', 'yes'] })
    expect(rows[0]).toMatchObject({ target: expected, weight: 2, example: 0 })
  })

  it('names the partner of each text of a pair', () => {
    const batch: Batch = { inputs: textArrays([[4], [5], [6], [7]], 1, 0) }
    const { rows } = readBatch(batch, [item(1), item(1)], { tokenizer })
    expect(rows.map(({ target, example }) => [target, example])).toEqual([
      ['pair of row 3', 0],
      ['pair of row 4', 1],
      ['pair of row 1', 0],
      ['pair of row 2', 1],
    ])
  })
})
