import { styleText } from 'node:util'
import { formatCount, printable, table } from '@attune/terminal'
import type { InspectedBatch, InspectedCounts, InspectedRow, InspectedToken } from '@attune/trainer/node'

/** Styles of tokens. */
export type Mark = 'trained' | 'masked' | 'special' | 'label' | 'plain'

/** Marks a text by colour or by signs. */
export type Marker = (mark: Mark, text: string) => string

const COLOURS = { trained: 'green', masked: 'magenta', special: 'cyan', label: 'yellow' } as const
const SIGNS = {
  trained: ['+', ''],
  masked: ['[', ']'],
  special: ['<', '>'],
  label: ['/', ''],
  plain: ['', ''],
} as const

/** Marks by colour. */
export const colours: Marker = (mark, text) =>
  mark === 'plain' ? text : styleText(COLOURS[mark], mark === 'label' ? `/${text}` : text, { validateStream: false })

/** Marks by signs, for output without colour. */
export const signs: Marker = (mark, text) => `${SIGNS[mark][0]}${text}${SIGNS[mark][1]}`

/** The mark of a token. */
export const markOf = ({ role, trained, masked, label }: InspectedToken): Mark => {
  if (masked !== undefined) return 'masked'
  if (trained > 0 && label === undefined) return 'trained'
  return role === 'special' ? 'special' : 'plain'
}

/** The text of a token, on one line. */
export const spelled = ({ text, masked }: InspectedToken): string =>
  printable(masked === undefined ? text : `${text}←${masked}`).replaceAll('\n', '⏎')

const tokenText = (token: InspectedToken, marker: Marker): string => {
  const marked = marker(markOf(token), spelled(token))
  const labelled = token.label === undefined ? marked : `${marked}${marker('label', printable(token.label))}`
  return token.truncated === undefined ? labelled : token.truncated === 'after' ? `${labelled} ✂` : `✂ ${labelled}`
}

/** The tokens of a row; padding is counted, and each packed text is preceded by its number. */
function rowText({ tokens }: InspectedRow, marker: Marker): string {
  const shown: string[] = []
  let [segment, padding] = [undefined as number | undefined, 0]
  for (const token of tokens) {
    if (token.role === 'padding') padding++
    else {
      if (token.segment !== segment) shown.push(`¦${token.segment}¦`)
      segment = token.segment
      shown.push(tokenText(token, marker))
    }
  }
  return [...shown, ...(padding > 0 ? [`·×${padding}`] : [])].join(' ')
}

/** The heading of a row: its number, stream, target and weight. */
export function headingOf({ stream, target, weight }: InspectedRow, number: number): string {
  const facts = [
    ...(stream === 'target' ? ['target'] : []),
    ...(target === undefined ? [] : [`→ ${printable(target)}`]),
    ...(weight === undefined ? [] : [`weight ${Number(weight.toPrecision(3))}`]),
  ]
  return [`row ${number}`, ...facts].join('  ')
}

const percent = (part: number, whole: number): string =>
  `${formatCount(part)} (${((100 * part) / Math.max(1, whole)).toFixed(1)} %)`

/** Counts as rows of a table: name and value. */
export const countRows = ({ examples, tokens, padding, trained, masked, truncated }: InspectedCounts): string[][] => [
  ['examples', formatCount(examples)],
  ['positions', formatCount(tokens)],
  ['trained', trained === 0 ? '0: the target belongs to the whole text' : percent(trained, tokens)],
  ...(masked > 0 ? [['masked', percent(masked, tokens)]] : []),
  ['padding', percent(padding, tokens)],
  ['truncated examples', percent(truncated, examples)],
]

/** Numbers rows of a batch by the text or packed row that they are of: an encoder–decoder has two for each. */
export const numbered = ({ rows }: InspectedBatch): readonly (readonly [number, InspectedRow])[] => {
  let number = 0
  return rows.map((row) => [row.stream === 'target' ? number : ++number, row])
}

/** The legend of marks. */
const legend = (marker: Marker): string =>
  [
    marker('trained', 'trained'),
    marker('masked', 'shown←masked'),
    marker('special', 'special'),
    `word${marker('label', 'label')}`,
    '·×n padding',
    '¦n¦ packed text n',
    '✂ truncated here',
  ].join('   ')

/**
 * Batches as text.
 * @param rows maximum number of rows of each batch; an encoder–decoder has two lines for each
 */
export function inspectedText(batches: readonly InspectedBatch[], all: InspectedCounts, rows: number, marker: Marker) {
  const lines = batches.flatMap((batch, i) => {
    const shown = numbered(batch).filter(([number]) => number <= rows)
    return [
      `batch ${i + 1}: ${batch.counts.examples} examples, ${batch.counts.tokens} positions`,
      ...shown.flatMap(([number, row]) => [headingOf(row, number), `  ${rowText(row, marker)}`]),
      '',
    ]
  })
  return [legend(marker), '', ...lines, ...table(['', ''], countRows(all)).slice(1)].join('\n')
}
