import type { Engine, Model, Params, RolloutHost, Tokenizer } from '@attune/core'
import type { Generator } from '@attune/generate'
import { lastValueFrom, toArray } from 'rxjs'

/** Components for generating text with the current weights. */
export interface GenerationComponents {
  readonly engine: Engine
  readonly model: Model
  readonly tokenizer: Tokenizer
  /** Returns the current parameters of `model`. */
  params(): Params
}

/** Generates text during training; compiled programs are reused across calls. */
export interface TextGenerator {
  readonly generate: RolloutHost['generate']
  readonly sample: RolloutHost['sample']
  close(): void
}

/**
 * Creates a text generator over weights that are being trained. Nothing is loaded or compiled before its first use.
 * @throws AttuneError on use: `NOT_A_WRITER` if the model cannot generate text
 */
export function textGenerator({ engine, model, tokenizer, params }: GenerationComponents): TextGenerator {
  let opened: Promise<Generator> | undefined
  const open = async () => (await import('@attune/generate')).generator({ engine, model, tokenizer, params })
  async function sample(
    prompts: readonly (string | readonly number[])[],
    options = {},
  ): ReturnType<RolloutHost['sample']> {
    const { generate } = await (opened ??= open())
    const events = await lastValueFrom(generate(prompts, options).pipe(toArray()))
    const finished = new Map(events.flatMap((event) => (event.type === 'finished' ? [[event.row, event]] : [])))
    return prompts.map((_, row) => {
      const { ids = [], text = '', because } = finished.get(row) ?? {}
      return { ids, text, ended: because === 'end' }
    })
  }
  return {
    sample,
    generate: async (prompts, options) => (await sample(prompts, options)).map(({ text }) => text),
    close: () => void opened?.then((generator) => generator.close()),
  }
}
