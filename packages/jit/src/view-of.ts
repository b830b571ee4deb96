import type { Trace } from './backend.js'
import type { Type } from './builder.js'
import { type Value, sameShape } from './graph.js'

/** The memory of an int32 input or constant as values of another type, not copied. */
export function viewOf({ builder, views }: Trace, of: Value, { dtype, shape }: Type): Value {
  const known = views.find((each) => each.of === of && each.value.dtype === dtype && sameShape(each.value.shape, shape))
  if (known !== undefined) return known.value
  const value = builder.input({ dtype, shape })
  views.push({ value, of })
  return value
}
