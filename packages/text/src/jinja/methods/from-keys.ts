import type { Runtime } from '../runtime.js'
import { dictOf } from '../values/dict.js'
import { collect } from '../values/iterate.js'
import type { Value } from '../values/value.js'

/** Creates a dict with the same value for each key: `dict.fromkeys`. */
export const dictFromKeys = (rt: Runtime, keys: Value, value: Value): Value =>
  dictOf(
    rt,
    collect(rt, keys).map((key) => [key, value] as const),
  )
