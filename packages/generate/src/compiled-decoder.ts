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
import type { Prefilled, Decoding, Read } from './decoding.js'
import { type RequestedOutputs, type EncoderContext, type StepOutputs, arraysOf, grid, decoderStep } from './step.js'

/** Compiled programs of a model that generates text; shared by any number of sequences. */
export interface CompiledDecoder {
  readonly model: Model
  /** Reads the prompts and allocates KV-cache slots for `room` more tokens. */
  prefill(prompts: readonly (readonly number[])[], room: number, withStates?: boolean): Promise<Prefilled>
  close(): void
}

/** Prompts are left-padded to a multiple of this, and cache capacities are multiples of it: few shapes to compile. */
const MULTIPLE = 16
const roundUp = (length: number): number => Math.ceil(length / MULTIPLE) * MULTIPLE
const longest = (rows: readonly (readonly number[])[]): number => Math.max(...rows.map((row) => row.length))

/** Views of the rows of `[rows, …]`. */
function rowsOf({ values }: Pick<HostArray, 'values'>, rows: number): Float32Array[] {
  const size = values.length / rows
  return Array.from({ length: rows }, (_, i) => (values as Float32Array).subarray(i * size, (i + 1) * size))
}

/** Checks that each prompt has at least one token and fits; a decoder-only model needs room for one more token. */
function checkPrompts(
  prompts: readonly (readonly number[])[],
  { maximumLength }: Model,
  isEncoderDecoder: boolean,
): void {
  const room = isEncoderDecoder ? 0 : 1
  const at = prompts.findIndex((prompt) => prompt.length === 0 || prompt.length + room > maximumLength)
  if (at < 0) return
  const limit = isEncoderDecoder
    ? `the encoder reads at most ${maximumLength}`
    : `prompt and output have at most ${maximumLength}`
  throw new AttuneError(
    'PROMPT_LENGTH',
    `prompt ${at + 1} has ${prompts[at]!.length} tokens; ${limit}`,
    prompts[at]!.length === 0 ? 'Start the prompt with at least one token.' : 'Shorten the prompt.',
  )
}

/** Weights of a generator: fixed, or a function that returns the current weights when generation starts, while a model trains. */
export type Weights = Params | (() => Params)

/**
 * Programs of a model that generates text, each compiled at its first use. Steps that read one token, or a few draft tokens, bake
 * fixed weights in as constants, which the compiler prepacks: these steps are bound by reading the weights. Prompts come in many
 * shapes, so their program takes the weights as arguments, as every step does for weights that change.
 */
function compiledParts(engine: Engine, model: Model, weights: Weights, isEncoderDecoder: boolean) {
  const compiled = (requested: RequestedOutputs) => {
    const step = decoderStep(model, isEncoderDecoder, requested)
    const general = engine.compile(step as never, { donate: [1, 2] }) as never as typeof step & { dispose(): void }
    if (typeof weights === 'function') return { general, prepacked: general }
    const packed = (held: Cache, given: Parameters<typeof step>[2], context: Partial<EncoderContext>): StepOutputs =>
      step(weights, held, given, context)
    const program = engine.compile(packed as never, { donate: [0, 1] }) as never as typeof packed & { dispose(): void }
    const prepacked: typeof step = (_, ...rest) => program(...rest)
    return { general, prepacked: Object.assign(prepacked, { dispose: () => program.dispose() }) }
  }
  const steps = { last: compiled('last'), states: compiled('states'), all: compiled('all') }
  const encode = engine.compile(
    (all: Params, inputs: TextInputs) => model.forward(all, inputs, { training: false }).encoderStates as Tensor,
  )
  const gatherRows = engine.compile(
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
  const all = new Set([
    ...Object.values(steps).flatMap(({ general, prepacked }) => [general, prepacked]),
    encode,
    gatherRows,
    empty,
  ])
  return { steps, encode, gatherRows, empty, all }
}

/** State shared by all sequences of a model. */
interface Shared extends ReturnType<typeof compiledParts> {
  readonly engine: Engine
  readonly model: Model
  readonly params: Params
  readonly isEncoderDecoder: boolean
  /** Start token of an encoder–decoder. */
  readonly start: number
}

/** Encoder outputs for the prompts; empty for a decoder-only model. */
function encodePrompts(
  { engine, model, params, isEncoderDecoder, start, encode }: Shared,
  prompts: readonly (readonly number[])[],
): Partial<EncoderContext> {
  if (!isEncoderDecoder) return {}
  const width = Math.min(roundUp(longest(prompts)), model.maximumLength)
  const encoderInputs = engine.put({
    inputIds: grid(prompts.length, width, (row, i) => prompts[row]![i] ?? 0),
    attentionMask: grid(prompts.length, width, (row, i) => (i < prompts[row]!.length ? 1 : 0)),
  })
  const first = engine.put(grid(prompts.length, 1, () => start))
  const encoderStates = encode(params, {
    ...encoderInputs,
    tokenTypeIds: encoderInputs.inputIds,
    decoderInputIds: first,
  })
  engine.release(first)
  return { ...encoderInputs, encoderStates }
}

/** State of a decoder: its KV cache, the number of used slots, and the number of padding slots in each row. */
interface DecoderState {
  cache: Cache
  used: number
  pads: number[]
  readonly capacity: number
  /** Encoder outputs, one row per prompt. */
  readonly promptContext: Partial<EncoderContext>
  /** Prompt index of each row, and the encoder outputs by row. */
  prompts: readonly number[]
  context: Partial<EncoderContext>
}

/** Gathers the encoder outputs by row after rows were reordered across prompts. */
function reorderContext(
  { engine, isEncoderDecoder, gatherRows }: Shared,
  state: DecoderState,
  order: readonly number[],
): void {
  const prompts = order.map((row) => state.prompts[row]!)
  const same = prompts.length === state.prompts.length && prompts.every((prompt, row) => prompt === state.prompts[row])
  state.prompts = prompts
  if (!isEncoderDecoder || same) return
  if (state.context !== state.promptContext) engine.release(state.context as EncoderContext)
  const chosen = engine.put({ shape: [prompts.length], dtype: 'int32', values: Int32Array.from(prompts) })
  state.context = gatherRows(state.promptContext as EncoderContext, chosen)
}

/** Reads the same number of tokens for each row into the cache, and updates the decoder state. */
async function readTokens(
  shared: Shared,
  state: DecoderState,
  tokens: readonly (readonly number[])[],
  requested: RequestedOutputs,
  order?: readonly number[],
): Promise<Read> {
  const { engine, params, steps } = shared
  const [rows, length] = [tokens.length, tokens[0]!.length]
  if (order !== undefined) {
    state.pads = order.map((row) => state.pads[row]!)
    reorderContext(shared, state, order)
  }
  const moved = order === undefined ? {} : { order: { ...grid(rows, 1, (row) => order[row]!), shape: [rows] } }
  const given = engine.put({ ...arraysOf(tokens, state.used, state.pads, state.capacity), ...moved })
  const { general, prepacked } = steps[requested]
  const first = state.used === 0 // the first run's cache has another layout: the prepacked program does not take it
  const { context } = state
  const { cache, ...made } =
    (length === 1 || requested === 'all') && !first
      ? prepacked(params, state.cache, given, context)
      : general(params, state.cache, given, context)
  state.cache = cache
  state.used += length
  const { logits, states } = await engine.read(made)
  engine.release(made)
  return {
    logits: rowsOf(logits, requested === 'all' ? rows * length : rows),
    states: states === undefined ? [] : rowsOf(states, rows).map((values) => rowsOf({ values }, length)),
  }
}

/** Reads the prompts and allocates KV-cache slots for `room` more tokens. */
async function prefill(
  shared: Shared,
  prompts: readonly (readonly number[])[],
  room: number,
  withStates: boolean,
): Promise<Prefilled> {
  const requested = withStates ? 'states' : 'last'
  const { engine, isEncoderDecoder, start, empty } = shared
  const context = encodePrompts(shared, prompts)
  const decoderPrompts = isEncoderDecoder ? prompts.map(() => [start]) : prompts
  const width = isEncoderDecoder ? 1 : roundUp(longest(decoderPrompts))
  const capacity = roundUp(width + room)
  const sizes = { rows: grid(prompts.length, 1, () => 0), slots: grid(capacity, 1, () => 0) }
  const pads = decoderPrompts.map((row) => width - row.length)
  const held = { cache: empty(engine.put(sizes)), used: 0, pads, capacity }
  const state: DecoderState = { ...held, promptContext: context, context, prompts: prompts.map((_, at) => at) }
  const padded = decoderPrompts.map((row, at) => [...Array.from({ length: pads[at]! }, () => 0), ...row])
  const decoding: Decoding = {
    read(tokens, order) {
      const next = tokens.map((token) => [token])
      return readTokens(shared, state, next, requested, order)
    },
    readDraft: async (tokens) => (await readTokens(shared, state, [tokens], 'all')).logits,
    rollBack(count) {
      state.used -= count // later slots are masked, and overwritten
    },
    close() {
      if (state.context !== context) engine.release(state.context as EncoderContext)
      engine.release({ ...state.cache, ...(context as EncoderContext) })
    },
  }
  return { first: await readTokens(shared, state, padded, requested), decoding }
}

/**
 * Compiles a model for text generation. An encoder–decoder reads the prompts with its encoder and starts with its decoder start
 * token. A `weights` function is called when generation starts; its weights must not change until generation ends.
 * @throws AttuneError `NOT_A_WRITER` if the model has no KV cache: it is a bidirectional encoder
 */
export function compileDecoder(engine: Engine, model: Model, weights: Weights): CompiledDecoder {
  if (model.cache === undefined)
    throw new AttuneError(
      'NOT_A_WRITER',
      `model type "${String(model.config['model_type'])}" cannot generate text: it is a bidirectional encoder`,
      'Use a decoder (gpt2, llama, …) or an encoder–decoder (t5, bart, …).',
    )
  const isEncoderDecoder = model.config['is_encoder_decoder'] === true
  const start = Number(model.config['decoder_start_token_id'] ?? 0)
  const parts = { engine, model, isEncoderDecoder, start, ...compiledParts(engine, model, weights, isEncoderDecoder) }
  return {
    model,
    async prefill(prompts, room, withStates = false) {
      checkPrompts(prompts, model, isEncoderDecoder)
      const params = typeof weights === 'function' ? weights() : weights
      return prefill({ ...parts, params }, prompts, room, withStates)
    },
    close: () => parts.all.forEach((compiled) => compiled.dispose()),
  }
}
