import type { Ending, GenerationEvent } from './events.js'
import { type PartialSequence, type Task, largestRoom, decoderPrompt, restrict, roomFor } from './task.js'
import { textStreamer } from './text-streamer.js'
import { logSoftmax } from './warp.js'

/** A beam (hypothesis): a partial sequence that beam search extends. */
interface Beam extends PartialSequence {
  /** Sum of the log probabilities of the generated tokens. */
  readonly sum: number
  /** Decoder row whose KV cache holds this beam. */
  readonly at: number
}

/** A finished hypothesis. */
interface Hypothesis {
  readonly ids: readonly number[]
  readonly score: number
  readonly because: Ending
}

/** The beams of one group of one prompt, and its finished hypotheses, best first. */
interface Group {
  readonly beams: readonly Beam[]
  readonly finished: readonly Hypothesis[]
  readonly done: boolean
}

interface Candidate {
  readonly beam: Beam
  readonly id: number
  readonly sum: number
}

/** Returns the `count` best continuations of the beams, best first. Ties go to the earlier beam, then the smaller token id. */
function bestCandidates(beams: readonly Beam[], scores: readonly Float32Array[], count: number): Candidate[] {
  const best: Candidate[] = []
  for (const [i, beam] of beams.entries())
    for (let id = 0; id < scores[i]!.length; id++) {
      const sum = beam.sum + scores[i]![id]!
      if (sum === -Infinity || (best.length === count && sum <= best[count - 1]!.sum)) continue
      let index = best.length
      while (index > 0 && best[index - 1]!.sum < sum) index--
      best.splice(index, 0, { beam, id, sum })
      if (best.length > count) best.pop()
    }
  return best
}

/** Log probabilities of each beam's next token: restricted, and reduced by the diversity penalty for tokens that earlier groups took. */
function tokenScores(task: Task, beams: readonly Beam[], logits: readonly Float32Array[], taken: readonly number[]) {
  return beams.map((beam) => {
    const scores = logSoftmax(logits[beam.at]!)
    for (const id of taken) scores[id]! -= task.options.diversityPenalty
    restrict(task, scores, beam)
    return scores
  })
}

/** Why the sequence ends with this candidate's token; `undefined` if it does not end. */
function endingAfter(task: Task, { beam, id }: Candidate, room: number): Ending | undefined {
  if (task.ends.has(id)) return 'end'
  const { tokenizer, options } = task
  const before = decoderPrompt(task, beam.prompt)
  if (options.stop.length > 0 && textStreamer(tokenizer, before, options.stop).add([...beam.generated, id]).stopped)
    return 'stop'
  return beam.generated.length + 1 >= room ? 'length' : undefined
}

/** The best `count` of two lists of finished hypotheses. Ties go to the earlier one. */
const mergeFinished = (finished: readonly Hypothesis[], fresh: readonly Hypothesis[], count: number): Hypothesis[] =>
  [...finished, ...fresh].sort((a, b) => b.score - a.score).slice(0, count)

/**
 * Advances one group by one token. Of the `size` best candidates, those that end become finished hypotheses; the best candidates
 * that do not end become the new beams. Done once no beam can outscore the finished hypotheses.
 */
function advance(task: Task, group: Group, size: number, scores: readonly Float32Array[]): Group {
  const { lengthPenalty, earlyStopping } = task.options
  const prompt = group.beams[0]!.prompt
  const room = roomFor(task, prompt)
  const candidates = bestCandidates(group.beams, scores, size * (1 + task.ends.size))
  const length = group.beams[0]!.generated.length + 1
  const evaluated = candidates.map((candidate) => ({ ...candidate, ending: endingAfter(task, candidate, room) }))
  const fresh = evaluated.slice(0, size).flatMap(({ beam, id, sum, ending }): Hypothesis[] => {
    if (ending === undefined) return []
    const ids = ending === 'end' ? beam.generated : [...beam.generated, id]
    return [{ ids, score: sum / length ** lengthPenalty, because: ending }]
  })
  const finished = mergeFinished(group.finished, fresh, size)
  const beams = evaluated
    .filter(({ ending }) => ending === undefined)
    .slice(0, size)
    .map(({ beam, id, sum }): Beam => {
      const generated = [...beam.generated, id]
      return { prompt, generated, sum, at: beam.at, state: task.constraint?.next(beam.state, id) ?? 0 }
    })
  const full = finished.length === size
  const unbeatable = full && beams.length > 0 && beams[0]!.sum / length ** lengthPenalty <= finished.at(-1)!.score
  return { beams, finished, done: beams.length === 0 || unbeatable || (full && earlyStopping) }
}

function* finishedEvents(task: Task, prompt: number, groups: readonly Group[]): Generator<GenerationEvent, void> {
  const [best] = groups.flatMap(({ finished }) => finished).sort((a, b) => b.score - a.score)
  if (best === undefined) return
  const text = textStreamer(task.tokenizer, decoderPrompt(task, task.prompts[prompt]!), task.options.stop)
  const { fullText } = text.finish(best.ids)
  yield { type: 'finished', row: prompt, ids: best.ids, text: fullText, because: best.because, score: best.score }
}

/** Advances all groups of a prompt in sequence; each sees the tokens that earlier groups took. */
function advanceAll(task: Task, groups: readonly Group[], size: number, logits: readonly Float32Array[]): Group[] {
  const taken: number[] = []
  return groups.map((group) => {
    if (group.done) return group
    const next = advance(task, group, size, tokenScores(task, group.beams, logits, taken))
    taken.push(...next.beams.map(({ generated }) => generated.at(-1)!))
    return next
  })
}

/**
 * Beam search: extends the most probable sequences in parallel and returns the best finished one. The score is the sum of log
 * probabilities divided by `length ** lengthPenalty`, where the length includes the end token. With groups, each group is
 * penalized for tokens that earlier groups took in the same step.
 * Sources: Graves, Sequence Transduction, 2012, section 2.3, as implemented in transformers; Vijayakumar et al., Diverse Beam
 * Search, 2018, with Hamming diversity.
 */
export async function* beams(task: Task): AsyncGenerator<GenerationEvent, void> {
  const { prompts, options } = task
  const size = options.beams / options.beamGroups
  const { first, decoding } = await task.decoder.prefill(prompts, largestRoom(task))
  const begin = (prompt: readonly number[], at: number): Group => ({
    beams: [{ prompt, generated: [], sum: 0, at, state: 0 }],
    finished: [],
    done: false,
  })
  let all = prompts.map((prompt, at) => Array.from({ length: options.beamGroups }, () => begin(prompt, at)))
  try {
    let { logits } = first
    while (!task.stopped()) {
      const open = all.map((groups) => groups.some(({ done }) => !done))
      all = all.map((groups) => advanceAll(task, groups, size, logits))
      for (const [prompt, groups] of all.entries())
        if (open[prompt] === true && groups.every(({ done }) => done)) yield* finishedEvents(task, prompt, groups)
      const active = all.flatMap((groups) => groups.flatMap((group) => (group.done ? [] : group.beams)))
      if (active.length === 0) return
      // Every step runs the same number of rows, so that few shapes are compiled; the remaining rows repeat the first beam.
      const rows = [
        ...active,
        ...Array.from({ length: prompts.length * options.beams - active.length }, () => active[0]!),
      ]
      const read = await decoding.read(
        rows.map(({ generated }) => generated.at(-1)!),
        rows.map(({ at }) => at),
      )
      ;({ logits } = read)
      const rowOf = new Map(active.map((beam, at) => [beam, at]))
      all = all.map((groups) =>
        groups.map((group) => ({
          ...group,
          beams: group.beams.map((beam) => ({ ...beam, at: rowOf.get(beam) ?? 0 })),
        })),
      )
    }
  } finally {
    decoding.close()
  }
}
