/** A predicted label with its probability. */
export interface PseudoLabel {
  readonly label: string
  readonly probability: number
}

/**
 * Chooses the predictions that train as labels: those with a probability of at least `threshold`.
 *
 * Class-balanced, that sets only how many are chosen: their fraction p of all predictions. Of the predictions of each label, the most
 * probable fraction p is chosen, so that a label that the model is confident of does not displace the others.
 * Source: Zou et al., Domain Adaptation for Semantic Segmentation via Class-Balanced Self-Training, 2018, section 4.2.
 * @param predictions in the order of the rows; undefined for a row without one
 * @returns for each row true if its prediction trains
 */
export function chooseConfident(
  predictions: readonly (PseudoLabel | undefined)[],
  threshold: number,
  isBalanced: boolean,
): readonly boolean[] {
  const confident = predictions.map((each) => each !== undefined && each.probability >= threshold)
  if (!isBalanced) return confident
  const known = predictions.filter((each) => each !== undefined)
  const fraction = confident.filter(Boolean).length / Math.max(1, known.length)
  const chosen = predictions.map(() => false)
  for (const label of new Set(known.map((each) => each.label))) {
    const rows = [...predictions.keys()].filter((row) => predictions[row]?.label === label)
    rows.sort((a, b) => predictions[b]!.probability - predictions[a]!.probability)
    for (const row of rows.slice(0, Math.round(fraction * rows.length))) chosen[row] = true
  }
  return chosen
}
