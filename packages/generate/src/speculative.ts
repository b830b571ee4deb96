import type { GenerationEvent } from './events.js'
import { promptLookup } from './prompt-lookup.js'
import { type GeneratedSequence, newSequences, choose, appendToken } from './sample.js'
import { type Task, largestRoom, decoderPrompt } from './task.js'

/** True if prompt-lookup decoding applies: requested, a single prompt, and a model whose cache can be rolled back. */
export const usesPromptLookup = ({ options, prompts, decoder: { model } }: Task): boolean =>
  options.promptLookupTokens > 0 && prompts.length === 1 && model.recurrent !== true

/** Draft tokens: as many as requested, or none if they would exceed the maximum length of the model. */
function draftTokens(task: Task, { prompt, generated }: GeneratedSequence): readonly number[] {
  const count = task.options.promptLookupTokens
  const text = [...decoderPrompt(task, prompt), ...generated]
  return text.length + count > task.decoder.model.maximumLength ? [] : promptLookup(text, count)
}

/**
 * Speculative decoding by prompt lookup: like {@link sample} for one sequence, but reads draft tokens together with each token,
 * since a run over a few tokens takes hardly longer than over one. Draft tokens that match the sampled ones are accepted. Each
 * token is chosen or sampled from the logits after the tokens before it, so the output is the same.
 */
export async function* speculative(task: Task): AsyncGenerator<GenerationEvent, void> {
  const [row] = newSequences(task) as [GeneratedSequence]
  const { first, decoding } = await task.decoder.prefill(
    task.prompts,
    largestRoom(task) + task.options.promptLookupTokens,
  )
  try {
    let next = choose(task, row, first.logits[0]!)
    while (!task.stopped()) {
      yield* appendToken(task, 0, row, next)
      if (row.ended !== undefined) return
      const draft = draftTokens(task, row)
      const logits =
        draft.length === 0 ? (await decoding.read([next])).logits : await decoding.readDraft([next, ...draft])
      let accepted = 0
      while (!task.stopped()) {
        next = choose(task, row, logits[accepted]!)
        if (next !== draft[accepted]) break
        yield* appendToken(task, 0, row, next)
        if (row.ended !== undefined) return
        accepted++
      }
      decoding.rollBack(draft.length - accepted)
    }
  } finally {
    decoding.close()
  }
}
