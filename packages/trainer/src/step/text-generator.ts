import type { Engine, Model, Params, RolloutHost, Tokenizer } from '@attune/core'
import type { Generator } from '@attune/generate'
import { lastValueFrom, toArray } from 'rxjs'

/** Parts that generate text with the weights of the moment. */
export interface GenerationComponents {
  readonly engine: Engine
  readonly model: Model
  readonly tokenizer: Tokenizer
  /** The parameters that `model` takes, as they are now. */
  params(): Params
}

/** Generates text during training; what it compiles is kept from call to call. */
export interface TextGenerator {
  readonly generate: RolloutHost['generate']
  close(): void
}

/**
 * A generator over weights that train. Nothing is loaded or compiled before its first use.
 * @throws AttuneError when it is used: `NOT_A_WRITER` if the model cannot generate text
 */
export function textGenerator({ engine, model, tokenizer, params }: GenerationComponents): TextGenerator {
  let opened: Promise<Generator> | undefined
  const open = async () => (await import('@attune/generate')).generator({ engine, model, tokenizer, params })
  return {
    async generate(prompts, options = {}) {
      const { write } = await (opened ??= open())
      const events = await lastValueFrom(write(prompts, options).pipe(toArray()))
      const texts = new Map(events.flatMap((event) => (event.type === 'finished' ? [[event.row, event.text]] : [])))
      return prompts.map((_, row) => texts.get(row) ?? '')
    },
    close: () => void opened?.then((generator) => generator.close()),
  }
}
