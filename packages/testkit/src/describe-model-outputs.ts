import {
  type AnyPlugin,
  type Cache,
  type Engine,
  type HostArray,
  type Kept,
  type Model,
  type Params,
  type TextInputs,
  key,
} from '@attune/core'
import { normal } from '@attune/nn'
import { type Scalar, type Tensor, add, mul, sum } from '@tensorflow/tfjs-core'
import { checkPromise, itPromises } from './exceptions.js'
import { expectClose } from './expect-close.js'
import { gradientsOf } from './gradients-of.js'
import { floats, integers, textInputs } from './host-array.js'
import { expect, it } from './runner.js'

/** Model under test. */
interface Subject {
  readonly plugin: AnyPlugin
  readonly engine: Engine
  readonly make: () => Model
}

const ROWS = [
  [7, 3, 9, 4, 12, 6],
  [5, 8, 2, 11, 16, 13],
] as const

/** Encoder input of an encoder–decoder while its decoder is tested. */
const ENCODER_INPUT = [9, 4, 17, 2, 8] as const

/** Returns the inputs for the model's decoder; an encoder gets the same text in each row. */
function decoderInputs(model: Model, inputs: Readonly<Record<string, HostArray>>): Readonly<Record<string, HostArray>> {
  const { inputIds, attentionMask, ...rest } = inputs
  if (model.config['is_encoder_decoder'] !== true || rest['decoderInputIds'] !== undefined) return inputs
  const read = textInputs(Array.from({ length: inputIds!.shape[0] as number }, () => ENCODER_INPUT))
  return { ...rest, ...read, decoderInputIds: inputIds!, decoderAttentionMask: attentionMask! }
}

/** All outputs in inference, on the host. */
async function outputsOf(
  { engine, make }: Subject,
  params: Params,
  inputs: Readonly<Record<string, HostArray>>,
  keep: readonly Kept[] = [],
): Promise<Record<string, unknown> & { readonly lastHiddenState: HostArray }> {
  const model = make()
  const forward = engine.compile((p: Params, given: TextInputs) => model.forward(p, given, { training: false, keep }))
  return (await engine.read(forward(params, engine.put(decoderInputs(model, inputs)) as TextInputs))) as never
}

/** Hidden states of one row, for the positions `from` to `to` (exclusive). */
function states({ shape, values }: HostArray, row: number, from: number, to: number): HostArray {
  const [, length, hidden] = shape as [number, number, number]
  return floats(values.subarray((row * length + from) * hidden, (row * length + to) * hidden))
}

/** Tests that the pooled output does not depend on which other outputs are read. */
export function describePooled(subject: Subject): void {
  it('returns the same pooled output and gradients if no other output is read', async () => {
    const model = subject.make()
    const params = model.init(key(1))
    const inputs = subject.engine.put(textInputs(ROWS)) as TextInputs
    const results = subject.engine.compile((p: Params, read: TextInputs) => {
      const pooled = (q: Params): Tensor => model.forward(q, read, { training: false }).pooled
      const both = (q: Params): Tensor => {
        const { lastHiddenState, pooled: withOthers } = model.forward(q, read, { training: false })
        return add(withOthers, mul(sum(lastHiddenState), 0))
      }
      const gradients = (f: typeof both): Params =>
        gradientsOf((q) => sum(mul(f(q), normal(key(5), f(q).shape, 1))) as Scalar, p)
      return {
        alone: { pooled: pooled(p), ...gradients(pooled) },
        withOthers: { pooled: both(p), ...gradients(both) },
      }
    })(params, inputs)
    const { alone, withOthers } = (await subject.engine.read(results)) as unknown as Record<
      string,
      Record<string, HostArray>
    >
    expectClose(alone!, withOthers!, 1e-5)
  })
}

/** Tests the optional outputs: hidden states and attention weights. */
export function describeOptional(subject: Subject): void {
  it('returns hidden states and attention weights on request, with the same result', async () => {
    const params = subject.make().init(key(1))
    const plain = await outputsOf(subject, params, textInputs(ROWS))
    expect(Object.keys(plain)).not.toContain('hiddenStates')
    const all = await outputsOf(subject, params, textInputs(ROWS), ['hiddenStates', 'attentions'])
    const { hiddenStates, attentions, encoderHiddenStates, encoderAttentions, crossAttentions, ...rest } = all
    expectClose(rest, plain, 1e-6)
    const layers = requireStates(hiddenStates, plain.lastHiddenState)
    const weights = requireWeights(attentions)
    await checkPromise(subject.plugin, 'attentions', (reason) => {
      if (reason !== undefined) return
      expect(weights).toBe(layers)
      if (subject.make().config['is_encoder_decoder'] !== true) return
      const read = requireStates(encoderHiddenStates, plain['encoderStates'] as HostArray)
      expect(requireWeights(encoderAttentions)).toBe(read)
      expect(requireWeights(crossAttentions)).toBe(layers)
    })
  })
}

/** Requires hidden states of the expected batch and length, before the layers and after each; returns the number of layers. */
function requireStates(kept: unknown, last: HostArray): number {
  const states = Object.values(kept as Record<string, HostArray>)
  expect(states.length).toBeGreaterThan(1)
  for (const { shape } of states) expect(shape.slice(0, 2)).toEqual(last.shape.slice(0, 2))
  return states.length - 1
}

/** Requires attention weights that sum to 1 for each query; returns the number of layers. */
function requireWeights(kept: unknown): number {
  const weights = Object.values((kept ?? {}) as Record<string, HostArray>)
  for (const { shape, values } of weights) {
    const keys = shape.at(-1) as number
    for (let at = 0; at < values.length; at += keys)
      expect(Array.from(values.subarray(at, at + keys)).reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 4)
  }
  return weights.length
}

/** Tests the attention pattern: packed texts do not attend to each other, and decoders do not attend to later tokens. */
export function describeAttention(subject: Subject): void {
  itPromises(
    subject.plugin,
    'packing',
    { kept: 'encodes packed texts as it encodes each alone', excused: 'does not support packing' },
    async (reason) => {
      expect(subject.make().unpackable).toBe(reason)
      if (reason !== undefined) return expect(reason).toMatch(/\w/)
      const params = subject.make().init(key(1))
      const [a, b] = [ROWS[0].slice(0, 4), ROWS[1].slice(0, 3)]
      const grid = (numbers: readonly number[]): HostArray => integers(numbers, [1, 7])
      const packed = await outputsOf(subject, params, {
        ...textInputs([[...a, ...b]]),
        segmentIds: grid([0, 0, 0, 0, 1, 1, 1]),
        positionIds: grid([0, 1, 2, 3, 0, 1, 2]),
      })
      for (const [row, from] of [
        [a, 0],
        [b, 4],
      ] as const) {
        const alone = await outputsOf(subject, params, textInputs([row]))
        const part = states(packed.lastHiddenState, 0, from, from + row.length)
        expectClose(part, states(alone.lastHiddenState, 0, 0, row.length), 1e-5)
      }
    },
  )

  if (subject.make().cache !== undefined)
    it('does not attend to later tokens', async () => {
      const params = subject.make().init(key(1))
      const [once, other] = [[...ROWS[0]], [...ROWS[0].slice(0, 4), 1, 2]]
      const [first, second] = [
        await outputsOf(subject, params, textInputs([once])),
        await outputsOf(subject, params, textInputs([other])),
      ]
      expectClose(states(second.lastHiddenState, 0, 0, 4), states(first.lastHiddenState, 0, 0, 4), 1e-6)
      expect(states(second.lastHiddenState, 0, 4, 6)).not.toEqual(states(first.lastHiddenState, 0, 4, 6))
    })
}

/** Tests that an encoder–decoder runs its encoder once: with given encoder states it does not read the text. */
export function describeEncoder(subject: Subject): void {
  if (subject.make().config['is_encoder_decoder'] !== true) return
  it('returns its encoder states, and continues from given ones without running the encoder', async () => {
    const params = subject.make().init(key(1))
    const inputs = decoderInputs(subject.make(), textInputs(ROWS))
    const whole = await outputsOf(subject, params, inputs)
    const states = whole['encoderStates'] as HostArray
    expect(states.shape.slice(0, 2)).toEqual(inputs['inputIds']!.shape)
    const other = { ...inputs['inputIds']!, values: inputs['inputIds']!.values.map((id) => id + 1) } as HostArray
    const again = await outputsOf(subject, params, { ...inputs, inputIds: other, encoderStates: states })
    expectClose(again, whole, 1e-6)
    const fromOtherText = await outputsOf(subject, params, { ...inputs, inputIds: other })
    expect(fromOtherText.lastHiddenState).not.toEqual(whole.lastHiddenState)
  })
}

const CAPACITY = 8

/** Tests the KV cache: incremental decoding computes the same as one pass, with any left padding. */
export function describeCache(subject: Subject): void {
  const model = subject.make()
  if (model.cache === undefined) return
  it('computes the same with a KV cache as without, also with left padding', () =>
    // The second row has two tokens of left padding; the first four slots are read at once, then one by one.
    expectSameInParts(subject, [
      { start: 0, end: 4 },
      { start: 4, end: 5 },
      { start: 5, end: 6 },
    ]))
  if (model.recurrent === true) return
  it('overwrites the last tokens after a rollback of its KV cache', () =>
    expectSameInParts(subject, [
      { start: 0, end: 4 },
      { start: 4, end: 6, rolledBack: true },
      { start: 4, end: 5 },
      { start: 5, end: 6 },
    ]))
}

/** Slots that are read at once, with the row's tokens, or with others that are then rolled back. */
interface Part {
  readonly start: number
  readonly end: number
  readonly rolledBack?: boolean
}

/** Requires the same hidden states of two rows whether they are read in parts or at once. */
async function expectSameInParts(subject: Subject, parts: readonly Part[]): Promise<void> {
  const { engine } = subject
  const model = subject.make()
  const params = model.init(key(1))
  const rows = [[...ROWS[0]], ROWS[1].slice(0, 4)]
  const whole = await Promise.all(rows.map((row) => outputsOf(subject, params, textInputs([row]))))
  const emptyCache = engine.compile(() => model.cache!(2, CAPACITY) as never)
  const go = engine.compile((p: Params, given: TextInputs) => model.forward(p, given, { training: false }))
  let cache = emptyCache() as unknown as Cache
  for (const { start, end, rolledBack = false } of parts) {
    const grid = (f: (row: number, slot: number) => number, from = start, to = end): HostArray =>
      integers(
        rows.flatMap((_, row) => Array.from({ length: to - from }, (_, i) => f(row, from + i))),
        [2, to - from],
      )
    const pad = (row: number): number => 6 - rows[row]!.length
    const given = {
      inputIds: grid((row, slot) => (rolledBack ? 18 - row - slot : (rows[row]![slot - pad(row)] ?? 0))),
      tokenTypeIds: grid(() => 0),
      positionIds: grid((row, slot) => Math.max(0, slot - pad(row))),
      attentionMask: grid((row, slot) => (slot >= pad(row) && slot < end ? 1 : 0), 0, CAPACITY),
      cacheStart: integers([start], []),
    }
    const outputs = go(params, { ...(engine.put(decoderInputs(model, given)) as TextInputs), cache })
    cache = outputs.cache!
    const { lastHiddenState } = (await engine.read({ lastHiddenState: outputs.lastHiddenState })) as never as {
      lastHiddenState: HostArray
    }
    for (const row of rolledBack ? [] : [0, 1]) {
      const from = Math.max(start, pad(row))
      const found = states(lastHiddenState, row, from - start, end - start)
      expectClose(found, states(whole[row]!.lastHiddenState, 0, from - pad(row), end - pad(row)), 1e-5)
    }
  }
}
