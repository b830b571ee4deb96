import { type Mode, mapParams } from '@attune/core'
import { hookOf } from '@attune/nn'
import { type Tensor, equal, keep, mean, mul, onesLike, scalar, sub, tensor1d, where } from '@tensorflow/tfjs-core'
import { describeModel } from '../describe-model.js'
import { misshapen } from './model-parameters.test.fixture.js'
import { type Specimen, broken, sound } from './specimen.test.fixture.js'
import { forwarding, giving, golden, inMode, pair, reading, tiny, writer } from './tiny-models.test.fixture.js'

const padding = 'gives a text the same outputs however much padding follows and whatever stands there'
const batch = 'gives a text the same outputs wherever it stands in the batch, and alone'
const alone = 'gives the same pooled output, with the same gradients, where nothing else is read'
const frees = 'frees all that it makes but its outputs'
const drops = 'drops out in training only, by its key'
const again = 'has the same gradients when its layers are computed again for them'
const kept = 'gives hidden states and attention weights when they are kept, and the same result'
const packed = 'reads texts packed into a row as it reads each alone'
const encoder = 'gives what its encoder gave, and goes on from that without reading again'
const agrees = 'agrees with arithmetic, case 1: {"scale":2}'
const later = 'does not see what comes later'
const back = 'writes over what it read last, when it goes back in its cache'
const sites = 'computes every weight matrix at a site of its name that layer hooks see'
const unchanged =
  'computes the same bits under a hook that changes nothing, others under one that scales a kind of layer'
const cache = 'goes on from a cache as if it had read all at once, also with padding on the left'

const seeded = (): Mode => ({ training: true, key: { seed: tensor1d([1, 2], 'int32'), stream: 0 } })
const without = <T extends object>(record: T, name: keyof T): T =>
  Object.fromEntries(Object.entries(record).filter(([each]) => each !== name)) as T

/** Models. */
export const models: readonly Specimen[] = [
  sound('an encoder', () => describeModel(tiny, { options: { scale: 2 } })),
  sound('a decoder', () => describeModel(writer, { options: { scale: 2 }, goldens: [golden] })),
  sound('an encoder–decoder', () => describeModel(pair, { options: { scale: 2 } })),
  broken(
    'looks at padding',
    [padding, batch],
    reading((inputs) => ({ ...inputs, attentionMask: onesLike(inputs.attentionMask) })),
  ),
  broken(
    'compares the texts of a batch',
    [batch],
    giving((outputs) => ({ ...outputs, pooled: sub(outputs.pooled, mean(outputs.pooled, 0, true)) })),
  ),
  broken(
    'pools otherwise where nothing else is read',
    [alone],
    giving(({ lastHiddenState, pooled, ...rest }) => {
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
    'keeps a tensor',
    [frees],
    giving((outputs) => (keep(scalar(0)), outputs)),
  ),
  broken(
    'drops out always',
    [padding, batch, packed, drops],
    inMode((mode) => (mode.training ? mode : { ...mode, ...seeded() })),
  ),
  broken(
    'drops out never',
    [drops],
    inMode((mode) => ({ ...mode, training: false })),
  ),
  broken(
    'drops out alike each time',
    [drops],
    inMode((mode) => (mode.training ? { ...mode, ...seeded() } : mode)),
  ),
  broken(
    'computes otherwise when it computes again',
    [again],
    giving((outputs, mode) =>
      mode.training && mode.gradientCheckpointing === true
        ? { ...outputs, pooled: mul(outputs.pooled, 1.01) }
        : outputs,
    ),
  ),
  broken(
    'keeps no weights of attention',
    [kept],
    giving((outputs) => without(outputs, 'attentions')),
  ),
  broken(
    'keeps what it was not asked for',
    [kept],
    giving((outputs) => ({ hiddenStates: { 0: outputs.lastHiddenState as Tensor }, ...outputs })),
  ),
  broken(
    'another result where something is kept',
    [kept],
    giving((outputs, mode) => (mode.keep?.length === 2 ? { ...outputs, pooled: mul(outputs.pooled, 1.01) } : outputs)),
  ),
  broken(
    'does not tell packed texts apart',
    [packed],
    reading((inputs) => without(inputs, 'segmentIds')),
  ),
  broken(
    'counts places through all of a row',
    [packed],
    reading((inputs) => without(inputs, 'positionIds')),
  ),
  broken(
    'sees what comes later',
    [later, cache, back, packed, padding, batch, agrees],
    forwarding(
      (forward) => (params, inputs, mode) => {
        const outputs = forward(params, inputs, mode)
        return { ...outputs, lastHiddenState: sub(outputs.lastHiddenState, mean(outputs.lastHiddenState, 1, true)) }
      },
      writer,
    ),
  ),
  broken(
    'does not write over what stands in its cache',
    [back],
    forwarding(
      (forward) => (params, inputs, mode) => {
        const outputs = forward(params, inputs, mode)
        if (inputs.cache === undefined) return outputs
        const first = (now: Tensor, before: Tensor): Tensor => where(equal(before, 0), now, before)
        return { ...outputs, cache: mapParams(first, outputs.cache!, inputs.cache) }
      },
      writer,
    ),
  ),
  broken(
    'writes over its cache from the beginning',
    [cache, back],
    reading(
      (inputs) => (inputs.cacheStart === undefined ? inputs : { ...inputs, cacheStart: mul(inputs.cacheStart, 0) }),
      writer,
    ),
  ),
  broken(
    'looks at padding on the left',
    [cache, back],
    reading(
      (inputs) => (inputs.cache === undefined ? inputs : { ...inputs, attentionMask: onesLike(inputs.attentionMask) }),
      writer,
    ),
  ),
  broken(
    'does not give what its encoder gave',
    [encoder],
    giving((outputs) => without(outputs, 'encoderStates'), pair),
  ),
  broken(
    'reads again what its encoder has read',
    [encoder],
    reading((inputs) => without(inputs, 'encoderStates'), pair),
  ),
  broken(
    'is not what the golden file says',
    [agrees],
    giving((outputs) => ({ ...outputs, lastHiddenState: mul(outputs.lastHiddenState, 1.001) }), writer),
  ),
  broken(
    'hides its layers from hooks',
    [sites],
    forwarding(
      (forward) => (params, inputs, mode) => forward(Object.fromEntries(Object.entries(params)), inputs, mode),
    ),
  ),
  broken(
    'computes otherwise under a hook',
    [unchanged],
    forwarding((forward) => (params, inputs, mode) => {
      const outputs = forward(params, inputs, mode)
      return hookOf(params) === undefined ? outputs : { ...outputs, pooled: mul(outputs.pooled, 1.001) }
    }),
  ),
  ...misshapen,
]
