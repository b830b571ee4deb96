import { describeEngine } from '@attune/testkit'
import { onnxruntime } from './onnxruntime.js'

describeEngine(onnxruntime)
