/** Probabilities of the classes for one example, in a fixed order; the sum is 1. */
export type Probabilities = readonly number[]

/** Natural-log entropy, `−Σ p ln p`, with 0 ln 0 = 0. */
const entropyOf = (probabilities: Probabilities): number =>
  probabilities.reduce((sum, p) => (p > 0 ? sum - p * Math.log(p) : sum), 0)

/** Least confidence, `1 − max p`, in [0, 1 − 1/classes]. Source: Lewis and Gale, A Sequential Algorithm for Training Text Classifiers, 1994. */
export const leastConfidence = (probabilities: Probabilities): number => 1 - Math.max(...probabilities)

/**
 * Margin, `1 − (p₁ − p₂)` of the two most probable classes, in [0, 1]; higher is more uncertain, unlike modAL's `classifier_margin`, which
 * is p₁ − p₂. Source: Scheffer et al., Active Hidden Markov Models for Information Extraction, 2001.
 */
export function marginUncertainty(probabilities: Probabilities): number {
  const [first = 0, second = 0] = [...probabilities].sort((a, b) => b - a)
  return 1 - (first - second)
}

/** Entropy of the prediction, `−Σ p ln p`, in nats. Source: Settles, Active Learning Literature Survey, 2009, section 3.1. */
export const predictionEntropy = (probabilities: Probabilities): number => entropyOf(probabilities)

/**
 * Vote entropy of a committee: the entropy of the fractions of members that vote for each class, in nats.
 * Source: Dagan and Engelson, Committee-Based Sampling, 1995; Settles, 2009, section 3.2.
 * @param members probabilities of each member; a member votes for its most probable class
 */
export function voteEntropy(members: readonly Probabilities[]): number {
  const votes = new Map<number, number>()
  for (const member of members) {
    const vote = member.indexOf(Math.max(...member))
    votes.set(vote, (votes.get(vote) ?? 0) + 1)
  }
  return entropyOf([...votes.values()].map((count) => count / members.length))
}

/** Mean probabilities of a committee. */
export const consensus = (members: readonly Probabilities[]): Probabilities =>
  (members[0] ?? []).map((_, i) => members.reduce((sum, member) => sum + member[i]!, 0) / members.length)

/** Consensus entropy of a committee: the entropy of the mean of its probabilities, in nats. Ties are rarer than of {@link voteEntropy}. */
export const consensusEntropy = (members: readonly Probabilities[]): number => entropyOf(consensus(members))
