import type { Ending, GenerationEvent } from './events.js'
import { type Row, type Task, mostRoom, readBefore, restrict, roomFor } from './task.js'
import { growingText } from './text-of.js'
import { logSoftmax } from './warp.js'

/** A text that is followed. */
interface Beam extends Row {
  /** The sum of the log probabilities of what was written. */
  readonly sum: number
  /** The row of the decoder that has read it. */
  readonly at: number
}

/** A text that has ended. */
interface Ended {
  readonly ids: readonly number[]
  readonly score: number
  readonly because: Ending
}

/** The beams of one group of one prompt, and what has ended among them, best first. */
interface Group {
  readonly beams: readonly Beam[]
  readonly ended: readonly Ended[]
  readonly done: boolean
}

interface Candidate {
  readonly beam: Beam
  readonly id: number
  readonly sum: number
}

/** The `count` best continuations of some beams, best first; of equal ones the earlier beam and the smaller id. */
function bestOf(beams: readonly Beam[], scores: readonly Float32Array[], count: number): Candidate[] {
  const best: Candidate[] = []
  for (const [i, beam] of beams.entries())
    for (let id = 0; id < scores[i]!.length; id++) {
      const sum = beam.sum + scores[i]![id]!
      if (sum === -Infinity || (best.length === count && sum <= best[count - 1]!.sum)) continue
      let place = best.length
      while (place > 0 && best[place - 1]!.sum < sum) place--
      best.splice(place, 0, { beam, id, sum })
      if (best.length > count) best.pop()
    }
  return best
}

/** Log probabilities of each beam's next token, restricted, and lowered for what earlier groups just took. */
function scoresOf(task: Task, beams: readonly Beam[], logits: readonly Float32Array[], taken: readonly number[]) {
  return beams.map((beam) => {
    const scores = logSoftmax(logits[beam.at]!)
    for (const id of taken) scores[id]! -= task.options.diversityPenalty
    restrict(task, scores, beam)
    return scores
  })
}

/** Whether a text must end with this token, and why. */
function endingOf(task: Task, { beam, id }: Candidate, room: number): Ending | undefined {
  if (task.ends.has(id)) return 'end'
  const { tokenizer, options } = task
  const before = readBefore(task, beam.prompt)
  if (options.stop.length > 0 && growingText(tokenizer, before, options.stop).add([...beam.written, id]).stopped)
    return 'stop'
  return beam.written.length + 1 >= room ? 'length' : undefined
}

/** The better of two lists of ended texts, at most `count`; of equal ones the earlier. */
const merged = (ended: readonly Ended[], fresh: readonly Ended[], count: number): Ended[] =>
  [...ended, ...fresh].sort((a, b) => b.score - a.score).slice(0, count)

/**
 * One step of a group: the best continuations of its beams; of the `size` best those that end are kept as ended, and the
 * best that do not end are followed. Done when ended texts cannot be bettered by what is followed.
 */
function advance(task: Task, group: Group, size: number, scores: readonly Float32Array[]): Group {
  const { lengthPenalty, earlyStopping } = task.options
  const prompt = group.beams[0]!.prompt
  const room = roomFor(task, prompt)
  const candidates = bestOf(group.beams, scores, size * (1 + task.ends.size))
  const length = group.beams[0]!.written.length + 1
  const judged = candidates.map((candidate) => ({ ...candidate, ending: endingOf(task, candidate, room) }))
  const fresh = judged.slice(0, size).flatMap(({ beam, id, sum, ending }): Ended[] => {
    if (ending === undefined) return []
    const ids = ending === 'end' ? beam.written : [...beam.written, id]
    return [{ ids, score: sum / length ** lengthPenalty, because: ending }]
  })
  const ended = merged(group.ended, fresh, size)
  const beams = judged
    .filter(({ ending }) => ending === undefined)
    .slice(0, size)
    .map(({ beam, id, sum }): Beam => {
      const written = [...beam.written, id]
      return { prompt, written, sum, at: beam.at, state: task.constraint?.next(beam.state, id) ?? 0 }
    })
  const full = ended.length === size
  const hopeless = full && beams.length > 0 && beams[0]!.sum / length ** lengthPenalty <= ended.at(-1)!.score
  return { beams, ended, done: beams.length === 0 || hopeless || (full && earlyStopping) }
}

function* results(task: Task, prompt: number, groups: readonly Group[]): Generator<GenerationEvent, void> {
  const [best] = groups.flatMap(({ ended }) => ended).sort((a, b) => b.score - a.score)
  if (best === undefined) return
  const text = growingText(task.tokenizer, readBefore(task, task.prompts[prompt]!), task.options.stop)
  const { whole } = text.finish(best.ids)
  yield { type: 'finished', row: prompt, ids: best.ids, text: whole, because: best.because, score: best.score }
}

/** One step of all groups of a prompt, one after another, each knowing what those before it took. */
function advanceAll(task: Task, groups: readonly Group[], size: number, logits: readonly Float32Array[]): Group[] {
  const taken: number[] = []
  return groups.map((group) => {
    if (group.done) return group
    const next = advance(task, group, size, scoresOf(task, group.beams, logits, taken))
    taken.push(...next.beams.map(({ written }) => written.at(-1)!))
    return next
  })
}

/**
 * Beam search: follows the likeliest texts side by side and gives the best that ended, by the sum of log probabilities over
 * the length (the end included) to the power of the length penalty. With groups, each avoids what those before it take.
 * Sources: Graves, Sequence Transduction, 2012, section 2.3, as the Hugging Face library does it; Vijayakumar et al., Diverse
 * Beam Search, 2018, with Hamming diversity.
 */
export async function* beams(task: Task): AsyncGenerator<GenerationEvent, void> {
  const { prompts, options } = task
  const size = options.beams / options.beamGroups
  const { first, decoding } = await task.writer.begin(prompts, mostRoom(task))
  const begin = (prompt: readonly number[], at: number): Group => ({
    beams: [{ prompt, written: [], sum: 0, at, state: 0 }],
    ended: [],
    done: false,
  })
  let all = prompts.map((prompt, at) => Array.from({ length: options.beamGroups }, () => begin(prompt, at)))
  try {
    let { logits } = first
    while (!task.stopped()) {
      const open = all.map((groups) => groups.some(({ done }) => !done))
      all = all.map((groups) => advanceAll(task, groups, size, logits))
      for (const [prompt, groups] of all.entries())
        if (open[prompt] === true && groups.every(({ done }) => done)) yield* results(task, prompt, groups)
      const alive = all.flatMap((groups) => groups.flatMap((group) => (group.done ? [] : group.beams)))
      if (alive.length === 0) return
      // As many rows in each step, so that few shapes are compiled: those too many follow the first once more.
      const rows = [...alive, ...Array.from({ length: prompts.length * options.beams - alive.length }, () => alive[0]!)]
      const read = await decoding.read(
        rows.map(({ written }) => written.at(-1)!),
        rows.map(({ at }) => at),
      )
      ;({ logits } = read)
      const places = new Map(alive.map((beam, at) => [beam, at]))
      all = all.map((groups) =>
        groups.map((group) => ({
          ...group,
          beams: group.beams.map((beam) => ({ ...beam, at: places.get(beam) ?? 0 })),
        })),
      )
    }
  } finally {
    decoding.close()
  }
}
