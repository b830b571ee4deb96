import { AttuneError, createBudget } from '@attune/core'
import { HUB_LIMITS } from './limits.js'
import { badAnswer, shown } from './refusal.js'

/** Kind of a body: an answer of the API, or a part of a file. */
export type BodyKind = 'answer' | 'content'

/** Limits on the cost of one operation, shared by all of its requests. */
export interface OperationBudget {
  /** Counts steps of work. @throws AttuneError `HUB_BAD_ANSWER` */
  spend(steps: number): void
  /** Counts one request. @throws AttuneError `HUB_BAD_ANSWER` */
  request(): void
  /** Raises the limit by a number of requests, for files of the user that are to be sent. */
  allowRequests(count: number): void
  /**
   * Counts a chunk of a body. Compressed answers do not raise the limit on work, because a few bytes decompress to many; files
   * have the size that was announced.
   * @throws AttuneError `HUB_BAD_ANSWER`
   */
  receive(bytes: number, kind: BodyKind, compressed: boolean): void
  /** Counts bytes of a file that were sent. */
  send(bytes: number): void
  /** Counts time that was spent waiting for a server. @throws AttuneError `HUB_UNREACHABLE` */
  wait(seconds: number): void
}

const STEPS_PER_BYTE = 200
/** Two milliseconds of processor time. */
const STEPS_PER_REQUEST = 400_000
/** A chunk of a body costs a read and a write of some 100 microseconds, however short it is. */
const STEPS_PER_CHUNK = 20_000
/** Decoding, counting, parsing and checking. */
const STEPS_PER_ANSWER_BYTE = 10

/** Makes the budget of one operation with a Hub. */
export function createOperationBudget(endpoint: string): OperationBudget {
  const { steps, answersBytes, waitingSeconds } = HUB_LIMITS
  const budget = createBudget(0, (why) => badAnswer(endpoint, why), { steps, stepsPerByte: STEPS_PER_BYTE })
  let [answers, moved, waited] = [0, 0, 0]
  return {
    spend: (steps) => budget.spend(steps),
    request: () => budget.spend(STEPS_PER_REQUEST),
    allowRequests: (count) => budget.allow((count * STEPS_PER_REQUEST) / STEPS_PER_BYTE),
    receive(bytes, kind, compressed) {
      if (kind === 'content' || !compressed) budget.allow(bytes)
      budget.spend(STEPS_PER_CHUNK + (kind === 'answer' ? STEPS_PER_ANSWER_BYTE * bytes : 0))
      if (kind === 'content') moved += bytes
      else answers += bytes
      if (answers > answersBytes) throw badAnswer(endpoint, `more than ${answersBytes} bytes in total`)
    },
    send(bytes) {
      budget.allow(bytes)
      moved += bytes
    },
    wait(seconds) {
      waited += seconds
      if (waited <= waitingSeconds + moved / HUB_LIMITS.bytesPerSecond) return
      throw new AttuneError(
        'HUB_UNREACHABLE',
        `${shown(endpoint)} kept the operation waiting for ${Math.round(waited)} seconds in total, for ${moved} bytes of files`,
        'Check the connection and HF_ENDPOINT, and repeat the command: what came already is kept.',
      )
    },
  }
}
