/** Limits on what reading one input may cost, shared by all parts of its reader. */
export interface Budget {
  /**
   * Counts elementary steps: characters examined, entries made, comparisons. Parts of a reader that run in native code
   * (a regular expression, `sort`) count what they cost at worst.
   * @throws the error of the reader once the steps exceed what the input read so far allows
   */
  spend(steps: number): void
  /**
   * Counts bytes that stay allocated until the reading is over.
   * @throws the error of the reader once they exceed what the input read so far allows
   */
  hold(bytes: number): void
  /** Raises both limits: so many more bytes of the input were read. */
  allow(inputBytes: number): void
  /** Steps counted so far. */
  steps(): number
}

/** What an input of no bytes may cost, and how much each byte adds. */
export interface BudgetLimits {
  /** Default: 10,000,000, some 50 ms of processor time. */
  readonly steps?: number
  /** Default: 200, so that a megabyte takes one to two seconds at most. */
  readonly stepsPerByte?: number
  /** Default: 64 MB. */
  readonly bytes?: number
  /** Default: 256, so that a megabyte holds 320 MB at most. */
  readonly bytesPerByte?: number
}

const DEFAULTS = { steps: 10_000_000, stepsPerByte: 200, bytes: 64_000_000, bytesPerByte: 256 }

/**
 * Makes the budget of one reader for one input. The limits grow with the bytes that were read and with nothing else, so that
 * a small input cannot take long, whatever it says of itself.
 * @param inputBytes the size of the input as far as it is known; {@link Budget.allow} adds what is read later
 * @param refuse makes the error, of a sentence such as "it takes more than 10,200,000 steps of work for 1,000 bytes"
 *
 * @example
 * const budget = createBudget(text.length, (why) => new AttuneError('BAD_YAML', `${file}: ${why}`, 'Use a smaller file.'))
 * for (const line of lines) budget.spend(line.length)
 */
export function createBudget(inputBytes: number, refuse: (why: string) => Error, limits: BudgetLimits = {}): Budget {
  const { steps: baseSteps, stepsPerByte, bytes: baseBytes, bytesPerByte } = { ...DEFAULTS, ...limits }
  let [input, spent, held] = [inputBytes, 0, 0]
  const count = (value: number): string => Math.round(value).toLocaleString('en-US')
  const given = (): string => `for ${count(input)} bytes of input`
  return {
    spend(steps) {
      spent += steps
      const most = baseSteps + stepsPerByte * input
      if (!(spent <= most)) throw refuse(`it takes more than ${count(most)} steps of work ${given()}`)
    },
    hold(bytes) {
      held += bytes
      const most = baseBytes + bytesPerByte * input
      if (!(held <= most)) throw refuse(`it takes more than ${count(most)} bytes of memory ${given()}`)
    },
    allow(inputBytes) {
      input += inputBytes
    },
    steps: () => spent,
  }
}
