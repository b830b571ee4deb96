import type { Engine, Example, HostTree, Params, Tree } from '@attune/core'
import type { Tensor } from '@tensorflow/tfjs-core'
import {
  type LanguageModel,
  type WindowMethod,
  type WindowOptions,
  causalWindows,
  maskedWindows,
  targetWindows,
} from './score-windows.js'

/** Log-likelihood of a text by a language model. */
export interface TextScore {
  /** Sum of the log-probabilities of the tokens, in nats. */
  readonly logLikelihood: number
  readonly tokens: readonly { readonly token: string; readonly logProbability: number }[]
  /** Number of UTF-8 bytes of the scored text. */
  readonly bytes: number
  /** True if the source or the target of an encoder–decoder was truncated. Longer texts of other models are scored in windows. */
  readonly truncated: boolean
}

/** Options of {@link textScorer}. */
export interface TextScorerOptions extends Partial<WindowOptions> {
  /** Field of an example that holds the text, or the source text of an encoder–decoder. Default: `text`. */
  readonly text?: string
  /** Field that holds the target text. Default: `target`. */
  readonly target?: string
  /**
   * Number of tokens by which the windows of a long text advance. With less, each token has more context, and there are more forward passes.
   * Default: half of the maximum length.
   */
  readonly stride?: number | undefined
  /** Number of windows in a forward pass. Default: 16. */
  readonly batchSize?: number
}

/** Scores examples by a compiled forward pass. */
export interface TextScorer {
  /**
   * Scores of the examples, in their order.
   * @throws AttuneError `MISSING_FIELD`
   */
  score(examples: readonly Example[]): Promise<readonly TextScore[]>
  dispose(): void
}

/** Log-likelihood, perplexity and bits per byte of several texts. */
export interface CorpusScore {
  readonly logLikelihood: number
  /** Number of scored tokens and of their bytes. */
  readonly tokens: number
  readonly bytes: number
  /** `exp(−logLikelihood / tokens)`: texts count by their number of tokens. Absent without tokens. */
  readonly perplexity?: number
  /** `−log₂(likelihood) / bytes`, which does not depend on the tokenizer. Absent without bytes. */
  readonly bitsPerByte?: number
}

/**
 * Sums log-likelihoods over texts.
 * @param before score of earlier texts, which is added; texts that are scored in parts need not be kept. Default: none
 */
export function corpusScore(
  scores: readonly TextScore[],
  before: Pick<CorpusScore, 'logLikelihood' | 'tokens' | 'bytes'> = { logLikelihood: 0, tokens: 0, bytes: 0 },
): CorpusScore {
  const sum = (of: (score: TextScore) => number, from: number): number =>
    scores.reduce((total, score) => total + of(score), from)
  const [logLikelihood, tokens, bytes] = [
    sum((score) => score.logLikelihood, before.logLikelihood),
    sum((score) => score.tokens.length, before.tokens),
    sum((score) => score.bytes, before.bytes),
  ]
  return {
    logLikelihood,
    tokens,
    bytes,
    ...(tokens > 0 ? { perplexity: Math.exp(-logLikelihood / tokens) } : {}),
    ...(bytes > 0 ? { bitsPerByte: -logLikelihood / Math.LN2 / bytes } : {}),
  }
}

const METHODS = {
  'causal-language-modeling': causalWindows,
  'sequence-to-sequence': targetWindows,
  'masked-language-modeling': maskedWindows,
}

/** An objective whose models {@link textScorer} scores texts with. */
export type ScoredTask = keyof typeof METHODS

function scorerOf<X>(
  engine: Engine,
  { params, tokenizer }: LanguageModel,
  { windowsOf, collate, losses }: WindowMethod<X>,
  batchSize: number,
): TextScorer {
  const program = engine.compile((all: Params, given: Readonly<Record<string, Tree>>): Tensor => losses(all, given), {
    constant: [0],
  })
  /** Losses of each row of a batch. */
  async function rowsOf(items: readonly X[]): Promise<readonly (readonly number[])[]> {
    const given = engine.put(collate(items) as Readonly<Record<string, HostTree>>) as Readonly<Record<string, Tree>>
    const found = program(params, given)
    const { values, shape } = await engine.read(found)
    engine.release({ found, given })
    const width = shape[1]!
    return items.map((_, row) => Array.from(values.subarray(row * width, (row + 1) * width), Number))
  }
  return {
    async score(examples) {
      const read = examples.map(windowsOf)
      const items = read.flatMap(({ windows }) => windows.map(({ item }) => item))
      const rows: (readonly number[])[] = []
      for (let at = 0; at < items.length; at += batchSize) rows.push(...(await rowsOf(items.slice(at, at + batchSize))))
      let next = 0
      return read.map(({ windows, text, truncated }) => {
        const tokens = windows.flatMap(({ scored }) => {
          const row = rows[next++]!
          return scored.map(({ at, token }) => ({ token: tokenizer.token(token) ?? '', logProbability: -row[at]! }))
        })
        const logLikelihood = tokens.reduce((sum, { logProbability }) => sum + logProbability, 0)
        return { logLikelihood, tokens, bytes: new TextEncoder().encode(text).length, truncated }
      })
    },
    dispose: () => program.dispose(),
  }
}

/**
 * Log-likelihoods of texts, and of each of their tokens:
 *
 * - causal language model: `Σ ln p(token | the tokens before it)`. The first token has no context and no score, unless the tokenizer puts
 *   a begin token before it.
 * - encoder–decoder: the log-likelihood of the target, including its end token, given the source
 * - masked language model: the pseudo-log-likelihood. Each token is masked in turn and predicted from all others: a text of n tokens takes
 *   n forward passes.
 *
 * A text longer than the model's maximum length is scored in overlapping windows: each token once, with at least
 * `maximumLength − stride` tokens of context.
 *
 * When to use it: to rank texts by how acceptable a model finds them, or to compare models by perplexity. Models with different
 * tokenizers are compared by bits per byte.
 * @throws AttuneError `NO_MASK_TOKEN`; `BAD_ARGUMENT` for a stride outside the windows
 *
 * Source: Salazar et al., Masked Language Model Scoring, 2020, section 2; Perplexity of fixed-length models, in the documentation of
 * transformers.
 *
 * @example
 * ```ts
 * import { key } from '@attune/core'
 * import { tfjsCpu } from '@attune/engine-tfjs-cpu'
 * import { gpt2 } from '@attune/model-gpt2'
 * import { causalLanguageModeling } from '@attune/objective-causal-language-modeling'
 * import { tinyTokenizer } from '@attune/testkit/tiny'
 * import { corpusScore, textScorer } from '@attune/trainer'
 * const [engine, tokenizer] = [tfjsCpu(), tinyTokenizer()]
 * const model = gpt2({ vocabSize: tokenizer.vocabularySize, nEmbd: 16, nLayer: 1, nHead: 2, nPositions: 32 })
 * await engine.start()
 * const objective = causalLanguageModeling({}, { model, tokenizer, losses: [] })
 * const params = engine.compile(() => ({ ...model.init(key(1)), ...objective.init(key(2)) }))()
 * const scorer = textScorer(engine, { model, params, tokenizer, objective, task: 'causal-language-modeling' })
 * console.log(corpusScore(await scorer.score([{ text: 'a cat' }, { text: 'a dog' }])).tokens) // 12
 * scorer.dispose()
 * ```
 */
export function textScorer(
  engine: Engine,
  language: LanguageModel & { readonly task: ScoredTask },
  { text = 'text', target = 'target', stride, batchSize = 16 }: TextScorerOptions = {},
): TextScorer {
  const method = METHODS[language.task](language, { text, target, stride }) as WindowMethod<unknown>
  return scorerOf(engine, language, method, batchSize)
}
