import { AttuneError, createBudget } from '@attune/core'
import { HUB_LIMITS } from './limits.js'
import { invalidResponse, shown } from './response-errors.js'

/** Kind of a body: an API response, or content of a file. */
export type BodyKind = 'answer' | 'content'

/** Limits on the cost of one operation, shared by all of its requests. */
export interface OperationBudget {
  /** Counts steps of work. @throws AttuneError `HUB_BAD_ANSWER` */
  spend(steps: number): void
  /** Counts one request. @throws AttuneError `HUB_BAD_ANSWER` */
  request(): void
  /** Raises the limit by a number of requests, for files to upload. */
  allowRequests(count: number): void
  /**
   * Counts a chunk of a body. Compressed API responses do not raise the limit on work, because a few bytes decompress
   * to many; files have the announced size.
   * @throws AttuneError `HUB_BAD_ANSWER` if the limit is exceeded
   */
  receive(bytes: number, kind: BodyKind, compressed: boolean): void
  /** Counts sent bytes of a file. */
  send(bytes: number): void
  /** Counts time spent waiting for a server. @throws AttuneError `HUB_UNREACHABLE` */
  wait(seconds: number): void
}

const STEPS_PER_BYTE = 200
/** Two milliseconds of CPU time. */
const STEPS_PER_REQUEST = 400_000
/** A chunk of a body of any length costs a read and a write of about 100 microseconds. */
const STEPS_PER_CHUNK = 20_000
/** Decoding, counting, parsing and validating. */
const STEPS_PER_ANSWER_BYTE = 10

/** Creates the budget of one operation with a Hub. */
export function createOperationBudget(endpoint: string): OperationBudget {
  const { steps, answersBytes, waitingSeconds } = HUB_LIMITS
  const budget = createBudget(0, (why) => invalidResponse(endpoint, why), { steps, stepsPerByte: STEPS_PER_BYTE })
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
      if (answers > answersBytes) throw invalidResponse(endpoint, `more than ${answersBytes} bytes in total`)
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
        `${shown(endpoint)} is too slow: ${Math.round(waited)} s of waiting in total for ${moved} bytes of files`,
        'Check the connection and HF_ENDPOINT, and repeat the command. Partial downloads are kept.',
      )
    },
  }
}
