import type { GenerationEvent } from './events.js'
import { promptLookup } from './prompt-lookup.js'
import { type GeneratedSequence, beginRows, choose, take } from './sample.js'
import { type Task, mostRoom, readBefore } from './task.js'

/** Whether to guess ahead: asked for, a single text, and a model that can take back what it has read. */
export const looksAhead = ({ options, prompts, writer: { model } }: Task): boolean =>
  options.promptLookupTokens > 0 && prompts.length === 1 && model.recurrent !== true

/** The tokens that may come next: as many as are asked for, or none where the model would not take them. */
function guessesFor(task: Task, { prompt, written }: GeneratedSequence): readonly number[] {
  const count = task.options.promptLookupTokens
  const text = [...readBefore(task, prompt), ...written]
  return text.length + count > task.writer.model.maximumLength ? [] : promptLookup(text, count)
}

/**
 * Writes one text as {@link sample} does, and reads guesses together with each token: a run of the model takes hardly longer
 * for a few tokens than for one. What was guessed as it would have been written is kept. Each token is chosen, or drawn, from
 * the logits after those that stand before it, so that the text is the same.
 */
export async function* sampleAhead(task: Task): AsyncGenerator<GenerationEvent, void> {
  const [row] = beginRows(task) as [GeneratedSequence]
  const { first, decoding } = await task.writer.begin(task.prompts, mostRoom(task) + task.options.promptLookupTokens)
  try {
    let next = choose(task, row, first.logits[0]!)
    while (!task.stopped()) {
      yield* take(task, 0, row, next)
      if (row.ended !== undefined) return
      const guesses = guessesFor(task, row)
      const logits =
        guesses.length === 0 ? (await decoding.read([next])).logits : await decoding.readAhead([next, ...guesses])
      let right = 0
      while (!task.stopped()) {
        next = choose(task, row, logits[right]!)
        if (next !== guesses[right]) break
        yield* take(task, 0, row, next)
        if (row.ended !== undefined) return
        right++
      }
      decoding.back(guesses.length - right)
    }
  } finally {
    decoding.close()
  }
}
