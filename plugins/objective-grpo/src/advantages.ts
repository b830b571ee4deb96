import { AttuneError, excerpt } from '@attune/core'
import type { Reward, RewardedCompletion } from '@attune/text'

/** A reward function with its weight in the sum. */
export interface WeightedReward {
  readonly name: string
  readonly weight: number
  readonly reward: Reward['reward']
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

/** Standard deviation of a sample, with the divisor n − 1; 0 for one value. */
function deviation(values: readonly number[]): number {
  const center = mean(values)
  const squares = values.reduce((sum, value) => sum + (value - center) ** 2, 0)
  return Math.sqrt(squares / Math.max(1, values.length - 1))
}

/**
 * Advantages of completions: rewards relative to the mean of their group.
 *
 *     A_i = (r_i − mean of the group) / (standard deviation + 1e-4)
 *
 * @param rewards of all completions, group after group
 * @param scale the standard deviation that divides: of the group (GRPO), of all rewards, or none (Dr. GRPO)
 */
export function advantagesOf(
  rewards: readonly number[],
  groupSize: number,
  scale: 'group' | 'batch' | 'none',
): readonly number[] {
  const ofAll = deviation(rewards)
  return rewards.map((reward, i) => {
    const start = i - (i % groupSize)
    const group = rewards.slice(start, start + groupSize)
    const centered = reward - mean(group)
    if (scale === 'none') return centered
    return centered / ((scale === 'batch' ? ofAll : deviation(group)) + 1e-4)
  })
}

/**
 * Rewards of completions by reward function, and their weighted sums.
 * @throws AttuneError `BAD_REWARD` for a value that is not a finite number
 */
export async function rewardAll(rewards: readonly WeightedReward[], rows: readonly RewardedCompletion[]) {
  const sums = rows.map(() => 0)
  const means: Record<string, number> = {}
  for (const { name, weight, reward } of rewards) {
    const values = await Promise.all(rows.map((row) => reward(row)))
    const bad = values.findIndex((value) => !Number.isFinite(value))
    if (bad !== -1)
      throw new AttuneError(
        'BAD_REWARD',
        `reward ${name}: expected a finite number, got ${String(values[bad])} for the completion ${excerpt(rows[bad]!.completion, 120)}`,
        'Return a finite number for every completion, also for an empty one.',
      )
    means[name] = mean(values)
    for (const [i, value] of values.entries()) sums[i]! += weight * value
  }
  return { sums, means }
}
