import { expect, it } from '@jest/globals'
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
import { expectClose } from './expect-close.js'
import { gradientsOf } from './gradients-of.js'
import { floats, integers, textInputs } from './host-array.js'

/** What these parts of the suite need. */
interface Subject {
  readonly plugin: AnyPlugin
  readonly engine: Engine
  readonly make: () => Model
}

const ROWS = [
  [7, 3, 9, 4, 12, 6],
  [5, 8, 2, 11, 16, 13],
] as const

/** What the encoder of an encoder–decoder reads while its decoder is tried. */
const READ = [9, 4, 17, 2, 8] as const

/** Inputs of texts as the model's decoder reads them; its encoder, if it has one, reads the same for each. */
function decoded(model: Model, inputs: Readonly<Record<string, HostArray>>): Readonly<Record<string, HostArray>> {
  const { inputIds, attentionMask, ...rest } = inputs
  if (model.config['is_encoder_decoder'] !== true || rest['decoderInputIds'] !== undefined) return inputs
  const read = textInputs(Array.from({ length: inputIds!.shape[0] as number }, () => READ))
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
  return (await engine.read(forward(params, engine.put(decoded(model, inputs)) as TextInputs))) as never
}

/** The states of one row from place `from` on to before `to`. */
function states({ shape, values }: HostArray, row: number, from: number, to: number): HostArray {
  const [, length, hidden] = shape as [number, number, number]
  return floats(values.subarray((row * length + from) * hidden, (row * length + to) * hidden))
}

/** Expects that a model whose pooled output alone is read computes that as it does beside the others. */
export function describePooled(subject: Subject): void {
  it('gives the same pooled output, with the same gradients, where nothing else is read', async () => {
    const model = subject.make()
    const params = model.init(key(1))
    const inputs = subject.engine.put(textInputs(ROWS)) as TextInputs
    const weighed = subject.engine.compile((p: Params, read: TextInputs) => {
      const pooled = (q: Params): Tensor => model.forward(q, read, { training: false }).pooled
      const both = (q: Params): Tensor => {
        const { lastHiddenState, pooled: beside } = model.forward(q, read, { training: false })
        return add(beside, mul(sum(lastHiddenState), 0))
      }
      const gradients = (f: typeof both): Params =>
        gradientsOf((q) => sum(mul(f(q), normal(key(5), f(q).shape, 1))) as Scalar, p)
      return {
        alone: { pooled: pooled(p), ...gradients(pooled) },
        beside: { pooled: both(p), ...gradients(both) },
      }
    })(params, inputs)
    const { alone, beside } = (await subject.engine.read(weighed)) as unknown as Record<
      string,
      Record<string, HostArray>
    >
    expectClose(alone!, beside!, 1e-5)
  })
}

/** What a model keeps on the way, when it is asked to. */
export function describeKept(subject: Subject): void {
  it('gives hidden states and attention weights when they are kept, and the same result', async () => {
    const params = subject.make().init(key(1))
    const plain = await outputsOf(subject, params, textInputs(ROWS))
    expect(Object.keys(plain)).not.toContain('hiddenStates')
    const all = await outputsOf(subject, params, textInputs(ROWS), ['hiddenStates', 'attentions'])
    const { hiddenStates, attentions, encoderHiddenStates, encoderAttentions, crossAttentions, ...rest } = all
    expectClose(rest, plain, 1e-6)
    const layers = requireStates(hiddenStates, plain.lastHiddenState)
    const weights = requireWeights(attentions)
    if (subject.plugin.exceptions?.['attentions'] !== undefined) return
    expect(weights).toBe(layers)
    if (subject.make().config['is_encoder_decoder'] !== true) return
    const read = requireStates(encoderHiddenStates, plain['encoderStates'] as HostArray)
    expect(requireWeights(encoderAttentions)).toBe(read)
    expect(requireWeights(crossAttentions)).toBe(layers)
  })
}

/** Requires states of as many rows and tokens as the last ones, before the layers and after each; how many layers there are. */
function requireStates(kept: unknown, last: HostArray): number {
  const states = Object.values(kept as Record<string, HostArray>)
  expect(states.length).toBeGreaterThan(1)
  for (const { shape } of states) expect(shape.slice(0, 2)).toEqual(last.shape.slice(0, 2))
  return states.length - 1
}

/** Requires that the weights of each query sum to 1; of how many layers they are. */
function requireWeights(kept: unknown): number {
  const weights = Object.values((kept ?? {}) as Record<string, HostArray>)
  for (const { shape, values } of weights) {
    const keys = shape.at(-1) as number
    for (let at = 0; at < values.length; at += keys)
      expect(Array.from(values.subarray(at, at + keys)).reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 4)
  }
  return weights.length
}

/** What a token may see: texts packed into one row, and, of a model that writes, nothing that comes later. */
export function describeReading(subject: Subject): void {
  const reason = subject.plugin.exceptions?.['packing']
  it(
    reason === undefined ? 'reads texts packed into a row as it reads each alone' : `packs no texts: ${reason}`,
    async () => {
      expect(subject.make().unpackable).toBe(reason)
      if (reason !== undefined) return expect(reason).toMatch(/\w/)
      const params = subject.make().init(key(1))
      const [a, b] = [ROWS[0].slice(0, 4), ROWS[1].slice(0, 3)]
      const laid = (numbers: readonly number[]): HostArray => integers(numbers, [1, 7])
      const packed = await outputsOf(subject, params, {
        ...textInputs([[...a, ...b]]),
        segmentIds: laid([0, 0, 0, 0, 1, 1, 1]),
        positionIds: laid([0, 1, 2, 3, 0, 1, 2]),
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
    it('does not see what comes later', async () => {
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

/** An encoder–decoder reads with its encoder once: given what that gave, it does not look at the text again. */
export function describeEncoder(subject: Subject): void {
  if (subject.make().config['is_encoder_decoder'] !== true) return
  it('gives what its encoder gave, and goes on from that without reading again', async () => {
    const params = subject.make().init(key(1))
    const inputs = decoded(subject.make(), textInputs(ROWS))
    const whole = await outputsOf(subject, params, inputs)
    const states = whole['encoderStates'] as HostArray
    expect(states.shape.slice(0, 2)).toEqual(inputs['inputIds']!.shape)
    const other = { ...inputs['inputIds']!, values: inputs['inputIds']!.values.map((id) => id + 1) } as HostArray
    const again = await outputsOf(subject, params, { ...inputs, inputIds: other, encoderStates: states })
    expectClose(again, whole, 1e-6)
    const anew = await outputsOf(subject, params, { ...inputs, inputIds: other })
    expect(anew.lastHiddenState).not.toEqual(whole.lastHiddenState)
  })
}

const CAPACITY = 8

/** A model that writes goes on from its cache as if it had read everything at once, whatever pads the row on the left. */
export function describeCache(subject: Subject): void {
  const model = subject.make()
  if (model.cache === undefined) return
  it('goes on from a cache as if it had read all at once, also with padding on the left', () =>
    // Two tokens of padding stand before the second row; the first four slots come at once, then one by one.
    expectSameInParts(subject, [
      { start: 0, end: 4 },
      { start: 4, end: 5 },
      { start: 5, end: 6 },
    ]))
  if (model.recurrent === true) return
  it('writes over what it read last, when it goes back in its cache', () =>
    expectSameInParts(subject, [
      { start: 0, end: 4 },
      { start: 4, end: 6, others: true },
      { start: 4, end: 5 },
      { start: 5, end: 6 },
    ]))
}

/** Slots that are read at once: with their tokens, or with others, which are then gone back from. */
interface Part {
  readonly start: number
  readonly end: number
  readonly others?: boolean
}

/** Expects of two rows that their states are the same where they are read in parts as where they are read at once. */
async function expectSameInParts(subject: Subject, parts: readonly Part[]): Promise<void> {
  const { engine } = subject
  const model = subject.make()
  const params = model.init(key(1))
  const rows = [[...ROWS[0]], ROWS[1].slice(0, 4)]
  const whole = await Promise.all(rows.map((row) => outputsOf(subject, params, textInputs([row]))))
  const begin = engine.compile(() => model.cache!(2, CAPACITY) as never)
  const go = engine.compile((p: Params, given: TextInputs) => model.forward(p, given, { training: false }))
  let cache = begin() as unknown as Cache
  for (const { start, end, others = false } of parts) {
    const laid = (f: (row: number, slot: number) => number, from = start, to = end): HostArray =>
      integers(
        rows.flatMap((_, row) => Array.from({ length: to - from }, (_, i) => f(row, from + i))),
        [2, to - from],
      )
    const pad = (row: number): number => 6 - rows[row]!.length
    const given = {
      inputIds: laid((row, slot) => (others ? 18 - row - slot : (rows[row]![slot - pad(row)] ?? 0))),
      tokenTypeIds: laid(() => 0),
      positionIds: laid((row, slot) => Math.max(0, slot - pad(row))),
      attentionMask: laid((row, slot) => (slot >= pad(row) && slot < end ? 1 : 0), 0, CAPACITY),
      cacheStart: integers([start], []),
    }
    const outputs = go(params, { ...(engine.put(decoded(model, given)) as TextInputs), cache })
    cache = outputs.cache!
    const { lastHiddenState } = (await engine.read({ lastHiddenState: outputs.lastHiddenState })) as never as {
      lastHiddenState: HostArray
    }
    for (const row of others ? [] : [0, 1]) {
      const from = Math.max(start, pad(row))
      const found = states(lastHiddenState, row, from - start, end - start)
      expectClose(found, states(whole[row]!.lastHiddenState, 0, from - pad(row), end - pad(row)), 1e-5)
    }
  }
}
