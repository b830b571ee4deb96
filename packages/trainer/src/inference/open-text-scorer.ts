import { AttuneError, type Model } from '@attune/core'
import type { SearchPaths } from '@attune/resolve'
import { type ObjectiveChoice, loadPretrained } from './load-pretrained.js'
import { type ScoredTask, type TextScorer, type TextScorerOptions, textScorer } from './score-texts.js'

/** A text scorer with the model that it opened. */
export interface OpenTextScorer extends Pick<TextScorer, 'score'> {
  readonly task: ScoredTask
  /** Warnings from loading the model. */
  readonly warnings: readonly string[]
  close(): Promise<void>
}

const TASKS: readonly ScoredTask[] = ['sequence-to-sequence', 'causal-language-modeling', 'masked-language-modeling']

/**
 * The objective whose head `config.json` names in `architectures`, with its fields. A GGUF file has no architectures: its first head counts.
 * @throws AttuneError `NO_SUCH_HEAD` for a model that is not a language model
 */
function scoredObjective(
  { heads }: Model,
  config: Readonly<Record<string, unknown>>,
  { text = 'text', target = 'target' }: TextScorerOptions,
): ObjectiveChoice {
  const architecture = [config['architectures']].flat()[0] as string | undefined
  const use = TASKS.find((task) => heads[task] && [undefined, heads[task].architecture].includes(architecture))
  if (use !== undefined) return use === 'sequence-to-sequence' ? { use, text, target } : { use, text }
  throw new AttuneError(
    'NO_SUCH_HEAD',
    `expected a language model in architectures of config.json, got ${JSON.stringify(architecture) ?? 'none'}`,
    'Use a causal or masked language model, or an encoder–decoder. A classifier is scored by `npx attune evaluate`.',
  )
}

/**
 * Opens a language model to score texts with, on the best available engine: see {@link textScorer}. The model is a run, or a folder in
 * the Hugging Face file layout.
 * @param options `adapter`: folder of a saved adapter to apply
 * @throws AttuneError `NO_SUCH_HEAD`, `NO_MASK_TOKEN`, `BAD_ARGUMENT`, and the errors of {@link loadPretrained}
 */
export async function openTextScorer(
  directory: string,
  searchPaths: SearchPaths,
  { adapter, ...options }: TextScorerOptions & { readonly adapter?: string | undefined } = {},
): Promise<OpenTextScorer> {
  const loaded = await loadPretrained(
    directory,
    (model, config) => scoredObjective(model, config, options),
    searchPaths,
    { adapter },
  )
  try {
    const task = loaded.task as ScoredTask
    const scorer = textScorer(loaded.engine, { ...loaded, task }, options)
    const close = async (): Promise<void> => {
      scorer.dispose()
      await loaded.close()
    }
    return { score: (examples) => scorer.score(examples), task, warnings: loaded.warnings, close }
  } catch (error) {
    await loaded.close()
    throw error
  }
}
