import '@tensorflow/tfjs'
import type { Engine } from '@attune/core'
import { eagerEngine } from '@attune/nn'

/** The simplest engine: TF.js' own JavaScript backend, on which suites run and with which other engines are compared. */
export const referenceEngine = (): Engine =>
  eagerEngine({ backend: 'cpu', device: 'TF.js in plain JavaScript', load: () => Promise.resolve() })
