import type { Params } from '@attune/core'
import { describeModel } from '../files/model-folder.js'
import { type LastScores, saveModel } from '../files/save-model.js'
import { adapterFiles, requireSaveable } from '../files/saved-adapter.js'
import type { Plan } from '../plan/plan.js'
import type { Session } from '../setup/session.js'

/** Describes a run's training for its model card. */
function trainingOf({ training, optimizer, scheduler, seed }: Plan['config']): string {
  const { epochs, batchSize, learningRate } = training
  const optimizers = optimizer.map(({ plugin }) => plugin.name).join(', ')
  return `optimizer ${optimizers}, scheduler ${scheduler.plugin.name}, at most ${epochs} epochs of batches of ${batchSize}, learning rate ${learningRate}, seed ${seed}`
}

/** Weights to save: the trained ones, and the parameters of the base architecture. */
export interface SavedWeights {
  readonly trainable: Params
  readonly base: Params
}

/**
 * Saves the model of a session in the Hugging Face file layout, with an adapter that is not merged into its weights in the folder
 * `adapter`. Returns the folder.
 */
export async function saveRunModel(
  { plan, components, adapted }: Pick<Session, 'plan' | 'components' | 'adapted'>,
  folder: string,
  { trainable, base }: SavedWeights,
  scores: LastScores,
): Promise<string> {
  const beside =
    adapted.merge === undefined
      ? await adapterFiles(
          components.engine,
          requireSaveable(adapted, plan.config.adapter.plugin.name),
          trainable,
          plan.from?.path,
        )
      : undefined
  return saveModel(folder, components, base, {
    task: plan.config.objective.plugin.name,
    training: trainingOf(plan.config),
    scores,
    saveAs: plan.config.saveAs,
    // A fine-tuned model keeps the generation settings of its base model.
    generation: plan.from === undefined ? undefined : describeModel(plan.from.path).generation,
    adapter: beside,
  })
}
