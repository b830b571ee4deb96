import { CALLBACK, type Callback, type Command, type RunEvent, definePlugin } from '@attune/core'
import { concatMap, from, scan } from 'rxjs'
import { z } from 'zod'
import { type Finding, type Limits, atEnd, atStep, atValidation, biasAndVariance, short } from './findings.js'
import { type History, START, extended } from './history.js'

/** The history of a run, what was found in it, and the commands to give now. */
interface Diagnosis {
  readonly history: History
  readonly found: readonly Finding[]
  readonly commands: readonly Command[]
}

const report = (step: number, finding: Finding): Command => ({
  type: 'record',
  because: `${finding.problem}: ${finding.seen}. ${finding.remedy}`,
  event: { type: 'diagnosis.found', step, ...finding },
})

/** The final diagnosis, with bias and variance. */
function summary(history: History, found: readonly Finding[], step: number, limits: Limits): Command {
  const numbers = biasAndVariance(history, limits)
  const problems = found.map(({ problem }) => problem)
  const because = `${problems.length === 0 ? 'no problem found' : problems.join(', ')}: training loss (bias) ${short(numbers.training)} of the baseline ${short(numbers.baseline)}, validation loss ${short(numbers.validation)}, gap (variance) ${short(numbers.gap)}, changing by ${short(numbers.gapTrend)} per validation, gradient norm ${short(numbers.gradientNorm)}`
  return { type: 'record', because, event: { type: 'diagnosis.completed', step, findings: found, ...numbers } }
}

/** Adds an event to a diagnosis. Each problem is reported when it is first seen. */
function diagnosed({ history: before, found: known }: Diagnosis, event: RunEvent, limits: Limits): Diagnosis {
  const history = extended(before, event, limits.window)
  const isEnd = event.type === 'training.completed'
  const seen =
    event.type === 'step.completed'
      ? atStep(history, limits)
      : event.type === 'evaluation.completed' && history !== before
        ? atValidation(history, limits)
        : isEnd
          ? atEnd(history, limits)
          : []
  const fresh = seen.filter(({ problem }) => known.every((each) => each.problem !== problem))
  const found = [...known, ...fresh]
  const step = 'step' in event ? Number(event.step) : 0
  const commands = fresh.map((finding) => report(step, finding))
  if (isEnd && history.first.length > 0) commands.push(summary(history, found, step, limits))
  return { history, found, commands }
}

/**
 * Diagnoses a run from its events: overfitting, underfitting, divergence, plateau, class collapse and anomalous gradient norms, each
 * reported with its numbers and remedies when it is first seen, as an event `diagnosis.found`; at the end, an event `diagnosis.completed` with all
 * findings, bias and variance. The run's log keeps the events, and the console shows them as commands with their reasons. The run itself is
 * not changed.
 *
 *     bias: training loss, compared with the baseline       variance: validation loss − training loss
 *
 * The training loss is the mean over the steps since the validation before. It includes dropout and penalties of regularizers, which the
 * validation loss does not: with them the gap may be below 0. The baseline is the mean loss of the first ten steps, or `baseline`.
 * Divergence to a loss that is not finite ends the run with its own error. Class collapse needs a metric that scores recall by label
 * (f1). The limits are rules of thumb, not statistical tests.
 */
export const diagnostician = definePlugin({
  kind: CALLBACK,
  name: 'diagnostician',
  summary: 'Reports overfitting, underfitting, divergence and other problems of a run',
  source: 'Goodfellow, Bengio and Courville, Deep Learning, 2016, sections 5.2 to 5.4 and 11.4',
  options: z.strictObject({
    window: z.int().min(2).default(20).describe('Number of latest steps over which loss and gradient norm are judged'),
    patience: z
      .int()
      .min(1)
      .default(2)
      .describe('Number of validations in a row that show overfitting or a plateau before it is reported'),
    tolerance: z.number().min(0).default(0.05).describe('Smallest change of a loss that counts, as a fraction of it'),
    spike: z.number().min(1).default(10).describe('Gradient norm that is reported, as a multiple of the median'),
    baseline: z
      .number()
      .positive()
      .optional()
      .describe(
        'Loss of a model that ignores its input: ln(classes) for balanced classes; default: the mean of the first ten steps',
      ),
  }),
  create: (limits): Callback => {
    const start: Diagnosis = { history: START, found: [], commands: [] }
    return (events) =>
      events.pipe(
        scan((diagnosis, event: RunEvent) => diagnosed(diagnosis, event, limits), start),
        concatMap(({ commands }) => from(commands)),
      )
  },
})
declare module '@attune/core' {
  interface NamedPlugins {
    'callback diagnostician': typeof diagnostician
  }
  interface RunEvents {
    /** A problem that a diagnosis found in a run. */
    'diagnosis.found': Finding & { readonly step: number }
    /** The diagnosis of a run at the end of training; losses are means. */
    'diagnosis.completed': {
      readonly step: number
      readonly findings: readonly Finding[]
      readonly baseline: number
      readonly training: number
      readonly validation: number
      /** Validation loss minus training loss, and its change per validation. */
      readonly gap: number
      readonly gapTrend: number
      readonly gradientNorm: number
    }
  }
}

export default diagnostician
