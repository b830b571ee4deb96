import type { Example } from '@attune/core'
import { batch } from '@attune/data'
import { formatNumber, printable, shorten, table } from '@attune/terminal'
import { type CorpusScore, type ScoredTask, corpusScore } from '@attune/trainer'
import { type OpenTextScorer, openTextScorer } from '@attune/trainer/node'
import { Command } from 'commander'
import { folderOf } from '../hub-models.js'
import { liveText } from '../live-text.js'
import { integerFrom } from '../number-flags.js'
import { searchPathsFrom } from '../search-paths.js'
import { showWarnings } from '../show-warnings.js'
import { textRows } from '../text-rows.js'

interface ScoreFlags {
  readonly field: string
  readonly target: string
  readonly stride?: number
  readonly adapter?: string
  readonly json?: boolean
}

/** A text with its score, without the scores of its tokens. */
interface ScoredText extends CorpusScore {
  readonly text: string
  readonly truncated: boolean
}

/** Texts that are scored together, and rows of the table. */
const [GROUP, SHOWN] = [64, 20]

const MEASURES: Readonly<Record<ScoredTask, string>> = {
  'causal-language-modeling': 'log-likelihood',
  'sequence-to-sequence': 'log-likelihood of the targets',
  'masked-language-modeling': 'pseudo-log-likelihood',
}

const cell = (value: number | undefined): string => (value === undefined ? '' : formatNumber(value))

const cells = ({ logLikelihood, tokens, perplexity, bitsPerByte }: CorpusScore): string[] => [
  cell(logLikelihood),
  String(tokens),
  cell(perplexity),
  cell(bitsPerByte),
]

/** Scores of a corpus, and the first texts of it. */
export interface ScoredCorpus {
  readonly corpus: CorpusScore
  /** Number of texts, and of those that were truncated. */
  readonly count: number
  readonly truncated: number
  readonly first: readonly ScoredText[]
}

/** Scores of texts as a table: the corpus, then the first texts. */
export function scoreText({ corpus, count, truncated, first }: ScoredCorpus, task: ScoredTask): string {
  const shown = first.map((each) => [shorten(printable(each.text), 40), ...cells(each)])
  return [
    `${MEASURES[task]} of ${count} texts${truncated > 0 ? `, ${truncated} of them truncated` : ''}`,
    '',
    ...table(['text', 'nats', 'tokens', 'perplexity', 'bits per byte'], [['all', ...cells(corpus)], ...shown]),
    ...(count > first.length ? [`… and ${count - first.length} more: --json prints all`] : []),
  ].join('\n')
}

/** Scores all rows; calls `each` with the texts of a group once they are scored. Keeps the sums and the first texts only. */
export async function scoreAll(
  scorer: Pick<OpenTextScorer, 'score'>,
  rows: AsyncIterable<Example>,
  field: string,
  each: (texts: readonly ScoredText[], count: number) => void,
): Promise<ScoredCorpus> {
  let found: ScoredCorpus = { corpus: corpusScore([]), count: 0, truncated: 0, first: [] }
  for await (const group of batch(rows, GROUP)) {
    const scores = await scorer.score(group)
    const texts = scores.map((score, i) => ({ text: group[i]![field] as string, ...corpusScore([score]), truncated: score.truncated })) // prettier-ignore
    found = {
      corpus: corpusScore(scores, found.corpus),
      count: found.count + texts.length,
      truncated: found.truncated + texts.filter(({ truncated }) => truncated).length,
      first: [...found.first, ...texts].slice(0, SHOWN),
    }
    each(texts, found.count)
  }
  return found
}

async function score(model: string, file: string, { json, adapter, ...flags }: ScoreFlags): Promise<void> {
  const options = {
    text: flags.field,
    target: flags.target,
    stride: flags.stride,
    adapter: adapter === undefined ? undefined : await folderOf(adapter),
  }
  const scorer = await openTextScorer(await folderOf(model), searchPathsFrom(), options)
  showWarnings(scorer.warnings)
  try {
    const { task } = scorer
    const field = task === 'sequence-to-sequence' ? flags.target : flags.field
    const rows = textRows(file, [flags.field, ...(task === 'sequence-to-sequence' ? [flags.target] : [])])
    const print = (values: readonly object[]): void => {
      process.stdout.write(values.map((value) => `${JSON.stringify(value)}\n`).join(''))
    }
    const live = liveText(process.stderr)
    const found = await scoreAll(scorer, rows, field, (texts, count) => {
      if (json === true) print(texts)
      live.draw([`${count} texts scored`])
    })
    live.clear()
    if (json === true) print([{ texts: found.count, ...found.corpus }])
    else process.stdout.write(`${scoreText(found, task)}\n`)
  } finally {
    await scorer.close()
  }
}

/** `attune score` */
export const scoreCommand = (): Command =>
  new Command('score')
    .summary('log-likelihood and perplexity of texts')
    .description(
      'Scores texts with a language model, a run or a model of the Hub: the log-likelihood by a causal model, that of targets given their sources by an encoder–decoder, or the pseudo-log-likelihood by a masked model. Perplexity is the exponential of the mean negative log-likelihood per token; that of all texts counts each by its number of tokens. Long texts are scored in overlapping windows.',
    )
    .argument('<model>', 'folder of a run or a model, or a model of the Hub')
    .argument('<file>', 'file of texts: .jsonl, .csv or .tsv, optionally gzipped, or plain text, one per line')
    .option('--field <name>', 'field of the text, or of the source of an encoder–decoder', 'text')
    .option('--target <name>', 'field of the target of an encoder–decoder', 'target')
    .option(
      '--stride <tokens>',
      'tokens by which the windows of a long text advance; default: half of the maximum length',
      integerFrom(1),
    )
    .option('--adapter <folder>', 'saved adapter to apply: folder of a run, or in the layout of PEFT')
    .option('--json', 'print JSON lines: one for each text, then the scores of all')
    .addHelpText(
      'after',
      `
Examples:
  npx attune score runs/writer held-out.jsonl
  npx attune score openai-community/gpt2 articles.txt --stride 512 --json > scores.jsonl
  npx attune score google-bert/bert-base-uncased sentences.csv --field sentence`,
    )
    .action(score)
