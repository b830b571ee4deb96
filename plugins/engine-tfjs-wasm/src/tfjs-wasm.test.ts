import { describeEngine } from '@attune/testkit'
import { tfjsWasm } from './tfjs-wasm.js'

describeEngine(tfjsWasm)
