import type { RunEvent } from '@attune/core'
import stringWidth from 'string-width'
import { type Point, formatCount, formatDuration, formatNumber } from '@attune/terminal'

/** The last loss, and the weighted sum and total weight of the losses so far, with decaying weights. */
interface Loss {
  readonly last: number
  readonly sum: number
  readonly weight: number
}

/** The state that is shown of a run's progress, reduced from its events. */
export interface Progress {
  readonly epochs: number
  readonly steps: number
  readonly epoch: number
  readonly step: number
  /** Undefined before the first step. */
  readonly loss: Loss | undefined
  readonly learningRate: number
  readonly tokensPerSecond: number
  readonly secondsLeft: number
  /** The activity between steps. */
  readonly activity: string
  /** The smoothed loss at every `stride`-th step, and the losses of the validation split. */
  readonly training: readonly Point[]
  readonly stride: number
  readonly validation: readonly Point[]
}

/** The progress of a run that has not started. */
export const NOTHING: Progress = {
  epochs: 0,
  steps: 0,
  epoch: 0,
  step: 0,
  loss: undefined,
  learningRate: 0,
  tokensPerSecond: 0,
  secondsLeft: Number.NaN,
  activity: '',
  training: [],
  stride: 1,
  validation: [],
}

const MAXIMUM_POINTS = 1024

/**
 * The bias-corrected exponential moving average of the losses over about a twentieth of the run's steps, at most 50. A loss that is not
 * finite is shown as it is, and excluded from the average.
 */
export const smoothed = ({ last, sum, weight }: Loss): number => (Number.isFinite(last) ? sum / weight : last)

function takeLoss(before: Progress['loss'], last: number, steps: number): Loss {
  const loss = before ?? { last, sum: 0, weight: 0 }
  if (!Number.isFinite(last)) return { ...loss, last }
  const kept = 1 - 1 / Math.min(50, Math.max(1, steps / 20))
  return { last, sum: kept * loss.sum + last, weight: kept * loss.weight + 1 }
}

/** Adds a point; when there are too many, every second one is dropped and the stride doubles. */
function takePoint({ training, stride }: Progress, [step, loss]: Point): Pick<Progress, 'training' | 'stride'> {
  if (step % stride !== 0 || !Number.isFinite(loss)) return { training, stride }
  if (training.length < MAXIMUM_POINTS) return { training: [...training, [step, loss]], stride }
  return { training: [...training.filter((_, i) => i % 2 === 0), [step, loss]], stride: 2 * stride }
}

/** The progress after an event. */
export function follow(progress: Progress, event: RunEvent): Progress {
  switch (event.type) {
    case 'run.started':
    case 'run.resumed':
      return { ...NOTHING, epochs: event.epochs, steps: event.steps, step: 'step' in event ? event.step : 0 }
    case 'step.completed': {
      const loss = takeLoss(progress.loss, event.loss, event.steps)
      const { epoch, step, steps, learningRate, tokensPerSecond, secondsLeft } = event
      const points = takePoint(progress, [step, smoothed(loss)])
      return {
        ...progress,
        ...points,
        loss,
        epoch,
        step,
        steps,
        learningRate,
        tokensPerSecond,
        secondsLeft,
        activity: '',
      }
    }
    case 'evaluation.started':
      return { ...progress, activity: `scoring ${event.split}` }
    case 'evaluation.completed': {
      const loss = event.scores['loss']?.value
      const none = event.split !== 'validation' || loss === undefined
      const validation = none ? progress.validation : [...progress.validation, [event.step, loss] as const]
      return { ...progress, activity: '', validation }
    }
    default:
      return progress
  }
}

const bar = (fraction: number, width: number): string => {
  const full = Math.max(0, Math.min(width, Math.round(fraction * width)))
  return '█'.repeat(full) + '░'.repeat(width - full)
}

/**
 * The progress line, shorter than `columns`; if that is too narrow, the learning rate, the speed and the rest are dropped, in this order.
 * `drawn` adds a bar if there is room, whose width is a multiple of four so that it does not flicker.
 */
export function progressLine(progress: Progress, columns: number, drawn: boolean): string {
  const { epoch, epochs, step, steps, learningRate, tokensPerSecond, secondsLeft, activity } = progress
  const known = progress.loss
  const position = [
    `epoch ${epoch + 1}/${Math.max(epochs, epoch + 1)}`,
    `step ${formatCount(step)}/${formatCount(steps)}`,
  ]
  const loss = known ? [`loss ${formatNumber(smoothed(known))}`] : []
  const rate = known ? [`learning rate ${formatNumber(learningRate)}`] : []
  const speed = known ? [`${formatCount(tokensPerSecond)} tokens/s`] : []
  const end = activity !== '' ? [`${activity} …`] : known ? [`${formatDuration(secondsLeft)} left`] : []
  const candidates = [
    [...position, ...loss, ...rate, ...speed, ...end],
    [...position, ...loss, ...speed, ...end],
    [...position, ...loss, ...end],
    [position[1]!, ...loss],
  ].map((parts) => parts.join('  '))
  const text = candidates.find((line) => stringWidth(line) < columns) ?? candidates.at(-1)!.slice(0, columns - 1)
  const room = Math.min(24, columns - stringWidth(text) - 3) & ~3
  return drawn && room >= 8 && steps > 0 ? `${bar(step / steps, room)}  ${text}` : text
}
