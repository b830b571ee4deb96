import { MODEL, definePlugin } from '@attune/core'
import { z } from 'zod'
import { describeModel } from './describe-model.js'
import { tinyModel } from './tiny-model.js'

describeModel(
  definePlugin({
    kind: MODEL,
    name: 'tiny',
    summary: 'The model that suites run on',
    options: z.strictObject({}),
    create: tinyModel,
  }),
)
