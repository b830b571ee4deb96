/** Limits on the work and memory of reading one input, shared by all stages of its reader. */
export interface Budget {
  /**
   * Counts elementary steps: characters examined, entries created, comparisons. Stages that run in native code (a regular
   * expression, `sort`) count their worst case.
   * @throws the reader's error once the steps exceed the limit for the input read so far
   */
  spend(steps: number): void
  /**
   * Counts bytes that stay allocated until reading is complete.
   * @throws the reader's error once they exceed the limit for the input read so far
   */
  hold(bytes: number): void
  /** Raises both limits, after `inputBytes` more bytes of the input were read. */
  allow(inputBytes: number): void
  /** Returns the steps counted so far. */
  steps(): number
}

/** Base limits, and their increase per byte of input. */
export interface BudgetLimits {
  /** Default: 10,000,000, about 50 ms of CPU time. */
  readonly steps?: number
  /** Default: 200; a megabyte takes at most one to two seconds. */
  readonly stepsPerByte?: number
  /** Default: 64 MB. */
  readonly bytes?: number
  /** Default: 256; a megabyte holds at most 320 MB. */
  readonly bytesPerByte?: number
}

const DEFAULTS = { steps: 10_000_000, stepsPerByte: 200, bytes: 64_000_000, bytesPerByte: 256 }

/**
 * Creates the budget of one reader for one input. The limits grow only with the bytes read, so a small input cannot take long,
 * whatever sizes it declares.
 * @param inputBytes the known size of the input; {@link Budget.allow} adds bytes that are read later
 * @param createError creates the error from a reason such as "it takes more than 10,200,000 steps of work for 1,000 bytes of input"
 *
 * @example
 * ```ts
 * import { AttuneError, createBudget } from '@attune/core'
 * const text = 'first line\nsecond line'
 * const budget = createBudget(text.length, (reason) => new AttuneError('BAD_YAML', reason, 'Use a smaller file.'))
 * for (const line of text.split('\n')) budget.spend(line.length)
 * console.log(budget.steps()) // 21
 * ```
 */
export function createBudget(
  inputBytes: number,
  createError: (reason: string) => Error,
  limits: BudgetLimits = {},
): Budget {
  const { steps: baseSteps, stepsPerByte, bytes: baseBytes, bytesPerByte } = { ...DEFAULTS, ...limits }
  let [input, spent, held] = [inputBytes, 0, 0]
  const count = (value: number): string => Math.round(value).toLocaleString('en-US')
  const perInput = (): string => `for ${count(input)} bytes of input`
  return {
    spend(steps) {
      spent += steps
      const limit = baseSteps + stepsPerByte * input
      if (!(spent <= limit)) throw createError(`it takes more than ${count(limit)} steps of work ${perInput()}`)
    },
    hold(bytes) {
      held += bytes
      const limit = baseBytes + bytesPerByte * input
      if (!(held <= limit)) throw createError(`it takes more than ${count(limit)} bytes of memory ${perInput()}`)
    },
    allow(inputBytes) {
      input += inputBytes
    },
    steps: () => spent,
  }
}
