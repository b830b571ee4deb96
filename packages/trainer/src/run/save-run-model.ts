import type { Params } from '@attune/core'
import { describeModel } from '../files/model-folder.js'
import { type LastScores, saveModel } from '../files/save-model.js'
import type { Plan } from '../plan/plan.js'
import type { Session } from '../setup/session.js'

/** Describes a run's training for its model card. */
function trainingOf({ training, optimizer, scheduler, seed }: Plan['config']): string {
  const { epochs, batchSize, learningRate } = training
  const optimizers = optimizer.map(({ plugin }) => plugin.name).join(', ')
  return `optimizer ${optimizers}, scheduler ${scheduler.plugin.name}, at most ${epochs} epochs of batches of ${batchSize}, learning rate ${learningRate}, seed ${seed}`
}

/** Saves the model of a session in the Hugging Face file layout. Returns the folder. */
export const saveRunModel = (
  { plan, components }: Pick<Session, 'plan' | 'components'>,
  folder: string,
  params: Params,
  scores: LastScores,
): Promise<string> =>
  saveModel(folder, components, params, {
    task: plan.config.objective.plugin.name,
    training: trainingOf(plan.config),
    scores,
    saveAs: plan.config.saveAs,
    // A fine-tuned model keeps the generation settings of its base model.
    generation: plan.from === undefined ? undefined : describeModel(plan.from.path).generation,
  })
