import { MODEL, definePlugin } from '@attune/core'
import { z } from 'zod'
import { describeModel } from './describe-model.js'
import { tinyModel } from './tiny-model.js'

describeModel(
  definePlugin({
    kind: MODEL,
    name: 'tiny',
    summary: 'A tiny model for contract suites',
    options: z.strictObject({}),
    create: tinyModel,
  }),
)
