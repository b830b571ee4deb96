import { join } from 'node:path'
import type { Params, Score } from '@attune/core'
import { type FolderContent, writeFolderAtomically } from '@attune/files'
import type { Parts } from '../setup/compose.js'
import { GENERATION, describeModel } from './model-folder.js'
import { json, modelFiles } from './model-files.js'
import type { Plan } from '../plan/plan.js'

/** The last scores of the validation split, for the card. */
export type LastScores = Readonly<Record<string, Score>> | undefined

/** A model card: what the model is, how it was made, and how well it did, with the metadata that the Hub reads. */
function card({ config }: Plan, { model, objective }: Pick<Parts, 'model' | 'objective'>, scores: LastScores): string {
  const { epochs, batchSize, learningRate } = config.training
  const rows = Object.entries(scores ?? {}).map(([name, { value }]) => `| ${name} | ${value.toFixed(4)} |`)
  const labels = Object.values((objective.config['id2label'] ?? {}) as Record<string, string>)
  return [
    '---',
    'library_name: transformers',
    'tags: [attune]',
    '---',
    '',
    `# ${String(model.config['model_type'])}, ${config.objective.plugin.name}`,
    '',
    `Trained with Attune: optimizer ${config.optimizer.map(({ plugin }) => plugin.name).join(', ')}, scheduler ${config.scheduler.plugin.name}, at most ${epochs} epochs of batches of ${batchSize}, learning rate ${learningRate}, seed ${config.seed}.`,
    ...(labels.length > 0 ? ['', `Labels: ${labels.join(', ')}.`] : []),
    ...(rows.length > 0 ? ['', '| validation | |', '|---|---|', ...rows] : []),
    '',
  ].join('\n')
}

/**
 * Writes the model in the layout of the Hugging Face library. Returns the folder.
 * @param maximumBytes of a file of weights, beyond which there are several
 */
export async function saveModel(
  plan: Plan,
  parts: Pick<Parts, 'engine' | 'model' | 'objective' | 'tokenizer'>,
  params: Params,
  scores: LastScores,
  maximumBytes?: number,
): Promise<string> {
  const folder = join(plan.directory as string, 'model')
  // A model that begins with another ends texts, and draws, as that does.
  const generation = plan.from === undefined ? undefined : describeModel(plan.from.path).generation
  const files: FolderContent = {
    ...(await modelFiles(parts, params, plan.config.saveAs, maximumBytes)),
    ...(generation === undefined ? {} : { [GENERATION]: json(generation) }),
    'README.md': card(plan, parts, scores),
  }
  await writeFolderAtomically(folder, files)
  return folder
}
