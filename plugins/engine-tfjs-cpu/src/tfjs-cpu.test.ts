import { describeEngine } from '@attune/testkit'
import { tfjsCpu } from './tfjs-cpu.js'

describeEngine(tfjsCpu)
