import '@tensorflow/tfjs'
import type { Engine } from '@attune/core'
import { eagerEngine } from '@attune/nn'

/** The plainest engine there is, TF.js' own JavaScript backend: what suites compute on and compare other engines with. */
export const referenceEngine = (): Engine =>
  eagerEngine({ backend: 'cpu', device: 'TF.js in plain JavaScript', load: () => Promise.resolve() })
