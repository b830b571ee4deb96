import type { Example } from '@attune/core'
import { type LogisticRegression, classProbabilities } from './logistic-regression.js'
import { type Selection, mostConfident, selected } from './select-members.js'

/** Probabilities of the classes by one member, in the order of the class ids. */
export type MemberProbabilities = readonly number[]

/** A rule that combines the members' probabilities of one example into those of the ensemble. */
export type Combination =
  | { readonly method: 'average' | 'vote'; readonly weights: readonly number[] }
  | { readonly method: 'stack'; readonly regression: LogisticRegression }
  | { readonly method: 'confident' }
  | ({ readonly method: 'select' } & Selection)

/** Weighted mean of the probabilities (soft voting), as scikit-learn's `VotingClassifier(voting='soft', weights=…)`. */
export function averaged(members: readonly MemberProbabilities[], weights: readonly number[]): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  return members[0]!.map((_, i) => members.reduce((sum, member, m) => sum + weights[m]! * member[i]!, 0) / total)
}

/**
 * Weighted fraction of the votes for each class (hard voting), as scikit-learn's `VotingClassifier(voting='hard', weights=…)`. A member
 * votes for its most probable class; of equal fractions the lowest class id wins.
 */
export function votes(members: readonly MemberProbabilities[], weights: readonly number[]): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const counts = members[0]!.map(() => 0)
  for (const [m, member] of members.entries()) counts[member.indexOf(Math.max(...member))]! += weights[m]! / total
  return counts
}

/**
 * Features of stacking: the probabilities of all members, one after the other. Of two classes only the second, whose probability
 * determines the first, as in scikit-learn's `StackingClassifier`.
 */
export const stackingFeatures = (members: readonly MemberProbabilities[]): number[] =>
  members.flatMap((member) => (member.length === 2 ? [member[1]!] : [...member]))

/** Combines the members' probabilities of one example. */
export function combined(
  members: readonly MemberProbabilities[],
  combination: Combination,
  example: Example = {},
): number[] {
  if (combination.method === 'stack') return classProbabilities(combination.regression, stackingFeatures(members))
  if (combination.method === 'confident') return mostConfident(members)
  if (combination.method === 'select') return selected(members, combination, example)
  return (combination.method === 'average' ? averaged : votes)(members, combination.weights)
}
