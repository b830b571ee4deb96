import { AttuneError, type Budget, createBudget } from '@attune/core'
import { byteLength } from './byte-length.js'

/** A section of a tokenizer.json that processes texts or tokens. */
export type Part = 'added_tokens' | 'normalizer' | 'pre_tokenizer' | 'model' | 'post_processor' | 'decoder'

/** Budget of one call of `encode` or `decode`, shared by all steps of the tokenizer. Negative bytes release memory. */
export interface Work extends Pick<Budget, 'spend' | 'hold' | 'steps'> {
  /** The running section, for errors. */
  part: Part
  /** Stops the call with the budget's error. */
  refuse(why: string): never
}

/**
 * Limits of a call. Published tokenizers take 20 to 110 steps and 20 to 130 bytes per byte of ordinary text, and at most 160 and
 * 210 on adversarial text; a step takes 5 to 10 ns. The base is small, since a data set has millions of short rows.
 */
const LIMITS = { steps: 200_000, stepsPerByte: 200, bytes: 16_000_000, bytesPerByte: 256 }

/** Beginning of a text, for errors. */
const quoted = (text: string): string => JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text)

/** The budget of a call with an input of `inputBytes`; `input` describes it in errors. */
function workOn(inputBytes: number, where: string, input: () => string): Work {
  const refuse = (why: string): AttuneError =>
    new AttuneError(
      'BAD_TOKENIZER',
      `the \`${work.part}\` of ${where} exceeds its limits on ${input()}: ${why}`,
      'Check that the tokenizer is the one that the model was published with, and shorten the text.',
    )
  const budget = createBudget(inputBytes, refuse, LIMITS)
  const work: Work = {
    part: 'added_tokens',
    spend: budget.spend,
    hold: budget.hold,
    steps: budget.steps,
    refuse(why) {
      throw refuse(why)
    },
  }
  return work
}

/**
 * Budget of tokenizing a text or a pair of texts.
 * @param where file of the tokenizer, for errors
 */
export const workOnText = (where: string, text: string, pair = ''): Work =>
  workOn(byteLength(text) + byteLength(pair), where, () => `the text ${quoted(text)}`)

/** Bytes of text per token, with a margin; the longest tokens of published vocabularies have about a hundred. */
const BYTES_PER_TOKEN = 4

/**
 * Budget of decoding tokens.
 * @param where file of the tokenizer, for errors
 */
export const workOnTokens = (where: string, tokens: number): Work =>
  workOn(BYTES_PER_TOKEN * tokens, where, () => `${tokens} tokens`)
