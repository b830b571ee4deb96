import { type History, type Validation, lossError, mean, recentLoss, startingLoss } from './history.js'

/** A problem that a diagnosis found: what is seen, with the numbers, and what to do. */
export interface Finding {
  readonly problem:
    | 'divergence'
    | 'gradient-spike'
    | 'vanishing-gradient'
    | 'overfitting'
    | 'plateau'
    | 'class-collapse'
    | 'underfitting'
    | 'still-improving'
  readonly seen: string
  readonly remedy: string
}

/** Limits of a diagnosis; they are options of the plugin. */
export interface Limits {
  readonly window: number
  readonly patience: number
  readonly tolerance: number
  readonly spike: number
  readonly baseline?: number | undefined
}

/** A number in a message. */
export const short = (value: number): string => String(Number(value.toPrecision(3)))

/** Fraction of the baseline by which a training loss that has learned something is lower. */
const LEARNED = 0.1
/** Standard errors beyond which a difference of mean losses is not noise of the batches. */
const ERRORS = 3
/** Gradient norm below which training stands still. */
const VANISHED = 1e-7

/** Loss of a model that has not learned from the data. */
export const baselineOf = (history: History, { baseline }: Limits): number => baseline ?? startingLoss(history)

/** Half of what was gained is lost, or the loss is higher than at the start. */
function divergence(history: History, limits: Limits): Finding | undefined {
  const [baseline, now, { loss: best, step }] = [baselineOf(history, limits), recentLoss(history), history.best]
  const gained = baseline - best
  const isNoise = now - best < ERRORS * lossError(history)
  const lost = gained > LEARNED * baseline && now - best > 0.5 * gained && !isNoise
  if (history.recent.length < limits.window || (now <= 1.2 * Math.max(baseline, startingLoss(history)) && !lost))
    return undefined
  return {
    problem: 'divergence',
    seen: `mean training loss ${short(now)} in the last ${limits.window} steps, minimum ${short(best)} at step ${step}, baseline ${short(baseline)}`,
    remedy:
      'Lower training.learningRate, use a scheduler with a longer warmup, or set training.clipNorm to 1 (optimizer clip-by-norm, adaptive-gradient-clipping).',
  }
}

const medianOf = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!

function gradients({ first, recent }: History, { window, spike }: Limits): Finding | undefined {
  const norms = recent.map(({ gradientNorm }) => gradientNorm)
  const last = recent.at(-1)
  if (recent.length < window || last === undefined) return undefined
  const usual = medianOf(norms)
  const high = Math.max(usual, medianOf(first.map(({ gradientNorm }) => gradientNorm)))
  if (usual < VANISHED)
    return {
      problem: 'vanishing-gradient',
      seen: `median gradient norm ${short(usual)} in the last ${window} steps`,
      remedy:
        'Check that the adapter trains the layers that should learn, lower the dropout of the model, or choose another activation or initial model.',
    }
  if (last.gradientNorm <= spike * high) return undefined
  return {
    problem: 'gradient-spike',
    seen: `gradient norm ${short(last.gradientNorm)} at step ${last.step}, ${short(last.gradientNorm / usual)} times the median ${short(usual)} of the last ${window} steps`,
    remedy: 'Set training.clipNorm near the median, lengthen the warmup, or look for faulty examples in the batch.',
  }
}

const gapOf = ({ validation, training }: Validation): number => validation - training

/** Slope of a least-squares line, per validation. */
export function trendOf(values: readonly number[]): number {
  const middle = (values.length - 1) / 2
  const spread = values.reduce((sum, _, i) => sum + (i - middle) ** 2, 0)
  return spread === 0 ? 0 : values.reduce((sum, value, i) => sum + (i - middle) * value, 0) / spread
}

/** The validation loss has risen from its minimum while the training loss fell. */
function overfitting({ validations }: History, { patience, tolerance }: Limits): Finding | undefined {
  const last = validations.at(-1)
  const best = validations.reduce((a, b) => (b.validation < a.validation ? b : a), validations[0]!)
  if (last === undefined || validations.length - 1 - validations.indexOf(best) < patience) return undefined
  if (!(last.validation > best.validation * (1 + tolerance) && last.training < best.training)) return undefined
  const trend = trendOf(validations.map(gapOf))
  return {
    problem: 'overfitting',
    seen: `validation loss ${short(last.validation)}, up from ${short(best.validation)} at step ${best.step}, while the training loss fell from ${short(best.training)} to ${short(last.training)}; gap ${short(gapOf(last))}, changing by ${short(trend)} per validation`,
    remedy:
      'Keep the best checkpoint (callback checkpoint, early-stopping), train fewer parameters (adapter lora), regularize (regularizer r-drop, l2-sp, mixup; model dropout; optimizer weightDecay), or add data (augmenter).',
  }
}

/** The training loss is flat, neither low nor held by a small learning rate. */
function plateau(history: History, limits: Limits): Finding | undefined {
  const { validations, learningRate, maximumRate } = history
  const baseline = baselineOf(history, limits)
  const last = validations.slice(-limits.patience - 1)
  const [from, to] = [last[0]?.training ?? 0, last.at(-1)?.training ?? 0]
  const settled = to < 0.2 * baseline || to > (1 - LEARNED) * baseline || learningRate < 0.1 * maximumRate
  if (last.length <= limits.patience || settled || Math.abs(from - to) > 0.01 * from) return undefined
  return {
    problem: 'plateau',
    seen: `training loss ${short(from)} at step ${last[0]!.step} and ${short(to)} at step ${last.at(-1)!.step}, baseline ${short(baseline)}, at learning rate ${short(learningRate)}`,
    remedy:
      'Lower the learning rate (callback reduce-on-plateau, scheduler cosine), or raise it if it was never higher.',
  }
}

/** The class that gets all predictions by the recall of a score, if there is one: its recall is 1 and all others are 0. */
function onlyClass({ scores }: Validation): { readonly score: string; readonly label: string } | undefined {
  for (const [score, { parts = {} }] of Object.entries(scores)) {
    const recalls = Object.entries(parts).flatMap(([label, { recall, support = 1 }]) =>
      recall === undefined || support === 0 ? [] : [[label, recall] as const],
    )
    const [found, ...others] = recalls.filter(([, recall]) => recall > 0)
    if (recalls.length > 1 && found?.[1] === 1 && others.length === 0) return { score, label: found[0] }
  }
  return undefined
}

/** One class gets all predictions of the latest validations. */
function classCollapse({ validations }: History, { patience }: Limits): Finding | undefined {
  const latest = validations.slice(-patience)
  const [first, ...others] = latest.map(onlyClass)
  if (latest.length < patience || first === undefined || others.includes(undefined)) return undefined
  return {
    problem: 'class-collapse',
    seen: `${first.score} by label: recall 1 for "${first.label}" and 0 for all others at step ${latest[0]!.step}, and for one class in each validation up to step ${latest.at(-1)!.step}`,
    remedy:
      'Lower training.learningRate, balance the classes (balancer class-weights, random-oversampling), or check the labels.',
  }
}

/**
 * Neither loss falls much below the baseline: high bias. The training loss alone would not do: dropout and penalties of regularizers
 * are part of it.
 */
function underfitting(history: History, limits: Limits): Finding | undefined {
  const [baseline, training] = [baselineOf(history, limits), recentLoss(history)]
  const { validation } = history.validations.at(-1) ?? { validation: training }
  const now = Math.min(training, validation)
  const learned = baseline - now > Math.max(LEARNED * baseline, ERRORS * lossError(history))
  if (history.recent.length === 0 || learned || now > 1.2 * baseline) return undefined
  return {
    problem: 'underfitting',
    seen: `mean training loss ${short(training)} in the last ${history.recent.length} steps and validation loss ${short(validation)}, ${short((training / baseline) * 100)} % and ${short((validation / baseline) * 100)} % of the baseline ${short(baseline)}`,
    remedy:
      'Raise training.learningRate or training.epochs, train more parameters (adapter full, a higher rank of lora), use a larger or better pretrained model, lower dropout and regularization, or check the labels.',
  }
}

/** Both losses still fall at the end of training. */
function stillImproving(history: History, limits: Limits): Finding | undefined {
  const { validations } = history
  const [before, last] = validations.slice(-2)
  if (before === undefined || last === undefined) return undefined
  const isBest = validations.every(({ validation }) => validation >= last.validation)
  const minimum = limits.tolerance * baselineOf(history, limits)
  if (!isBest || before.training - last.training < minimum || before.validation - last.validation < minimum)
    return undefined
  return {
    problem: 'still-improving',
    seen: `validation loss ${short(before.validation)} at step ${before.step} and ${short(last.validation)} at step ${last.step}, training loss ${short(before.training)} and ${short(last.training)}`,
    remedy: 'Raise training.epochs.',
  }
}

const present = (found: readonly (Finding | undefined)[]): Finding[] => found.filter((each) => each !== undefined)

/** Problems that a step shows. */
export const atStep = (history: History, limits: Limits): Finding[] =>
  present([divergence(history, limits), gradients(history, limits)])

/** Problems that a validation shows. */
export const atValidation = (history: History, limits: Limits): Finding[] =>
  present([overfitting(history, limits), plateau(history, limits), classCollapse(history, limits)])

/** Problems that only the end of training shows. */
export const atEnd = (history: History, limits: Limits): Finding[] =>
  present([underfitting(history, limits), stillImproving(history, limits)])

/** Bias and variance in losses: the training loss, and the gap to the validation loss with its trend per validation. */
export function biasAndVariance(history: History, limits: Limits) {
  const last = history.validations.at(-1)
  return {
    baseline: baselineOf(history, limits),
    training: last?.training ?? recentLoss(history),
    validation: last?.validation ?? Number.NaN,
    gap: last === undefined ? Number.NaN : gapOf(last),
    gapTrend: trendOf(history.validations.map(gapOf)),
    gradientNorm: mean(history.recent.map(({ gradientNorm }) => gradientNorm)),
  }
}
