import { type Mode, mapParams } from '@attune/core'
import { hookOf } from '@attune/nn'
import { type Tensor, equal, keep, mean, mul, onesLike, scalar, sub, tensor1d, where } from '@tensorflow/tfjs-core'
import { describeModel } from '../describe-model.js'
import { misshapen } from './model-parameters.test.fixture.js'
import { type Specimen, broken, valid } from './specimen.test.fixture.js'
import {
  withForward,
  withOutputs,
  golden,
  inMode,
  pair,
  withInputs,
  tiny,
  decoder,
} from './tiny-models.test.fixture.js'

const padding = 'returns the same outputs for any amount and content of padding'
const batch = 'returns the same outputs for a text anywhere in a batch, and alone'
const alone = 'returns the same pooled output and gradients if no other output is read'
const frees = 'frees all tensors except its outputs'
const drops = 'applies keyed dropout in training only'
const again = 'has the same gradients with gradient checkpointing'
const kept = 'returns hidden states and attention weights on request, with the same result'
const packed = 'encodes packed texts as it encodes each alone'
const encoder = 'returns its encoder states, and continues from given ones without running the encoder'
const agrees = 'agrees with arithmetic, case 1: {"scale":2}'
const later = 'does not attend to later tokens'
const back = 'overwrites the last tokens after a rollback of its KV cache'
const sites = 'exposes every weight matrix to layer hooks under its name'
const unchanged = 'computes the same bits with an identity hook, and others with a hook that scales one kind of layer'
const cache = 'computes the same with a KV cache as without, also with left padding'

const seeded = (): Mode => ({ training: true, key: { seed: tensor1d([1, 2], 'int32'), stream: 0 } })
const without = <T extends object>(record: T, name: keyof T): T =>
  Object.fromEntries(Object.entries(record).filter(([each]) => each !== name)) as T

/** Model specimens. */
export const models: readonly Specimen[] = [
  valid('an encoder', () => describeModel(tiny, { options: { scale: 2 } })),
  valid('a decoder', () => describeModel(decoder, { options: { scale: 2 }, goldens: [golden] })),
  valid('an encoder–decoder', () => describeModel(pair, { options: { scale: 2 } })),
  broken(
    'attends to padding',
    [padding, batch],
    withInputs((inputs) => ({ ...inputs, attentionMask: onesLike(inputs.attentionMask) })),
  ),
  broken(
    'mixes the texts of a batch',
    [batch],
    withOutputs((outputs) => ({ ...outputs, pooled: sub(outputs.pooled, mean(outputs.pooled, 0, true)) })),
  ),
  broken(
    'pools differently if nothing else is read',
    [alone],
    withOutputs(({ lastHiddenState, pooled, ...rest }) => {
      let seen = false
      return {
        get lastHiddenState() {
          seen = true
          return lastHiddenState
        },
        get pooled() {
          return seen ? pooled : mul(pooled, 1.01)
        },
        ...rest,
      }
    }),
  ),
  broken(
    'leaks a tensor',
    [frees],
    withOutputs((outputs) => (keep(scalar(0)), outputs)),
  ),
  broken(
    'applies dropout in inference',
    [padding, batch, packed, drops],
    inMode((mode) => (mode.training ? mode : { ...mode, ...seeded() })),
  ),
  broken(
    'never applies dropout',
    [drops],
    inMode((mode) => ({ ...mode, training: false })),
  ),
  broken(
    'ignores the dropout key',
    [drops],
    inMode((mode) => (mode.training ? { ...mode, ...seeded() } : mode)),
  ),
  broken(
    'computes differently under gradient checkpointing',
    [again],
    withOutputs((outputs, mode) =>
      mode.training && mode.gradientCheckpointing === true
        ? { ...outputs, pooled: mul(outputs.pooled, 1.01) }
        : outputs,
    ),
  ),
  broken(
    'omits attention weights',
    [kept],
    withOutputs((outputs) => without(outputs, 'attentions')),
  ),
  broken(
    'returns hidden states without a request',
    [kept],
    withOutputs((outputs) => ({ hiddenStates: { 0: outputs.lastHiddenState as Tensor }, ...outputs })),
  ),
  broken(
    'changes its result if outputs are kept',
    [kept],
    withOutputs((outputs, mode) =>
      mode.keep?.length === 2 ? { ...outputs, pooled: mul(outputs.pooled, 1.01) } : outputs,
    ),
  ),
  broken(
    'mixes packed texts',
    [packed],
    withInputs((inputs) => without(inputs, 'segmentIds')),
  ),
  broken(
    'ignores the positions of packed texts',
    [packed],
    withInputs((inputs) => without(inputs, 'positionIds')),
  ),
  broken(
    'attends to later tokens',
    [later, cache, back, packed, padding, batch, agrees],
    withForward(
      (forward) => (params, inputs, mode) => {
        const outputs = forward(params, inputs, mode)
        return { ...outputs, lastHiddenState: sub(outputs.lastHiddenState, mean(outputs.lastHiddenState, 1, true)) }
      },
      decoder,
    ),
  ),
  broken(
    'does not overwrite its KV cache',
    [back],
    withForward(
      (forward) => (params, inputs, mode) => {
        const outputs = forward(params, inputs, mode)
        if (inputs.cache === undefined) return outputs
        const first = (now: Tensor, before: Tensor): Tensor => where(equal(before, 0), now, before)
        return { ...outputs, cache: mapParams(first, outputs.cache!, inputs.cache) }
      },
      decoder,
    ),
  ),
  broken(
    'always writes to the start of its KV cache',
    [cache, back],
    withInputs(
      (inputs) => (inputs.cacheStart === undefined ? inputs : { ...inputs, cacheStart: mul(inputs.cacheStart, 0) }),
      decoder,
    ),
  ),
  broken(
    'attends to left padding',
    [cache, back],
    withInputs(
      (inputs) => (inputs.cache === undefined ? inputs : { ...inputs, attentionMask: onesLike(inputs.attentionMask) }),
      decoder,
    ),
  ),
  broken(
    'omits its encoder states',
    [encoder],
    withOutputs((outputs) => without(outputs, 'encoderStates'), pair),
  ),
  broken(
    'runs its encoder again',
    [encoder],
    withInputs((inputs) => without(inputs, 'encoderStates'), pair),
  ),
  broken(
    'differs from the golden file',
    [agrees],
    withOutputs((outputs) => ({ ...outputs, lastHiddenState: mul(outputs.lastHiddenState, 1.001) }), decoder),
  ),
  broken(
    'hides its layers from hooks',
    [sites],
    withForward(
      (forward) => (params, inputs, mode) => forward(Object.fromEntries(Object.entries(params)), inputs, mode),
    ),
  ),
  broken(
    'computes differently under a hook',
    [unchanged],
    withForward((forward) => (params, inputs, mode) => {
      const outputs = forward(params, inputs, mode)
      return hookOf(params) === undefined ? outputs : { ...outputs, pooled: mul(outputs.pooled, 1.001) }
    }),
  ),
  ...misshapen,
]
