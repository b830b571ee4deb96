import { type Example, definePlugin, kind } from '@attune/core'
import { z } from 'zod'

/** A generated completion to be rewarded. */
export interface RewardedCompletion {
  /** The prompt as the model read it; messages are rendered with the chat template. */
  readonly prompt: string
  readonly completion: string
  /** The row of the prompt, with all its fields: a reference answer, for example. */
  readonly example: Example
}

/** A reward function: a larger number is a better completion. */
export interface Reward {
  reward(row: RewardedCompletion): number | Promise<number>
}

const rewardOptions = z.strictObject({
  weight: z.number().default(1).describe('Weight of this reward in the sum of all rewards'),
})

/** Reward functions of objectives that learn from generated completions; several are added with their weights. */
export const REWARD = kind<Reward>('reward', 'many', { options: rewardOptions })

/**
 * Creates a reward plugin from a function. Pass it to an objective in code, or make it the default export of a module and name its path in
 * the configuration.
 *
 * @example
 * ```ts
 * import { rewardFunction } from '@attune/text'
 * const brackets = rewardFunction('brackets', ({ completion }) => Number(completion.startsWith('[')))
 * console.log(brackets().reward({ prompt: 'List: ', completion: '[1]', example: {} })) // 1
 * ```
 */
export const rewardFunction = (name: string, reward: Reward['reward']) =>
  definePlugin({
    kind: REWARD,
    name,
    summary: `The reward function ${name}`,
    options: z.strictObject({}),
    create: (): Reward => ({ reward }),
  })
