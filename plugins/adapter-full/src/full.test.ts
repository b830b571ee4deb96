import { describeAdapter } from '@attune/testkit'
import { full } from './full.js'

describeAdapter(full)
