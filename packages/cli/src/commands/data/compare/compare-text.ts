import { formatCount, formatNumber, printable, table } from '@attune/terminal'
import type { Comparison, FeatureShift } from './compare-domains.js'

const BAR = 12

/** A bar of a value in [0, `maximum`]. */
const bar = (value: number, maximum: number): string => {
  const filled = Math.round(BAR * Math.min(1, Math.max(0, value / maximum)))
  return '█'.repeat(filled) + '·'.repeat(BAR - filled)
}

const percent = (fraction: number): string => `${(100 * fraction).toFixed(1)} %`

const featureRow = ({ features, distance, error, mmdSquared, pValue }: FeatureShift): string[] => [
  printable(features),
  distance.toFixed(2),
  bar(distance, 2),
  percent(error),
  formatNumber(mmdSquared),
  pValue.toFixed(3),
]

/** A comparison as tables with bars. */
export function comparisonText(found: Comparison, source: string, target: string): string {
  const { compared, rows, vocabulary, withinSource, features } = found
  const compare = (name: string, of: 'jaccard' | 'jensenShannon' | 'unseen'): string[] => [
    name,
    vocabulary[of].toFixed(3),
    bar(vocabulary[of], 1),
    withinSource[of].toFixed(3),
    bar(withinSource[of], 1),
  ]
  const tokens = features.flatMap(({ features: model, tokens: of }) =>
    of === undefined
      ? []
      : [
          [printable(model), 'words with an unknown token', percent(of.source.unknown), percent(of.target.unknown)],
          [printable(model), 'words of several tokens', percent(of.source.split), percent(of.target.split)],
        ],
  )
  return [
    `${formatCount(compared)} texts of each: ${source} (source, ${formatCount(rows.source)} texts) and ${target} (target, ${formatCount(rows.target)} texts)`,
    '',
    ...table(
      ['vocabulary', 'to target', '', 'within source', ''],
      [
        compare('Jaccard index of the frequent words', 'jaccard'),
        compare('Jensen–Shannon divergence (bits)', 'jensenShannon'),
        compare('words not in the source', 'unseen'),
      ],
    ),
    '',
    ...table(['features', 'A-distance', '0 to 2', 'error', 'MMD²', 'p-value'], features.map(featureRow)),
    ...(tokens.length === 0 ? [] : ['', ...table(['tokenizer', '', 'source', 'target'], tokens)]),
  ].join('\n')
}
