import {
  ADAPTER,
  type Adapter,
  ENGINE,
  type Engine,
  type Model,
  type Params,
  RANDOMNESS,
  TOKENIZER,
  type Tokenizer,
  createScope,
  get,
  key,
  provide,
  provideInstance,
} from '@attune/core'
import type { SearchPaths } from '@attune/resolve'
import { adapterPlugin } from '../files/adapter-plugin.js'
import { adapterConfig, readAdapter } from '../files/saved-adapter.js'
import { adaptAround } from '../setup/frozen-encoder.js'
import { countParameters } from '../setup/weights.js'

/** A model and its parameters. */
interface Loaded {
  readonly model: Model
  readonly params: Params
}

/** Opens the installed adapter plugin of a saved adapter. @throws AttuneError `BAD_ADAPTER` if no installed plugin reads it */
export async function adapterFor(
  folder: string,
  { engine, tokenizer }: { readonly engine: Engine; readonly tokenizer: Tokenizer },
  searchPaths: SearchPaths,
): Promise<Adapter> {
  const found = await adapterPlugin(adapterConfig(folder), folder, searchPaths)
  const scope = createScope()
  provideInstance(scope, ENGINE, engine)
  provideInstance(scope, TOKENIZER, tokenizer)
  provideInstance(scope, RANDOMNESS, key(0))
  provide(scope, found.plugin, {})
  return get(scope, ADAPTER)
}

/**
 * Applies a saved adapter to a loaded model. The parameters of the base are shared with the result; heads that the adapter saved
 * replace those of the base.
 * @throws AttuneError `BAD_ADAPTER`, and the errors of the adapter
 */
export async function applyAdapter(
  { engine, adapter }: { readonly engine: Engine; readonly adapter: Adapter },
  { model, params }: Loaded,
  folder: string,
): Promise<Loaded> {
  const saved = readAdapter(engine, folder, countParameters(params))
  const adapted = await adaptAround({ adapter, model }, params, { saved })
  return { model: adapted.model, params: { ...adapted.frozen, ...adapted.trainable } }
}
