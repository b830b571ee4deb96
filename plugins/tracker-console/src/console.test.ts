import { describeTracker } from '@attune/testkit'
import { consoleTracker } from './console.js'

describeTracker(consoleTracker)
