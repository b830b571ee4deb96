import type { AttuneError, Example } from '@attune/core'
import type { PredictOptions, Prediction, Predictor } from './predictor.js'

/** Options of {@link predictStream}. */
export interface StreamOptions {
  /** Maximum number of rows read ahead of the next answer; bounds the memory. Default: 1024. */
  readonly ahead?: number
  /** Name of the saved adapter to predict with; see {@link PredictOptions.adapter}. Default: none. */
  readonly adapter?: string
}

/** An example with its prediction or error. */
export interface PredictedExample {
  readonly example: Example
  readonly answer: Prediction | AttuneError
}

/** Returns a function that predicts one example, with a controller in `running` meanwhile. */
const asking =
  (predictor: Pick<Predictor, 'predict'>, running: Set<AbortController>, chosen: Pick<PredictOptions, 'adapter'>) =>
  async (example: Example): Promise<PredictedExample> => {
    const own = new AbortController()
    running.add(own)
    try {
      const [answer] = await predictor.predict([example], { signal: own.signal, ...chosen })
      return { example, answer: answer! }
    } finally {
      running.delete(own)
    }
  }

/**
 * Predicts the examples of a file or of an endless stream, in order and in constant memory. Each answer is yielded as soon as its row
 * is predicted, without waiting for further rows.
 *
 * @example
 * ```ts
 * import { isAttuneError } from '@attune/core'
 * import { predictStream } from '@attune/trainer'
 * import { openPredictor } from '@attune/trainer/node'
 * const predictor = await openPredictor('runs/topics')
 * const rows = [{ text: 'a mail server' }, { text: 'an editor' }]
 * for await (const { example, answer } of predictStream(predictor, rows))
 *   console.log(example['text'], isAttuneError(answer) ? answer.problem : answer['label'])
 * // a mail server mail, then an editor editor
 * await predictor.close()
 * ```
 */
export async function* predictStream(
  predictor: Pick<Predictor, 'predict'>,
  examples: AsyncIterable<Example> | Iterable<Example>,
  { ahead = 1024, ...chosen }: StreamOptions = {},
): AsyncGenerator<PredictedExample, void> {
  const rows = Symbol.asyncIterator in examples ? examples[Symbol.asyncIterator]() : examples[Symbol.iterator]()
  // One controller per row: Node.js warns of a leak at the eleventh listener of a signal.
  const [asked, running] = [[] as Promise<PredictedExample>[], new Set<AbortController>()]
  let [reading, ended, failure] = [undefined as Promise<void> | undefined, false, [] as unknown[]]
  const ask = asking(predictor, running, chosen)
  const read = async (): Promise<void> => {
    try {
      const { done, value } = await rows.next()
      if (done === true) ended = true
      else asked.push(ask(value))
    } catch (error) {
      ;[ended, failure] = [true, [error]] // thrown after the answers to the earlier rows
    }
    reading = undefined
  }
  try {
    while (!ended || asked.length > 0) {
      if (!ended && asked.length < ahead) reading ??= read()
      const first = asked[0]?.then(() => true)
      const hasAnswer = await Promise.race([first, reading].filter((each) => each !== undefined))
      if (hasAnswer === true) yield await asked.shift()!
    }
    if (failure.length > 0) throw failure[0]
  } finally {
    for (const own of running) own.abort()
    const returned = rows.return?.()
    if (reading === undefined) await returned // a source that is waiting for its next row ends after it
    await Promise.allSettled(asked)
  }
}
