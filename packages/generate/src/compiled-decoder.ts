import {
  AttuneError,
  type Cache,
  type Engine,
  type HostArray,
  type Model,
  type Params,
  type TextInputs,
} from '@attune/core'
import { type Tensor, gather } from '@tensorflow/tfjs-core'
import type { Beginning, Decoding, Read } from './decoding.js'
import { type Asked, type EncoderContext, type Stepped, arraysOf, grid, stepOf } from './step.js'

/** The compiled parts of a model that writes; they serve any number of texts. */
export interface CompiledDecoder {
  readonly model: Model
  /** Reads the prompts and makes room for `room` tokens more. */
  begin(prompts: readonly (readonly number[])[], room: number, withStates?: boolean): Promise<Beginning>
  close(): void
}

/** Prompts are padded on the left to a multiple of this, and caches have room for such a multiple: few shapes to compile. */
const MULTIPLE = 16
const upTo = (length: number): number => Math.ceil(length / MULTIPLE) * MULTIPLE
const longest = (rows: readonly (readonly number[])[]): number => Math.max(...rows.map((row) => row.length))

/** The rows of `[rows, …]` as views. */
function rowsOf({ values }: Pick<HostArray, 'values'>, rows: number): Float32Array[] {
  const size = values.length / rows
  return Array.from({ length: rows }, (_, i) => (values as Float32Array).subarray(i * size, (i + 1) * size))
}

/** Prompts must have a token, and leave one to write where one stack reads and writes. */
function check(prompts: readonly (readonly number[])[], { maximumLength }: Model, twoStacks: boolean): void {
  const room = twoStacks ? 0 : 1
  const at = prompts.findIndex((prompt) => prompt.length === 0 || prompt.length + room > maximumLength)
  if (at < 0) return
  const does = twoStacks ? `reads ${maximumLength}` : `reads and writes ${maximumLength} together`
  throw new AttuneError(
    'PROMPT_LENGTH',
    `prompt ${at + 1} has ${prompts[at]!.length} tokens, and the model ${does}`,
    prompts[at]!.length === 0 ? 'Begin with at least one token.' : 'Shorten the prompt.',
  )
}

/** The weights of a generator: fixed, or as they are each time that a text begins, while a model trains. */
export type Weights = Params | (() => Params)

/**
 * The parts of a model that generates text, each compiled at its first use. A step that reads one token, or a few ahead, takes fixed
 * weights as constants, which the compiler packs: most of the time goes into reading them. Prompts are read in many shapes,
 * and take them as arguments, as every step takes weights that change.
 */
function compiledParts(engine: Engine, model: Model, weights: Weights, twoStacks: boolean) {
  const compiled = (asked: Asked) => {
    const step = stepOf(model, twoStacks, asked)
    const many = engine.compile(step as never, { donate: [1, 2] }) as never as typeof step & { dispose(): void }
    if (typeof weights === 'function') return { many, few: many }
    const packed = (held: Cache, given: Parameters<typeof step>[2], source: Partial<EncoderContext>): Stepped =>
      step(weights, held, given, source)
    const program = engine.compile(packed as never, { donate: [0, 1] }) as never as typeof packed & { dispose(): void }
    const few: typeof step = (_, ...rest) => program(...rest)
    return { many, few: Object.assign(few, { dispose: () => program.dispose() }) }
  }
  const steps = { last: compiled('last'), states: compiled('states'), all: compiled('all') }
  const encode = engine.compile(
    (all: Params, inputs: TextInputs) => model.forward(all, inputs, { training: false }).encoderStates as Tensor,
  )
  const spread = engine.compile(
    (all: EncoderContext, texts: Tensor) =>
      Object.fromEntries(
        Object.entries(all).map(([name, each]) => [name, gather(each, texts as Tensor & { dtype: 'int32' })]),
      ) as EncoderContext,
    { donate: [1] },
  )
  const empty = engine.compile(
    ({ rows, slots }: { readonly rows: Tensor; readonly slots: Tensor }) =>
      model.cache!(rows.shape[0] as number, slots.shape[0] as number) as Cache,
    { donate: [0] },
  )
  const all = new Set([...Object.values(steps).flatMap(({ many, few }) => [many, few]), encode, spread, empty])
  return { steps, encode, spread, empty, all }
}

/** What a text in the making shares with the others of its model. */
interface Shared extends ReturnType<typeof compiledParts> {
  readonly engine: Engine
  readonly params: Params
  readonly twoStacks: boolean
  /** The token that an encoder–decoder begins to write with. */
  readonly start: number
}

/** What the encoder makes of the prompts; nothing, where there is none. */
function sourceOf(
  { engine, params, twoStacks, start, encode }: Shared,
  prompts: readonly (readonly number[])[],
): Partial<EncoderContext> {
  if (!twoStacks) return {}
  const width = upTo(longest(prompts))
  const laid = engine.put({
    inputIds: grid(prompts.length, width, (row, i) => prompts[row]![i] ?? 0),
    attentionMask: grid(prompts.length, width, (row, i) => (i < prompts[row]!.length ? 1 : 0)),
  })
  const first = engine.put(grid(prompts.length, 1, () => start))
  const encoderStates = encode(params, { ...laid, tokenTypeIds: laid.inputIds, decoderInputIds: first })
  engine.release(first)
  return { ...laid, encoderStates }
}

/** Where the decoder is: its cache, the slots of it that are used, and how many of them are padding in each row. */
interface Place {
  cache: Cache
  used: number
  pads: number[]
  readonly capacity: number
  /** What the encoder gave, a row for each prompt. */
  readonly whole: Partial<EncoderContext>
  /** Of which prompt each row is, and what the encoder gave for it. */
  prompts: readonly number[]
  source: Partial<EncoderContext>
}

/** Gives each row what the encoder made of its prompt, where rows have moved to other prompts. */
function follow({ engine, twoStacks, spread }: Shared, place: Place, order: readonly number[]): void {
  const prompts = order.map((row) => place.prompts[row]!)
  const same = prompts.length === place.prompts.length && prompts.every((prompt, row) => prompt === place.prompts[row])
  place.prompts = prompts
  if (!twoStacks || same) return
  if (place.source !== place.whole) engine.release(place.source as EncoderContext)
  const chosen = engine.put({ shape: [prompts.length], dtype: 'int32', values: Int32Array.from(prompts) })
  place.source = spread(place.whole as EncoderContext, chosen)
}

/** Reads tokens into a place, as many for each row, and moves it on. */
async function readOn(
  shared: Shared,
  place: Place,
  tokens: readonly (readonly number[])[],
  asked: Asked,
  order?: readonly number[],
): Promise<Read> {
  const { engine, params, steps } = shared
  const [rows, length] = [tokens.length, tokens[0]!.length]
  if (order !== undefined) {
    place.pads = order.map((row) => place.pads[row]!)
    follow(shared, place, order)
  }
  const moved = order === undefined ? {} : { order: { ...grid(rows, 1, (row) => order[row]!), shape: [rows] } }
  const given = engine.put({ ...arraysOf(tokens, place.used, place.pads, place.capacity), ...moved })
  const { many, few } = steps[asked]
  const first = place.used === 0 // whose cache is not yet what later steps find: the packed weights are not for it
  const { source } = place
  const { cache, ...made } =
    (length === 1 || asked === 'all') && !first
      ? few(params, place.cache, given, source)
      : many(params, place.cache, given, source)
  place.cache = cache
  place.used += length
  const { logits, states } = await engine.read(made)
  engine.release(made)
  return {
    logits: rowsOf(logits, asked === 'all' ? rows * length : rows),
    states: states === undefined ? [] : rowsOf(states, rows).map((values) => rowsOf({ values }, length)),
  }
}

/** Reads the prompts and makes room for `room` tokens more. */
async function begin(
  shared: Shared,
  prompts: readonly (readonly number[])[],
  room: number,
  withStates: boolean,
): Promise<Beginning> {
  const asked = withStates ? 'states' : 'last'
  const { engine, twoStacks, start, empty } = shared
  const source = sourceOf(shared, prompts)
  const begins = twoStacks ? prompts.map(() => [start]) : prompts
  const width = twoStacks ? 1 : upTo(longest(begins))
  const capacity = upTo(width + room)
  const sizes = { rows: grid(prompts.length, 1, () => 0), slots: grid(capacity, 1, () => 0) }
  const pads = begins.map((row) => width - row.length)
  const held = { cache: empty(engine.put(sizes)), used: 0, pads, capacity }
  const place: Place = { ...held, whole: source, source, prompts: prompts.map((_, at) => at) }
  const padded = begins.map((row, at) => [...Array.from({ length: pads[at]! }, () => 0), ...row])
  const decoding: Decoding = {
    read(tokens, order) {
      const next = tokens.map((token) => [token])
      return readOn(shared, place, next, asked, order)
    },
    readAhead: async (tokens) => (await readOn(shared, place, [tokens], 'all')).logits,
    back(count) {
      place.used -= count // what stands beyond is hidden, and written over
    },
    close() {
      if (place.source !== source) engine.release(place.source as EncoderContext)
      engine.release({ ...place.cache, ...(source as EncoderContext) })
    },
  }
  return { first: await readOn(shared, place, padded, asked), decoding }
}

/**
 * Prepares a model for writing on an engine. An encoder–decoder reads the prompts with its encoder and begins to write with
 * its start token. Weights that are given as a function are asked for when a text begins, and must not change before it ends.
 * @throws AttuneError `NOT_A_WRITER` if the model has no cache: it does not read from left to right.
 */
export function writer(engine: Engine, model: Model, weights: Weights): CompiledDecoder {
  if (model.cache === undefined)
    throw new AttuneError(
      'NOT_A_WRITER',
      `models of type "${String(model.config['model_type'])}" do not write: they read in both directions`,
      'Use a decoder (gpt2, llama, …) or an encoder–decoder (t5, bart, …).',
    )
  const twoStacks = model.config['is_encoder_decoder'] === true
  const start = Number(model.config['decoder_start_token_id'] ?? 0)
  const parts = { engine, twoStacks, start, ...compiledParts(engine, model, weights, twoStacks) }
  return {
    model,
    async begin(prompts, room, withStates = false) {
      check(prompts, model, twoStacks)
      const params = typeof weights === 'function' ? weights() : weights
      return begin({ ...parts, params }, prompts, room, withStates)
    },
    close: () => parts.all.forEach((compiled) => compiled.dispose()),
  }
}
