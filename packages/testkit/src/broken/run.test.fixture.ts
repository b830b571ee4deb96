import { describe } from '@jest/globals'
import { specimens } from './specimens.test.fixture.js'

for (const [kind, each] of Object.entries(specimens))
  for (const { what, run } of each) describe(`${kind}: ${what}:`, run)
