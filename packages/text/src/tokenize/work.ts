import { AttuneError, type Budget, createBudget } from '@attune/core'
import { byteLength } from './byte-length.js'

/** A part of a tokenizer.json that works on texts or tokens. */
export type Part = 'added_tokens' | 'normalizer' | 'pre_tokenizer' | 'model' | 'post_processor' | 'decoder'

/** The budget of one call of `encode` or `decode`, shared by all steps of the tokenizer. Negative bytes are given back. */
export interface Work extends Pick<Budget, 'spend' | 'hold' | 'steps'> {
  /** The part that is at work: errors name it. */
  part: Part
  /** Stops the call, with the error of the budget. */
  refuse(why: string): never
}

/**
 * What a call may cost. Real tokenizers take 20 to 110 steps and 20 to 130 bytes for each byte of ordinary text, and at most 160
 * and 210 for text that is made to be hard; a step takes 5 to 10 ns. The base is small, for a data set has millions of short
 * rows.
 */
const LIMITS = { steps: 200_000, stepsPerByte: 200, bytes: 16_000_000, bytesPerByte: 256 }

/** The beginning of a text, for errors. */
const quoted = (text: string): string => JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text)

/** The budget of a call whose input has so many bytes, and is called `input` in errors. */
function workOn(inputBytes: number, where: string, input: () => string): Work {
  const refuse = (why: string): AttuneError =>
    new AttuneError(
      'BAD_TOKENIZER',
      `the \`${work.part}\` of ${where} makes too much of ${input()}: ${why}`,
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
 * The budget of tokenizing a text, or a pair of texts.
 * @param where the file of the tokenizer, for errors
 */
export const workOnText = (where: string, text: string, pair = ''): Work =>
  workOn(byteLength(text) + byteLength(pair), where, () => `the text ${quoted(text)}`)

/** Bytes of text that a token stands for, with room: the longest tokens of real vocabularies have some hundred. */
const BYTES_PER_TOKEN = 4

/**
 * The budget of decoding tokens.
 * @param where the file of the tokenizer, for errors
 */
export const workOnTokens = (where: string, tokens: number): Work =>
  workOn(BYTES_PER_TOKEN * tokens, where, () => `${tokens} tokens`)
